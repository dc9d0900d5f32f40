"""A Bot API for tests: the real wire over loopback HTTP, and every way in which it can go wrong.

It keeps the chats, messages and updates of one bot, answers as the real one does
(https://core.telegram.org/bots/api), and can be told to delay, refuse, fail, drop a call after
it was accepted, or migrate a chat. It delivers updates to a webhook with the secret header, and
again until the webhook answers with a status of 2xx.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import attrs
import h11
import httpx
import trio

from tests.telegram_rules import document_fault, read_form, shown, text_fault

TOKEN = "123456789:AAtestTESTtestTESTtestTESTtestTESTxyz"
SECRET = "a-Webhook_Secret-1"


@attrs.frozen
class Call:
    """A call of a method that reached the bot's API, and what became of it."""

    method: str
    params: dict[str, Any]
    at: float


@attrs.frozen
class Fault:
    """A fault of a call, instead of doing it or after that."""

    status: int = 500
    description: str = "Internal Server Error"
    parameters: dict[str, Any] = attrs.field(factory=dict)
    drop: bool = False
    accepted: bool = False
    """True if the call takes effect although its answer is lost."""
    garbage: bytes | None = None
    until: trio.Event | None = None
    """An event to wait for before the call is done as if nothing were wrong."""

    def answer(self) -> tuple[int, bytes] | None:
        """Return what is answered instead."""
        if self.drop:
            return None
        return _refuse(self) if self.garbage is None else (self.status, self.garbage)


@attrs.define
class Chat:
    """One chat as Telegram keeps it."""

    id: int
    messages: dict[int, dict[str, Any]] = attrs.field(factory=dict)
    refusal: Fault | None = None


@attrs.define
class FakeBotApi:
    """The state of the fake, and what a test may do to it."""

    url: str = ""
    token: str = TOKEN
    chats: dict[int, Chat] = attrs.field(factory=dict)
    calls: list[Call] = attrs.field(factory=list)
    webhook: dict[str, Any] = attrs.field(factory=lambda: {"url": "", "pending_update_count": 0})
    updates: deque[dict[str, Any]] = attrs.field(factory=deque)
    username: str = "command_center_bot"
    files: dict[str, bytes] = attrs.field(factory=dict)
    """The content of what people have sent, by the ids of the files."""
    _faults: dict[str, deque[Fault]] = attrs.field(factory=dict)
    _changed: trio.Event = attrs.field(factory=trio.Event)
    _next_message: int = 100
    _next_update: int = 700_000_000
    _down: bool = False

    def chat(self, chat_id: int) -> Chat:
        """A chat, which exists from when it is asked for."""
        return self.chats.setdefault(chat_id, Chat(chat_id))

    # ── what goes wrong ──────────────────────────────────────────────────────────────────────

    def fail_next(self, method: str, *faults: Fault) -> None:
        """Meet the next calls of a method with these faults, one each."""
        self._faults.setdefault(method, deque()).extend(faults)

    def limit_next(self, method: str, retry_after: float) -> None:
        """Refuse the next call with 429."""
        self.fail_next(
            method,
            Fault(
                429,
                f"Too Many Requests: retry after {retry_after}",
                {"retry_after": retry_after},
            ),
        )

    def block(self, chat_id: int) -> None:
        """The person has blocked the bot."""
        self.chat(chat_id).refusal = Fault(403, "Forbidden: bot was blocked by the user")

    def migrate(self, old: int, new: int) -> None:
        """The group has become a supergroup."""
        self.chat(old).refusal = Fault(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            {"migrate_to_chat_id": new},
        )
        self.chat(new)

    def go_down(self) -> None:
        """Answer nothing from now on."""
        self._down = True

    def come_back(self) -> None:
        """Answer again."""
        self._down = False

    # ── what a test sees ─────────────────────────────────────────────────────────────────────

    def texts(self, chat_id: int) -> list[str]:
        """Return what the chat shows now, without markup, in the order it was sent."""
        return [shown(message["text"]) for message in self.chat(chat_id).messages.values()]

    def called(self, method: str) -> list[dict[str, Any]]:
        """The parameters of the calls of one method."""
        return [call.params for call in self.calls if call.method == method]

    async def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait for calls until something holds."""
        with trio.fail_after(20):
            while not condition():
                changed = self._changed
                await changed.wait()

    async def message(self, chat_id: int, containing: str, *, count: int = 1) -> dict[str, Any]:
        """Wait until the chat shows a message with this text in it; the newest one that has."""

        def found() -> list[dict[str, Any]]:
            messages = self.chat(chat_id).messages.values()
            return [m for m in messages if containing in shown(m["text"])]

        await self.wait_until(lambda: len(found()) >= count)
        return found()[-1]

    # ── what people do ───────────────────────────────────────────────────────────────────────

    def update(self, **kind: Any) -> dict[str, Any]:
        """Make the next update."""
        self._next_update += 1
        return {"update_id": self._next_update, **kind}

    def said(
        self,
        text: str,
        *,
        user_id: int,
        chat_id: int | None = None,
        reply_to: dict[str, Any] | None = None,
        kind: str = "message",
    ) -> dict[str, Any]:
        """The update for a person's text."""
        chat_id = user_id if chat_id is None else chat_id
        message: dict[str, Any] = {
            "message_id": self._number(),
            "from": {"id": user_id, "is_bot": False, "first_name": "A"},
            "chat": {"id": chat_id, "type": "private" if chat_id > 0 else "group"},
            "date": 1_700_000_000,
            "text": text,
        }
        if reply_to is not None:
            message["reply_to_message"] = {
                key: value for key, value in reply_to.items() if key != "reply_to_message"
            }
        return self.update(**{kind: message})

    def sent(
        self, content: bytes, caption: str | None = None, *, name: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """The update for a photo, or for a file with a name; `album` is which it belongs to."""
        album, update = more.pop("album", None), self.said(caption or "", **more)
        message, number = update["message"], len(self.files)
        message.pop("text")
        if caption is not None:
            message["caption"] = caption
        if album is not None:
            message["media_group_id"] = album
        file_id = f"file-{number}"
        self.files[file_id] = content
        told = {"file_id": file_id, "file_unique_id": file_id, "file_size": len(content)}
        if name is not None:
            message["document"] = {**told, "file_name": name}
        else:
            small = {**told, "file_id": "small", "file_size": 1, "width": 9, "height": 9}
            message["photo"] = [small, {**told, "width": 90, "height": 90}]
        return update

    def pressed(
        self, message: dict[str, Any], button: str, *, user_id: int, data: str | None = None
    ) -> dict[str, Any]:
        """The update for a press of a button of a message."""
        if data is None:
            found = [
                b["callback_data"]
                for row in message["reply_markup"]["inline_keyboard"]
                for b in row
                if button in b["text"]
            ]
            assert found, f"no button {button}: {message['reply_markup']}"
            data = found[0]
        return self.update(
            callback_query={
                "id": str(self._number()),
                "from": {"id": user_id, "is_bot": False, "first_name": "A"},
                "message": message,
                "chat_instance": "1",
                "data": data,
            }
        )

    async def deliver(
        self,
        url: str,
        update: dict[str, Any] | bytes,
        *,
        secret: str | None = SECRET,
        attempts: int = 5,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Post to a webhook as Telegram does: again while the answer is not 2xx."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if secret is not None:
            sent["X-Telegram-Bot-Api-Secret-Token"] = secret
        body = update if isinstance(update, bytes) else json.dumps(update).encode()
        async with httpx.AsyncClient() as client:
            for attempt in range(1, attempts + 1):
                response = await client.post(url, content=body, headers=sent)
                if response.is_success or attempt == attempts:
                    return response
                await trio.lowlevel.checkpoint()
        raise AssertionError("no attempt")

    def queue(self, *updates: dict[str, Any]) -> None:
        """Let `getUpdates` give these."""
        self.updates.extend(updates)
        self._has_changed()

    # ── the methods ──────────────────────────────────────────────────────────────────────────

    async def answer(self, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Return what the real one answers; None where the connection is to be dropped."""
        file = re.fullmatch(r"/file/bot([^/]+)/photos/(.+)", path)
        if file is not None and file[1] == self.token and file[2] in self.files:
            return 200, self.files[file[2]]
        match = re.fullmatch(r"/bot([^/]+)/(\w+)", path)
        if match is None or match[1] != self.token:
            return _refuse(Fault(401, "Unauthorized"))
        method = match[2]
        params = read_form(body) if body.startswith(b"--") else json.loads(body or b"{}")
        self.calls.append(Call(method, params, trio.current_time()))
        self._has_changed()
        faults = self._faults.get(method)
        fault = faults.popleft() if faults else None
        if self._down:
            return None
        if fault is not None and fault.until is not None:
            await fault.until.wait()
        elif fault is not None:
            if fault.accepted:
                await self._perform(method, params)
                self._has_changed()
            return fault.answer()
        outcome = await self._perform(method, params)
        self._has_changed()
        if isinstance(outcome, Fault):
            return _refuse(outcome)
        return 200, json.dumps({"ok": True, "result": outcome}).encode()

    async def _perform(self, method: str, params: dict[str, Any]) -> Any:
        methods: dict[str, Callable[[dict[str, Any]], Any]] = {
            "getFile": self._get_file,
            "getMe": lambda _: {"id": 1, "is_bot": True, "username": self.username},
            "setWebhook": self._set_webhook,
            "deleteWebhook": lambda _: self._set_webhook({"url": ""}),
            "getWebhookInfo": lambda _: self.webhook,
            "sendMessage": self._send,
            "sendDocument": self._send_document,
            "editMessageText": self._edit,
            "answerCallbackQuery": lambda _: True,
            "setMyCommands": lambda _: True,
        }
        if method == "getUpdates":
            return await self._get_updates(params)
        if method not in methods:
            return Fault(404, "Not Found: method not found")
        return methods[method](params)

    def _set_webhook(self, params: dict[str, Any]) -> Any:
        self.webhook = {"url": params["url"], "pending_update_count": 0}
        return True

    async def _get_updates(self, params: dict[str, Any]) -> Any:
        if self.webhook["url"]:
            return Fault(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        offset = params.get("offset", 0)
        while self.updates and self.updates[0]["update_id"] < offset:
            self.updates.popleft()
        if not self.updates:
            with trio.move_on_after(params.get("timeout", 0)):
                while not self.updates:
                    await self._changed.wait()
        return list(self.updates)[: params.get("limit", 100)]

    def _get_file(self, params: dict[str, Any]) -> Any:
        content = self.files.get(params["file_id"])
        if content is None:
            return Fault(400, "Bad Request: invalid file_id")
        if len(content) > 20 * 1024 * 1024:
            return Fault(400, "Bad Request: file is too big")
        path = f"photos/{params['file_id']}"
        return {"file_id": params["file_id"], "file_size": len(content), "file_path": path}

    def _send(self, params: dict[str, Any]) -> Any:
        refused = self._refusal(params) or _refused(text_fault(params))
        if refused is not None:
            return refused
        chat = self.chats[params["chat_id"]]
        number = self._number()
        chat.messages[number] = {
            "message_id": number,
            "from": {"id": 1, "is_bot": True, "first_name": "CC"},
            "chat": {"id": chat.id, "type": "private" if chat.id > 0 else "group"},
            "date": 1_700_000_000,
            **{key: value for key, value in params.items() if key != "chat_id"},
        }
        return chat.messages[number]

    def _send_document(self, params: dict[str, Any]) -> Any:
        refused = self._refusal(params) or _refused(document_fault(params))
        if refused is not None:
            return refused
        return self._send({**params, "text": params.get("caption", "")})

    def _edit(self, params: dict[str, Any]) -> Any:
        refused = self._refusal(params) or _refused(text_fault(params))
        if refused is not None:
            return refused
        message = self.chats[params["chat_id"]].messages.get(params["message_id"])
        if message is None:
            return Fault(400, "Bad Request: message to edit not found")
        same = message.get("text") == params["text"]
        if same and message.get("reply_markup") == params.get("reply_markup"):
            return Fault(400, "Bad Request: message is not modified")
        message.pop("reply_markup", None)
        message |= {k: v for k, v in params.items() if k not in {"chat_id", "message_id"}}
        return message

    def _refusal(self, params: dict[str, Any]) -> Fault | None:
        chat = self.chats.get(params["chat_id"])
        return Fault(400, "Bad Request: chat not found") if chat is None else chat.refusal

    def _number(self) -> int:
        self._next_message += 1
        return self._next_message

    def _has_changed(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def _refused(wrong: str | None) -> Fault | None:
    """The refusal of a call that breaks a rule."""
    return None if wrong is None else Fault(400, f"Bad Request: {wrong}")


def _refuse(fault: Fault) -> tuple[int, bytes]:
    body: dict[str, Any] = {
        "ok": False,
        "error_code": fault.status,
        "description": fault.description,
    }
    if fault.parameters:
        body["parameters"] = fault.parameters
    return fault.status, json.dumps(body).encode()


@asynccontextmanager
async def fake_bot_api() -> AsyncIterator[FakeBotApi]:
    """Serve a fake on a free port of the loopback."""
    api = FakeBotApi()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            partial(trio.serve_tcp, partial(_serve, api), 0, host="127.0.0.1")
        )
        api.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        try:
            yield api
        finally:
            nursery.cancel_scope.cancel()


async def _serve(api: FakeBotApi, stream: trio.SocketStream) -> None:
    connection = h11.Connection(h11.SERVER)
    try:
        while True:
            path, body = "", bytearray()
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(await stream.receive_some(65536))
                elif isinstance(event, h11.Request):
                    path = event.target.decode()
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return
            answered = await api.answer(path, bytes(body))
            if answered is None:
                return
            status, text = answered
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
            await stream.send_all(
                (connection.send(h11.Response(status_code=status, headers=headers)) or b"")
                + (connection.send(h11.Data(data=text)) or b"")
                + (connection.send(h11.EndOfMessage()) or b"")
            )
            connection.start_next_cycle()
    except (trio.BrokenResourceError, trio.ClosedResourceError, h11.ProtocolError):
        return
    finally:
        with trio.move_on_after(1):
            await stream.aclose()

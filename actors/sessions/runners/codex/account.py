"""`/accounts/…`: has a host's Codex signed in and out, and tells who is signed in.

Codex alone keeps what it is signed in by. An attempt that waits for its code is known as long as
this actor lives: after that, whether somebody is signed in says how it ended.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog

from command_center.actors.codex import requests
from command_center.actors.codex.accounts import (
    SIGN_IN_ENDED,
    UPDATED,
    account_from,
)
from command_center.actors.codex.messages import (
    Call,
    CodexLagged,
    CodexNotification,
    codex_on,
)
from command_center.actors.contracts.accounts import (
    AccountStatus,
    AgentAccount,
    BeginSignIn,
    CancelSignIn,
    NewSignIn,
    ReadAccount,
    SignIn,
    SignInStatus,
    SignOut,
)
from command_center.actors.contracts.bridges import (
    BridgeConnected,
)
from command_center.actors.contracts.events.accounts import (
    SignedIn,
    SignedOut,
    SignInBegun,
    SignInFailed,
)
from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import Conflict, Invalid, NotFound, Unavailable
from command_center.actors.sessions.runners.codex.threads import ask_codex
from command_center.actors.sessions.runners.codex.watcher import BridgeWatcher
from command_center.runtime import ActorNotFound, Deferred, Refusal, handles
from command_center.store import EventData, now_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 10.0
"""Seconds that Codex may take to answer, since somebody waits to see it."""

WORDLESS: Final = "Codex did not say why."


class Account(BridgeWatcher):
    """Signs one host's Codex in and out, and keeps, as events, who is signed in."""

    def __init__(self, storage: Storage, host: str) -> None:
        """Write to `storage`; the account is that of the Codex of `host`."""
        self._storage = storage
        self._host = host
        self._bridge = codex_on(host)
        self._sign_in: SignIn | None = None
        self._known: tuple[str, str | None] | None = None
        """The kind and plan of who is signed in, as far as was told."""
        self._was_read = False

    async def on_start(self) -> None:
        """Ask to be told, and go on being told through every life of the bridge."""
        self.ctx.start_task(self.watch, self._host, UPDATED, SIGN_IN_ENDED)

    def describe(self) -> Mapping[str, object]:
        """Show how far an attempt to sign in is."""
        return {"signIn": None if self._sign_in is None else self._sign_in.status.value}

    @handles(ReadAccount)
    def read(self, _message: ReadAccount) -> Deferred[AgentAccount]:
        """Answer as Codex does."""
        return self.ctx.answer_later(self._read)

    @handles(BeginSignIn)
    def begin(self, message: BeginSignIn) -> Deferred[SignIn]:
        """Answer with the code, or once the key is taken."""
        wanted = message.wanted
        if (wanted.type == "api_key") != (wanted.api_key is not None):
            raise Invalid.field("apiKey", "Give it with the type api_key, and with no other.")
        return self.ctx.answer_later(self._begin, wanted)

    @handles(CancelSignIn)
    def cancel(self, message: CancelSignIn) -> Deferred[SignIn]:
        """Answer once the code is worth nothing any more."""
        known = self._sign_in
        if known is None or known.id != message.sign_in_id:
            raise NotFound("Sign-in", message.sign_in_id)
        if known.status is not SignInStatus.WAITING:
            raise Conflict(f"This sign-in is {known.status.value}.", status=known.status.value)
        return self.ctx.answer_later(self._cancel, known)

    @handles(SignOut)
    def sign_out(self, _message: SignOut) -> Deferred[AgentAccount]:
        """Answer once Codex has forgotten the account."""
        return self.ctx.answer_later(self._sign_out)

    @handles(CodexNotification)
    async def told(self, message: CodexNotification) -> None:
        """Keep that an attempt has ended, or that the account is another one."""
        if message.method == SIGN_IN_ENDED:
            await self._ended(message.params)
        else:
            await self._changed(message.params.get("authMode"), message.params.get("planType"))

    def lagged(self, _message: CodexLagged) -> None:
        """Look how an attempt went whose end was not told."""
        self.ctx.start_task(self._look)

    def connected(self, _message: BridgeConnected) -> None:
        """Look who is signed in, and how an attempt went that the last connection began."""
        self.ctx.start_task(self._look)

    async def _ask(self, call: Call) -> dict[str, Any]:
        try:
            bridge = self.ctx.lookup(self._bridge)
        except ActorNotFound as error:
            raise Unavailable(str(error)) from error
        return await ask_codex(bridge, Call(call.method, call.params, LOOK_SECONDS))

    async def _read(self) -> AgentAccount:
        answer = await self._ask(requests.account_read())
        return account_from(answer, self._host, self._sign_in)

    async def _begin(self, wanted: NewSignIn) -> SignIn:
        await self._tell(
            SignInBegun(host=self._host, type=wanted.type), wanted.requested_by or self._bridge
        )
        try:
            self._sign_in = await self._begun(wanted)
        except Refusal as error:
            await self._tell(SignInFailed(host=self._host, reason=str(error)), self._bridge)
            raise
        return self._sign_in

    async def _begun(self, wanted: NewSignIn) -> SignIn:
        begun_at = now_timestamp()
        if wanted.api_key is not None:
            await self._ask(requests.sign_in_by_key(wanted.api_key))
            return SignIn(
                id=secrets.token_hex(8),
                type=wanted.type,
                status=SignInStatus.COMPLETED,
                begun_at=begun_at,
            )
        answer = await self._ask(requests.sign_in_by_code())
        try:
            return SignIn(
                id=str(answer["loginId"]),
                type=wanted.type,
                status=SignInStatus.WAITING,
                begun_at=begun_at,
                verification_url=str(answer["verificationUrl"]),
                user_code=str(answer["userCode"]),
            )
        except KeyError as error:
            raise Conflict(f"Codex gave no code to sign in with: {error} is missing.") from error

    async def _cancel(self, known: SignIn) -> SignIn:
        self._sign_in = cancelled = _ended_as(known, SignInStatus.CANCELLED)
        try:
            await self._ask(requests.sign_in_cancel(known.id))
        except Refusal:
            if self._sign_in is cancelled:
                self._sign_in = known
            raise
        return cancelled

    async def _sign_out(self) -> AgentAccount:
        await self._ask(requests.sign_out())
        return await self._read()

    async def _ended(self, params: Mapping[str, Any]) -> None:
        known = self._sign_in
        if known is None or known.id != params.get("loginId"):
            return
        if params.get("success") is True:
            self._sign_in = _ended_as(known, SignInStatus.COMPLETED)
        elif known.status is SignInStatus.WAITING:
            await self._failed(known, str(params.get("error") or WORDLESS))

    async def _failed(self, known: SignIn, reason: str) -> None:
        self._sign_in = _ended_as(known, SignInStatus.FAILED, reason)
        await self._tell(SignInFailed(host=self._host, reason=reason), self._bridge)

    async def _changed(self, kind: object, plan: object) -> None:
        """Tell who is signed in now, where that is another one than before."""
        now = (kind, plan if isinstance(plan, str) else None) if isinstance(kind, str) else None
        before, self._known = self._known, now
        if now is not None and now != before:
            await self._tell(SignedIn(host=self._host, kind=now[0], plan=now[1]), self._bridge)
        elif now is None and before is not None:
            await self._tell(SignedOut(host=self._host), self._bridge)

    async def _look(self) -> None:
        waited = self._sign_in
        try:
            account = await self._read()
        except Refusal as error:
            log.info("account.unread", host=self._host, reason=str(error))
            return
        kind = None if account.kind is None else account.kind.lower()
        if not self._was_read and kind is not None:
            self._known = (kind, account.plan)  # it was so before this server was there
        self._was_read = True
        await self._changed(kind, account.plan)
        if waited is None or waited is not self._sign_in:
            return
        if waited.status is not SignInStatus.WAITING:
            return
        if account.status is AccountStatus.SIGNED_IN:
            self._sign_in = _ended_as(waited, SignInStatus.COMPLETED)
        else:
            await self._failed(waited, "The connection to Codex was lost meanwhile. Sign in again.")

    async def _tell(self, event: EventData, actor: str) -> None:
        await self._storage.write(lambda tx: tx.emit(event, actor=actor))


def _ended_as(known: SignIn, status: SignInStatus, error: str | None = None) -> SignIn:
    """Return the attempt without its code, which is worth nothing any more."""
    return msgspec.structs.replace(
        known, status=status, error=error, user_code=None, verification_url=None
    )

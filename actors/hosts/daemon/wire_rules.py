"""The rules by which a server speaks to an app-server of a host that has a ceiling.

Each message is read: a request by `held_requests`, an answer by `held_answers`. Kept here is which
threads are known to be within the ceiling, as Codex itself has told.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from command_center.actors.codex import requests
from command_center.actors.hosts.daemon.ceiling import BeyondCeiling, Ceiling
from command_center.actors.hosts.daemon.held_answers import AnswerRules
from command_center.actors.hosts.daemon.held_requests import (
    KEEPS,
    LOSES,
    OF_A_THREAD,
    OPENS,
    PLAIN,
    RequestRules,
)

THREADS: Final = 10_000
"""Threads that are remembered to lie in the roots; beyond that they are looked at anew."""


class ThreadUnseen(Exception):
    """It is not known yet where a thread works; `look` asks Codex, and then it is said again."""

    def __init__(self, thread_id: str) -> None:
        """Name the thread."""
        super().__init__(thread_id)
        self.thread_id = thread_id


@attrs.define(eq=False)
class WireRules:
    """Rules for one connection. Those that look at the disk are for a thread."""

    ceiling: Ceiling
    home: Path
    _requests: RequestRules = attrs.field(init=False)
    _answers: AnswerRules = attrs.field(factory=AnswerRules)
    _confined: set[object] = attrs.field(factory=set)
    _opening: dict[str, str] = attrs.field(factory=dict)
    _look: str = attrs.field(factory=lambda: f"look-{secrets.token_hex(16)}")
    _looked_at: str | None = None
    _inside: dict[str, bool] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Judge requests by the same ceiling."""
        self._requests = RequestRules(self.ceiling, self.home)

    @property
    def is_opening(self) -> bool:
        """Return whether an answer is to come that tells of a folder."""
        return bool(self._opening) or self._looked_at is not None

    def outgoing(self, message: bytes) -> bytes:
        """Return a message as it may go to Codex.

        Raises:
            BeyondCeiling: it may not.
            ThreadUnseen: that is not known yet.
        """
        try:
            said = json.loads(message)
            # What is sent is what was read: Codex reads no name otherwise that stands twice.
            return json.dumps(self._checked(said)).encode()
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ):
            raise BeyondCeiling("what cannot be read") from None

    def look(self, thread_id: str) -> bytes:
        """Return the request that asks Codex where a thread works; its answer is for us alone."""
        self._looked_at = thread_id
        read = requests.thread_read(thread_id)
        asked = {"id": self._look, "method": read.method, "params": read.params}
        return json.dumps(asked).encode()

    def give_up_look(self) -> None:
        """Take a thread that Codex does not tell of for one that lies elsewhere."""
        if self._looked_at is not None:
            self._inside[self._looked_at] = False
            self._looked_at = None

    def incoming(self, message: bytes | str | Exception) -> bool:
        """Note what Codex asks and tells; return whether the message is for the server."""
        if isinstance(message, Exception):
            return True
        try:
            said = json.loads(message)
        except (ValueError, RecursionError):
            return True
        if not isinstance(said, dict) or "id" not in said:
            return True
        if "method" in said:
            self._answers.note(said)
        elif said["id"] == self._look:
            self._note_place(said.get("result") or {})
            return False
        elif self._opening.pop(_key(said["id"]), None) is not None:
            self._note_opened(said.get("result") or {})
        return True

    def _checked(self, said: Any) -> dict[str, Any]:
        if not isinstance(said, dict):
            raise BeyondCeiling("what is no message")
        if "method" not in said:
            return self._answers.held(said)
        strange = said.keys() - {"jsonrpc", "id", "method", "params"}
        if strange:
            raise BeyondCeiling(f"a request with {min(strange)[:60]}")
        method, params = said["method"], said.get("params") or {}
        if not isinstance(method, str) or not isinstance(params, dict):
            raise BeyondCeiling("what is no request")
        self._check_request(said, method, params)
        return said

    def _check_request(self, said: dict[str, Any], method: str, params: dict[str, Any]) -> None:
        """Check a request, and have one that opens a thread obey no file of a project."""
        if method.startswith("fs/read"):
            self._requests.check_rules_file(str(params.get("path")))
        elif method in OPENS:
            self._requests.check_params(method, params)
            said["params"] = self._requests.distrusted(params)
            self._opening[_key(said.get("id"))] = method
        elif method in OF_A_THREAD:
            self._requests.check_params(method, params)
            if params.get("threadId") not in self._confined:
                raise BeyondCeiling(f"{method} in a thread that may do more")
        elif method in KEEPS | LOSES:
            if method in LOSES:
                self.ceiling.check("write", f"Codex's {method}")
            self._check_place(method, str(params.get("threadId")))
        elif method not in PLAIN:
            raise BeyondCeiling(f"Codex's {method[:60]}")

    def _check_place(self, method: str, thread_id: str) -> None:
        if thread_id in self._confined:
            return
        if thread_id not in self._inside:
            raise ThreadUnseen(thread_id)
        if not self._inside[thread_id]:
            del self._inside[thread_id]  # it may be there the next time
            raise BeyondCeiling(f"{method} of a thread that works elsewhere")

    def _note_place(self, result: Mapping[str, Any]) -> None:
        """Note whether a thread that was looked at works in the roots."""
        thread = result.get("thread") or {}
        thread_id, self._looked_at = self._looked_at, None
        if thread_id is None:
            return
        while len(self._inside) >= THREADS:
            del self._inside[next(iter(self._inside))]
        try:
            self.ceiling.check_path(str(thread.get("cwd")))
            self._inside[thread_id] = thread.get("id") == thread_id
        except (BeyondCeiling, OSError, ValueError):
            self._inside[thread_id] = False

    def _note_opened(self, result: Mapping[str, Any]) -> None:
        """Note whether the turns of a thread are within the ceiling, as Codex tells it."""
        thread_id = str((result.get("thread") or {}).get("id"))
        try:
            self._requests.check_policy(result.get("sandbox") or {})
            for path in (result.get("cwd"), *(result.get("runtimeWorkspaceRoots") or ())):
                self.ceiling.check_path(str(path))
        except (BeyondCeiling, OSError, ValueError):
            self._confined.discard(thread_id)
        else:
            self._confined.add(thread_id)


def _key(value: Any) -> str:
    return json.dumps(value)

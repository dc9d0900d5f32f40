"""Codex of a host, held by its ceiling, whatever the server asks it for.

The server speaks with an app-server by JSON-RPC. Each message is read here: a method that is not
known is refused, and so is a thread or a turn that may do more than the ceiling. What Codex asks is
asked as ever, but without `escalation` nothing that would leave the sandbox is approved: the answer
becomes a refusal. Settings of a thread are taken if each is known to give no more.

With `escalation` all is let through, since a command outside of the sandbox can do all of it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import structlog
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import Codex, CodexProcess, Lease, Way, Wire
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.codex.versions import UNKNOWN_METHOD
from command_center.actors.contracts.project_configuration import ProjectConfiguration, ProjectFiles
from command_center.actors.hosts.daemon.ceiling import BeyondCeiling, Ceiling
from command_center.actors.hosts.local.codex.places import codex_home

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

REFUSED: Final = -32600
"""The code of the JSON-RPC error with which a request is refused (invalid request)."""

ASKED: Final = 1000
"""Open questions of Codex that are remembered."""

PLAIN: Final = frozenset(
    {
        *("initialize", "initialized", "thread/read", "thread/unsubscribe", "thread/revert"),
        *("thread/name/set", "thread/archive", "thread/unarchive", "thread/delete"),
        *("thread/loaded/list", "thread/list", "thread/turns/list", "turn/interrupt"),
        *("thread/backgroundTerminals/clean", "thread/backgroundTerminals/list"),
        *("thread/backgroundTerminals/terminate", "thread/goal/get", "thread/goal/clear"),
        *("thread/queue/list", "config/read", "model/list", "account/read"),
        *("account/rateLimits/read", "mcpServerStatus/list", "skills/list", "plugin/installed"),
        *("hooks/list", "permissionProfile/list", UNKNOWN_METHOD),
    }
)
"""Methods that let nothing be done; to the last, Codex answers which methods it knows."""

OF_A_THREAD: Final = frozenset(
    {
        *("turn/start", "turn/steer", "review/start", "thread/compact/start", "thread/goal/set"),
    }
)
"""Methods that have a thread do something: only in one that was opened within the ceiling."""

OPENS: Final = frozenset({"thread/start", "thread/resume", "thread/fork"})

_PARAMETERS: Final = frozenset(
    {
        *("threadId", "cwd", "runtimeWorkspaceRoots", "sandbox", "sandboxPolicy", "permissions"),
        *("approvalPolicy", "approvalsReviewer", "config", "model", "ephemeral", "excludeTurns"),
        *("lastTurnId", "input", "clientUserMessageId", "effort", "serviceTier", "personality"),
        *("collaborationMode", "outputSchema", "expectedTurnId", "target", "delivery"),
        *("objective", "status", "tokenBudget", "developerInstructions"),
    }
)
_RANKS: Final = ("readOnly", "workspaceWrite", "dangerFullAccess")
_MODES: Final = {
    "read-only": "readOnly",
    "workspace-write": "workspaceWrite",
    "danger-full-access": "dangerFullAccess",
}
_PROFILE: Final = re.compile(r"command-center-[0-9a-f]{16}")
_TOOLS: Final = frozenset(
    {
        *("features.apps", "features.hooks", "features.image_generation", "features.multi_agent"),
        *("features.plugins", "features.shell_tool", "features.sleep_tool"),
        *("features.unified_exec", "tools.view_image"),
    }
)
"""Settings that take a tool away; another feature may be what holds a sandbox."""
_DECLINES: Final = frozenset({"decline", "cancel"})


@attrs.frozen
class HeldCodex:
    """All of Codex's port; what is not refused is done by the `codex` behind it."""

    codex: Codex
    ceiling: Ceiling

    @property
    def settings(self) -> BridgeSettings:
        """Return which Codex it is."""
        return self.codex.settings

    @property
    def _is_free(self) -> bool:
        return "escalation" in self.ceiling.allows

    async def connect(self, nursery: trio.Nursery) -> Way:
        """Reach an app-server, over a wire that is held."""
        way = await self.codex.connect(nursery)
        if self._is_free:
            return way
        rules = WireRules(self.ceiling, codex_home(self.settings))
        return attrs.evolve(way, wire=HeldWire.over(way.wire, rules, nursery))

    async def start(
        self, arguments: Sequence[str], nursery: trio.Nursery, *, cwd: str
    ) -> CodexProcess:
        """Start `codex`, which is held by nothing but its arguments; so few are taken."""
        if not self._is_free and tuple(arguments) != ("mcp", "list", "--json"):
            raise WireClosed(str(BeyondCeiling(f"`codex {' '.join(arguments)[:60]}`")))
        await self._check_path(cwd)
        return await self.codex.start(arguments, nursery, cwd=cwd)

    async def listens_for_terminals(self) -> bool:
        """Say whether an app-server that is not ours can be joined; a held host joins none."""
        return self._is_free and await self.codex.listens_for_terminals()

    async def take_over(self) -> Lease | None:
        """Take over from former lives."""
        return await self.codex.take_over()

    async def end_own(self) -> None:
        """End the app-server of ours."""
        await self.codex.end_own()

    async def platform(self) -> str:
        """Name this system."""
        return await self.codex.platform()

    async def script_command(self, script: str, variables: Mapping[str, str]) -> Sequence[str]:
        """Return the command; nothing is run."""
        return await self.codex.script_command(script, variables)

    @asynccontextmanager
    async def file_of(self, content: bytes) -> AsyncIterator[str]:
        """Keep a file with that content."""
        async with self.codex.file_of(content) as path:
            yield path

    async def end_commands(self, thread_id: str, since: float) -> list[int]:
        """End the commands of a thread."""
        return await self.codex.end_commands(thread_id, since)

    async def is_written(self, home: str, thread_id: str) -> bool:
        """Say whether a process writes the thread."""
        return await self.codex.is_written(home, thread_id)

    async def project_files(self, cwd: Path, main: Path) -> ProjectFiles:
        """Say where Codex looks."""
        await self._check_path(cwd)
        await self._check_path(main)
        return await self.codex.project_files(cwd, main)

    async def read_configuration(self, cwd: Path, main: Path) -> ProjectConfiguration | None:
        """Read what a project configures."""
        await self._check_path(cwd)
        await self._check_path(main)
        return await self.codex.read_configuration(cwd, main)

    async def _check_path(self, path: str | Path) -> None:
        await trio.to_thread.run_sync(self.ceiling.check_path, path)


@attrs.frozen
class HeldWire:
    """A wire to an app-server that lets through what is within the ceiling."""

    wire: Wire
    rules: WireRules
    _come: trio.MemoryReceiveChannel[bytes | str | Exception]
    _add: trio.MemorySendChannel[bytes | str | Exception]

    @classmethod
    def over(cls, wire: Wire, rules: WireRules, nursery: trio.Nursery) -> HeldWire:
        """Hold a wire, whose messages are read in the nursery."""
        add, come = trio.open_memory_channel[bytes | str | Exception](1)
        held = cls(wire, rules, come, add)
        nursery.start_soon(held._read)
        return held

    @property
    def process_id(self) -> int | None:
        """Return the id of the child process behind the wire."""
        return self.wire.process_id

    async def send(self, message: bytes) -> None:
        """Send what is within the ceiling; what is not is answered with an error."""
        try:
            passed = await trio.to_thread.run_sync(self.rules.outgoing, message)
        except BeyondCeiling as refused:
            log.warning("host.beyond_ceiling", reason=str(refused))
            answer = _refusal(message, str(refused))
            if answer is not None:
                await self._add.send(answer)
            return
        await self.wire.send(passed)

    async def receive(self) -> bytes | str:
        """Return the next message, which may be a refusal of this host."""
        came = await self._come.receive()
        if isinstance(came, Exception):
            raise came
        return came

    async def aclose(self) -> None:
        """End the connection."""
        await self.wire.aclose()

    async def _read(self) -> None:
        while True:
            try:
                came: bytes | str | Exception = await self.wire.receive()
                if self.rules.is_opening:  # then its folder is looked at
                    await trio.to_thread.run_sync(self.rules.incoming, came)
                else:
                    self.rules.incoming(came)
            except WireClosed as closed:
                await self._add.send(closed)
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, who receives is told
                came = error
            await self._add.send(came)


@attrs.define(eq=False)
class WireRules:
    """Rules by which a server speaks to an app-server of a host that has a ceiling.

    Attributes:
        home: the folder of Codex's own settings.
    """

    ceiling: Ceiling
    home: Path
    _confined: set[object] = attrs.field(factory=set)
    _opening: dict[Any, str] = attrs.field(factory=dict)
    _asked: dict[Any, str] = attrs.field(factory=dict)

    @property
    def is_opening(self) -> bool:
        """Return whether the answer to a request that opens a thread is to come."""
        return bool(self._opening)

    def outgoing(self, message: bytes) -> bytes:
        """Return a message as it may go to Codex; raises `BeyondCeiling`."""
        try:
            return self._checked(json.loads(message))
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ):
            raise BeyondCeiling("what cannot be read") from None

    def _checked(self, said: Any) -> bytes:
        if not isinstance(said, dict):
            raise BeyondCeiling("what is no message")
        if "method" not in said:
            return self._answer(said)
        strange = said.keys() - {"jsonrpc", "id", "method", "params"}
        if strange:
            raise BeyondCeiling(f"a request with {min(strange)[:60]}")
        method, params = said["method"], said.get("params") or {}
        if not isinstance(method, str) or not isinstance(params, dict):
            raise BeyondCeiling("what is no request")
        if method.startswith("fs/read"):
            self._check_rules_file(str(params.get("path")))
        elif method in OPENS | OF_A_THREAD:
            self._check_params(method, params)
            if method in OPENS:
                said["params"] = self._distrusted(params)
                self._opening[_key(said.get("id"))] = method
        elif method not in PLAIN:
            raise BeyondCeiling(f"Codex's {method[:60]}")
        # What is sent is what was read: a name that stands twice is not read otherwise by Codex.
        return json.dumps(said).encode()

    def incoming(self, message: bytes | str | Exception) -> None:
        """Note what Codex asks, and which threads it has opened as they were asked for."""
        if isinstance(message, Exception):
            return
        try:
            said = json.loads(message)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        if "method" in said and "id" in said:
            while len(self._asked) >= ASKED:
                del self._asked[next(iter(self._asked))]
            self._asked[_key(said["id"])] = _name_of(said)
        elif "id" in said and self._opening.pop(_key(said["id"]), None) is not None:
            self._note_opened(said.get("result") or {})

    def _note_opened(self, result: Mapping[str, Any]) -> None:
        """Note whether the turns of a thread are within the ceiling, as Codex tells it."""
        thread_id = str((result.get("thread") or {}).get("id"))
        try:
            self._check_policy(result.get("sandbox") or {})
            for path in (result.get("cwd"), *(result.get("runtimeWorkspaceRoots") or ())):
                self.ceiling.check_path(str(path))
        except (BeyondCeiling, OSError, ValueError):
            self._confined.discard(thread_id)
        else:
            self._confined.add(thread_id)

    def _distrusted(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return parameters by which no file of a project is obeyed: some start programs."""
        folders = {*_trusted(self.home)}
        if params.get("cwd") is not None:
            cwd = Path(str(params["cwd"]))
            for one in (cwd, cwd.resolve()):
                folders |= {str(one), *map(str, one.parents)}
        projects = (params.get("config") or {}).get("projects") or {}
        for folder in sorted(folders):
            projects[folder] = {"trust_level": "untrusted"}
        if not projects:
            return params
        return {**params, "config": {**(params.get("config") or {}), "projects": projects}}

    def _check_params(self, method: str, params: dict[str, Any]) -> None:
        strange = params.keys() - _PARAMETERS
        if strange:
            raise BeyondCeiling(f"{method} with {min(strange)[:60]}")
        for path in (params.get("cwd"), *(params.get("runtimeWorkspaceRoots") or ())):
            if path is not None:
                self.ceiling.check_path(str(path))
        if params.get("approvalsReviewer") not in {None, "user"}:
            raise BeyondCeiling("a model that approves")
        for one in params.get("input") or ():
            if one.get("type") == "localImage":
                self.ceiling.check_path(str(one.get("path")))
            elif one.get("type") != "text":
                raise BeyondCeiling(f"input of type {str(one.get('type'))[:60]}")
        self._check_config(params.get("config") or {})
        is_held = self._check_sandbox(params)
        thread_id = params.get("threadId")
        if method == "turn/start" and not is_held:
            raise BeyondCeiling("a turn without a sandbox")
        if method in OF_A_THREAD and thread_id not in self._confined:
            raise BeyondCeiling(f"{method} in a thread that may do more")

    def _check_sandbox(self, params: Mapping[str, Any]) -> bool:
        """Check the sandbox that is asked for; answer whether one is."""
        policy = params.get("sandboxPolicy")
        mode = params.get("sandbox")
        profile = params.get("permissions")
        if mode is not None:
            self._check_rank(_MODES.get(str(mode), ""))
        if policy is not None:
            self._check_policy(policy)
        if profile is not None and _PROFILE.fullmatch(str(profile)) is None:
            raise BeyondCeiling(f"the permission profile {str(profile)[:60]}")
        return not mode is policy is profile is None

    def _check_policy(self, policy: Mapping[str, Any]) -> None:
        self._check_rank(str(policy.get("type")))
        if policy.get("networkAccess"):
            self.ceiling.check("network", "the network")
        for root in policy.get("writableRoots") or ():
            self.ceiling.check_path(str(root))

    def _check_rank(self, kind: str) -> None:
        if kind not in _RANKS or kind == "dangerFullAccess":
            raise BeyondCeiling(f"the sandbox {kind[:60]}")
        if kind == "workspaceWrite":
            self.ceiling.check("write", "changing files")

    def _check_config(self, config: Mapping[str, Any]) -> None:
        for name, value in config.items():
            if name.startswith("permissions.") and _PROFILE.fullmatch(name[12:]):
                self._check_profile(value)
            elif name == "sandbox_workspace_write.writable_roots":
                for root in value:
                    self.ceiling.check_path(str(root))
            elif name == "sandbox_workspace_write.network_access" and value:
                self.ceiling.check("network", "the network")
            elif not _is_harmless(name, value):
                raise BeyondCeiling(f"the setting {name[:60]}")

    def _check_profile(self, profile: Mapping[str, Any]) -> None:
        strange = profile.keys() - {"extends", "filesystem", "network"}
        if strange or profile.get("extends") not in {":read-only", ":workspace"}:
            raise BeyondCeiling("a permission profile of another kind")
        if profile["extends"] == ":workspace":
            self.ceiling.check("write", "changing files")
        if (profile.get("network") or {}) not in ({}, {"enabled": False}):
            self.ceiling.check("network", "the network")
        for path, access in (profile.get("filesystem") or {}).items():
            if access != "deny":
                self.ceiling.check("write", "changing files")
                self.ceiling.check_path(path)

    def _check_rules_file(self, path: str) -> None:
        """Let Codex's own rules be read, which say what is let out of the sandbox unasked."""
        found = Path(path).resolve()
        if self.home.resolve() not in found.parents or "rules" not in found.parts[-2:]:
            raise BeyondCeiling(f"reading {path[:200]}")

    def _answer(self, said: dict[str, Any]) -> bytes:
        """Return an answer to what Codex asked: an approval becomes a refusal.

        It is made anew: where an error and a result stand side by side, Codex takes the result.
        """
        method = self._asked.pop(_key(said.get("id")), None)
        if method is None:
            raise BeyondCeiling("an answer to what was not asked")
        answer: dict[str, Any] = {"id": said["id"]}
        result = said.get("result")
        if "error" in said or result is None:
            error = said.get("error")
            answer["error"] = error if isinstance(error, dict) else {"code": REFUSED, "message": ""}
        elif method.endswith("/requestApproval") or "Approval" in method:
            decision = result.get("decision") if isinstance(result, dict) else None
            if isinstance(decision, str) and decision in _DECLINES:
                answer["result"] = {"decision": decision}
            else:
                log.warning("host.beyond_ceiling", reason=f"{method} was declined by the ceiling.")
                answer |= _declined(method)
        else:
            answer["result"] = result
        return json.dumps(answer).encode()


def _is_harmless(name: str, value: Any) -> bool:
    """Say whether a setting of a thread takes something away, or gives nothing."""
    match name:
        case "projects":  # the files of one that is trusted start programs
            return all(one == {"trust_level": "untrusted"} for one in value.values())
        case "mcp_servers":
            return all(one == {"enabled": False} for one in value.values())
        case "features.goals" | "sandbox_workspace_write.network_access":
            return isinstance(value, bool)
        case "web_search":
            return bool(value == "disabled")
        case _:
            return name in _TOOLS and value is False


def _name_of(question: Mapping[str, Any]) -> str:
    """Return the name of what Codex asks; that of an approval says so."""
    method, params = str(question["method"]), question.get("params") or {}
    if "codex_approval_kind" in (params.get("_meta") or {}) or any(
        str(one.get("id")).startswith("mcp_tool_call_approval")
        for one in params.get("questions") or ()
    ):
        return f"{method}#toolApproval"
    return method


def _declined(method: str) -> dict[str, Any]:
    """Return what Codex is answered in the place of an approval."""
    match method.partition("#")[0]:
        case "mcpServer/elicitation/request":
            return {"result": {"action": "decline"}}
        case "item/tool/requestUserInput" | "item/permissions/requestApproval":
            told = str(BeyondCeiling("what a person approves there"))
            return {"error": {"code": REFUSED, "message": told}}
        case _:
            return {"result": {"decision": "decline"}}


def _trusted(home: Path) -> list[str]:
    """Name the folders of which the user has let Codex obey the files; raises `BeyondCeiling`."""
    try:
        told = tomllib.loads((home / "config.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        raise BeyondCeiling("a thread while Codex's config.toml cannot be read") from None
    projects = told.get("projects")
    return [*projects] if isinstance(projects, dict) else []


def _key(value: Any) -> str:
    return json.dumps(value)


def _refusal(message: bytes, reason: str) -> bytes | None:
    """Return the answer to a request that was refused; None where none is due."""
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or "id" not in said or "method" not in said:
        return None
    return json.dumps({"id": said["id"], "error": {"code": REFUSED, "message": reason}}).encode()

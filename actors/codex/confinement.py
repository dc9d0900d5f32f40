"""What a run lets Codex do, declared once for every way in which a thread is opened.

Codex takes it in three spellings: as the parameters of `thread/start` and `thread/resume`, as those
of `turn/start`, and as the options of `codex exec`. All three are made here, so that none of them
can leave out what another says. Whatever policy rests on is said explicitly and in both directions,
since Codex otherwise takes it from its user's configuration or from the repository's own files.

**Trust.** Codex obeys the `.codex` folders between a thread's folder and the top of its project
where it trusts them: their MCP servers are started outside of any sandbox, their rules let
commands out of it unasked. A thread that says nothing of trust is trusted for good: Codex writes
so into its user's `config.toml`. It looks trust up by each of those folders, then by the top of the
project, then by the main repository of a worktree, first by their real paths. A thread therefore
names all of them.

Sources: the app-server protocol as the binary prints it, and the configuration loader of Codex.
"""

from __future__ import annotations

import enum
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from command_center.actors.codex.errors import NotConfined


class Sandbox(enum.Enum):
    """What commands may do without being asked about."""

    READ_ONLY = "read-only"
    WORKSPACE_WRITE = "workspace-write"
    DANGER_FULL_ACCESS = "danger-full-access"


class AskFor(enum.Enum):
    """When Codex asks for approval."""

    UNTRUSTED = "untrusted"
    """Before every command that isn't known to be harmless."""
    ON_REQUEST = "on-request"
    """When the model wants to leave the sandbox."""
    NEVER = "never"


class Reviewer(enum.Enum):
    """Who decides what Codex asks."""

    USER = "user"
    """A person."""
    AUTO = "auto_review"
    """A model."""


_TIGHTEST = Sandbox.READ_ONLY


@attrs.frozen(kw_only=True)
class Confinement:
    """Everything that a run lets Codex do.

    Attributes:
        cwd: the folder that it works in.
        writable: folders beside `cwd` that commands may write to in the sandbox
            `workspace-write`. A git directory among them is not protected any more.
        projects: the paths by which Codex may look up whether it trusts the files in `cwd`;
            see `project_paths`.
        obeyed: the folders of files that Codex obeys where it trusts them; see `codex_folders`.
        trusts_project: whether Codex obeys the `.codex` folders there.
        goals: whether the model may set a goal, for which Codex begins turns by itself.
    """

    cwd: str
    sandbox: Sandbox
    ask_for: AskFor = AskFor.ON_REQUEST
    reviewer: Reviewer = Reviewer.USER
    allow_network: bool = False
    writable: tuple[str, ...] = ()
    projects: tuple[str, ...]
    obeyed: tuple[str, ...] = ()
    trusts_project: bool = False
    goals: bool = False

    def start_params(self) -> dict[str, Any]:
        """Spell it for `thread/start`."""
        return {
            "cwd": self.cwd,
            "runtimeWorkspaceRoots": [self.cwd],
            "sandbox": self.sandbox.value,
            "approvalPolicy": self.ask_for.value,
            "approvalsReviewer": self.reviewer.value,
            "config": self._overrides(),
        }

    def resume_params(self) -> dict[str, Any]:
        """Spell it for `thread/resume`: as tight as can be, until a turn says what it may do.

        Codex does not look at this where it has the thread in memory for another client, too. Of
        what it answers, `was_loaded` tells whether it has looked.
        """
        tight = {"sandbox": _TIGHTEST.value, "approvalPolicy": AskFor.UNTRUSTED.value}
        return {**self.start_params(), **tight}

    def turn_params(self) -> dict[str, Any]:
        """Spell it for `turn/start`, which changes it for that turn and those after it.

        What is in the thread's `config` alone cannot be changed by a turn.
        """
        return {
            "cwd": self.cwd,
            "runtimeWorkspaceRoots": [self.cwd],
            "approvalPolicy": self.ask_for.value,
            "approvalsReviewer": self.reviewer.value,
            "sandboxPolicy": self._sandbox_policy(),
        }

    def check_started(self, answer: Mapping[str, Any]) -> None:
        """Refuse a thread that Codex has started looser than it was asked to.

        Whoever manages the machine may demand settings of Codex, which then outweigh ours.

        Raises:
            NotConfined: it says which setting is another one.
        """
        for name, asked in (
            ("approvalPolicy", self.ask_for.value),
            ("approvalsReviewer", self.reviewer.value),
        ):
            if answer.get(name, asked) != asked:
                raise NotConfined(name, asked=asked, found=answer[name])
        asked_policy = self._sandbox_policy()
        if _is_looser(answer.get("sandbox", asked_policy), asked_policy):
            raise NotConfined("sandbox", asked=asked_policy, found=answer["sandbox"])

    def exec_options(self) -> tuple[str, ...]:
        """Spell it for `codex exec`, which asks for nothing whatever `ask_for` says.

        Its user's rules are left out, too: one that allows a command would let it out of the
        sandbox, and nobody would know.
        """
        settings = {
            "approval_policy": AskFor.NEVER.value,
            "approvals_reviewer": self.reviewer.value,
            **self._overrides(),
        }
        options = ["-C", self.cwd, "-s", self.sandbox.value, "--ignore-rules"]
        for key, value in settings.items():
            options += ["-c", f"{key}={_toml(value)}"]
        return tuple(options)

    def _overrides(self) -> dict[str, Any]:
        """What outweighs the user's configuration, and the repository's."""
        level = "trusted" if self.trusts_project else "untrusted"
        return {
            "projects": {path: {"trust_level": level} for path in self.projects},
            "features.goals": self.goals,
            "sandbox_workspace_write.network_access": self.allow_network,
            "sandbox_workspace_write.writable_roots": list(self.writable),
        }

    def _sandbox_policy(self) -> dict[str, Any]:
        match self.sandbox:
            case Sandbox.READ_ONLY:
                return {"type": "readOnly", "networkAccess": self.allow_network}
            case Sandbox.WORKSPACE_WRITE:
                return {
                    "type": "workspaceWrite",
                    "networkAccess": self.allow_network,
                    "writableRoots": list(self.writable),
                }
            case Sandbox.DANGER_FULL_ACCESS:
                return {"type": "dangerFullAccess"}


def _is_looser(found: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether a sandbox lets through what the other one does not."""
    ranks = ["readOnly", "workspaceWrite", "dangerFullAccess"]
    if found["type"] not in ranks:
        return True
    if ranks.index(found["type"]) != ranks.index(asked["type"]):
        return ranks.index(found["type"]) > ranks.index(asked["type"])
    beside = set(found.get("writableRoots") or ()) - set(asked.get("writableRoots") or ())
    network = bool(found.get("networkAccess")) and not asked.get("networkAccess")
    return network or bool(beside)


def was_loaded(answer: Mapping[str, Any]) -> bool:
    """Say by the answer to `thread/resume` whether Codex had the thread in memory as it was.

    Then its settings are those with which another client, or a former life of ours, loaded it.
    """
    sandbox = answer.get("sandbox") or {"type": "readOnly"}
    policy = answer.get("approvalPolicy", AskFor.UNTRUSTED.value)
    return (sandbox["type"], policy) != ("readOnly", AskFor.UNTRUSTED.value)


def project_paths(cwd: Path, main: Path) -> tuple[str, ...]:
    """Return the paths by which Codex may look up whether it trusts the files in `cwd`.

    Those are `cwd` and the folders above it up to the top of its checkout, and the `main` checkout
    of the repository; each as given and as it really is. Looks at the disk.
    """
    found: dict[str, None] = {}
    for start in (cwd, real_path(cwd)):
        for folder in _up_to_checkout(start):
            found |= dict.fromkeys((_key(folder), _key(real_path(folder))))
    return tuple(found | dict.fromkeys((_key(main), _key(real_path(main)))))


def codex_folders(cwd: Path, main: Path) -> tuple[str, ...]:
    """Return the `.codex` folders that Codex obeys in `cwd` where it trusts them.

    Those lie in `cwd` and above it, up to the top of its checkout; of a worktree, the hooks are
    those of the `main` checkout.
    """
    places = [*_up_to_checkout(real_path(cwd)), real_path(main)]
    found = (place / ".codex" for place in places)
    return tuple(dict.fromkeys(str(folder) for folder in found if os.path.lexists(folder)))


def real_path(path: Path) -> Path:
    """Return the path without links, and in the letters that the disk has for it."""
    real = os.path.realpath(path)
    if sys.platform != "darwin":
        return Path(real)
    else:  # noqa: RET505 - mypy knows the platform only so
        import fcntl  # noqa: PLC0415 - Windows has none

        try:
            descriptor = os.open(real, os.O_RDONLY)
        except OSError:
            return Path(real)
        try:
            spelt = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024))
        finally:
            os.close(descriptor)
        return Path(os.fsdecode(spelt.rstrip(b"\0")))


def _up_to_checkout(folder: Path) -> Iterator[Path]:
    """The folder and those above it, up to the first that has a `.git`; alone where none has."""
    folders = [folder, *folder.parents]
    tops = [number for number, one in enumerate(folders) if os.path.lexists(one / ".git")]
    yield from folders[: tops[0] + 1 if tops else 1]


def _key(path: Path) -> str:
    """A path as Codex looks it up, which compares them in small letters on Windows."""
    return str(path).lower() if sys.platform == "win32" else str(path)


def _toml(value: Any) -> str:
    """A value in TOML, which spells texts, numbers and lists as JSON does, but for one character.

    A text may hold no surrogates.
    """
    if isinstance(value, Mapping):
        pairs = (f"{_toml(key)} = {_toml(one)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

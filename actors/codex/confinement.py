"""The confinement of a run, declared once for every way in which a thread is opened.

Codex takes it in three spellings: as the parameters of `thread/start` and `thread/resume`, as those
of `turn/start`, and as the options of `codex exec`. All three are made here, so that none of them
can leave out what another says. Whatever policy rests on is said explicitly and in both directions,
since Codex otherwise takes it from its user's configuration or from the repository's own files.

**Trust.** Codex obeys the `.codex` folders of a project that it trusts: their MCP servers are
started outside of any sandbox, their rules let commands out of it unasked. A thread that says
nothing of trust is trusted for good: Codex writes so into its user's `config.toml`. A thread
therefore says it, by all the paths by which Codex may look it up.

Source: the app-server protocol as the binary prints it.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from command_center.actors.codex.errors import NotConfined, ProfileTooWide, ProjectTouched


class Sandbox(enum.Enum):
    """The things that commands may do without being asked about."""

    READ_ONLY = "read-only"
    WORKSPACE_WRITE = "workspace-write"
    DANGER_FULL_ACCESS = "danger-full-access"


class AskFor(enum.Enum):
    """The moments at which Codex asks for approval."""

    UNTRUSTED = "untrusted"
    """Before every command that isn't known to be harmless."""
    ON_REQUEST = "on-request"
    """Codex asks when the model wants to leave the sandbox."""
    NEVER = "never"


class Reviewer(enum.Enum):
    """The one who decides what Codex asks."""

    USER = "user"
    """A person."""
    AUTO = "auto_review"
    """A model."""


_TIGHTEST = Sandbox.READ_ONLY

_OF_SHELLS = "command-center-terminal"
"""The permission profile of people's terminals, which nobody else knows."""


@attrs.frozen(kw_only=True)
class Confinement:
    """Everything that a run lets Codex do.

    Attributes:
        cwd: the folder that it works in.
        writable: folders beside `cwd` that commands may write to in the sandbox
            `workspace-write`. A git directory among them is not protected any more.
        projects: the paths by which Codex may look up whether it trusts the files in `cwd`;
            see `project_configuration`.
        obeyed: the `.codex` folders that it obeys there, if it trusts them.
        trusts_project: whether it does.
        stamp: names what lies in those folders, down to when it was touched.
        servers_off: the MCP servers that are not started; Codex refuses one that it does not know.
        goals: whether the model may set a goal, for which Codex begins turns by itself.
        profile: the permission profile that holds commands in the place of `sandbox`, of which it
            may give no more. Codex takes either alone, and tells what a profile gives.
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
    stamp: str | None = None
    goals: bool = False
    servers_off: tuple[str, ...] = ()
    profile: str | None = None

    def start_params(self) -> dict[str, Any]:
        """Spell it for `thread/start`."""
        return {
            "cwd": self.cwd,
            "runtimeWorkspaceRoots": [self.cwd],
            **self._held_by({"sandbox": self.sandbox.value}),
            "approvalPolicy": self.ask_for.value,
            "approvalsReviewer": self.reviewer.value,
            "config": {**self._overrides(), **self._server_overrides()},
        }

    def among(self, servers: Collection[str]) -> Confinement:
        """Return the same, of whose servers only those are named that Codex knows."""
        known = tuple(name for name in self.servers_off if name in servers)
        return attrs.evolve(self, servers_off=known)

    def _server_overrides(self) -> dict[str, Any]:
        if not self.servers_off:
            return {}
        return {"mcp_servers": {name: {"enabled": False} for name in self.servers_off}}

    def resume_params(self) -> dict[str, Any]:
        """Spell it for `thread/resume`: as tight as can be, until a turn says what it may do.

        Codex does not look at this where it has the thread in memory for another client, too. Of
        what it answers, `was_loaded` tells whether it has looked.
        """
        tight = {"sandbox": _TIGHTEST.value, "approvalPolicy": AskFor.UNTRUSTED.value}
        return {**attrs.evolve(self, profile=None).start_params(), **tight}

    def turn_params(self) -> dict[str, Any]:
        """Spell it for `turn/start`, which changes it for that turn and those after it.

        What is in the thread's `config` alone cannot be changed by a turn.
        """
        return {
            "cwd": self.cwd,
            "runtimeWorkspaceRoots": [self.cwd],
            "approvalPolicy": self.ask_for.value,
            "approvalsReviewer": self.reviewer.value,
            **self._held_by({"sandboxPolicy": self._sandbox_policy()}),
        }

    def _held_by(self, sandbox: Mapping[str, Any]) -> Mapping[str, Any]:
        return sandbox if self.profile is None else {"permissions": self.profile}

    def check_started(self, answer: Mapping[str, Any]) -> None:
        """Refuse a thread that Codex has started looser than it was asked to.

        Whoever manages the machine may demand settings of Codex, which then outweigh ours.

        Raises:
            NotConfined: it says which setting is another one.
            ProfileTooWide: the profile gives more than the sandbox.
        """
        for name, asked in (
            ("approvalPolicy", self.ask_for.value),
            ("approvalsReviewer", self.reviewer.value),
        ):
            if answer.get(name, asked) != asked:
                raise NotConfined(name, asked=asked, found=answer[name])
        asked_policy = self._sandbox_policy()
        if self.profile is not None:
            found = (answer.get("activePermissionProfile") or {}).get("id")
            if found != self.profile:
                raise NotConfined("permissions", asked=self.profile, found=found)
            if _is_looser(answer["sandbox"], asked_policy):
                raise ProfileTooWide(self.profile, asked=asked_policy, found=answer["sandbox"])
        if _is_looser(answer.get("sandbox", asked_policy), asked_policy):
            raise NotConfined("sandbox", asked=asked_policy, found=answer["sandbox"])

    def check_managed(self, layers: Sequence[Mapping[str, Any]]) -> None:
        """Refuse where the machine's managed configuration trusts the project's files, unlike this.

        It outweighs what a client asks for. `layers` are those that Codex reads its settings from.

        Raises:
            NotConfined: it names the folder that is trusted.
        """
        if self.trusts_project or not self.obeyed:
            return
        for layer in layers:
            if str((layer.get("name") or {}).get("type")).startswith("legacyManagedConfig"):
                projects = (layer.get("config") or {}).get("projects") or {}
                for path in self.projects:
                    level = (projects.get(path) or {}).get("trust_level")
                    if level == "trusted":
                        setting = f"projects.{path}.trust_level"
                        raise NotConfined(setting, asked="untrusted", found=level)

    def exceeded_by(self, settings: Mapping[str, Any]) -> str | None:
        """Say which settings of a thread let its next turns do more; None if none does.

        They are as `thread/settings/updated` tells them.
        """
        policy = settings["sandboxPolicy"]
        profile = (settings.get("activePermissionProfile") or {}).get("id")
        is_tightest = profile is None and policy["type"] == "readOnly"
        if profile != self.profile and not is_tightest:
            return f"permissions {profile}"
        if _is_looser(policy, self._sandbox_policy()):
            return f"sandbox {policy['type']}"
        if settings["cwd"] != self.cwd:
            return f"cwd {settings['cwd']}"
        if settings["approvalsReviewer"] not in {Reviewer.USER.value, self.reviewer.value}:
            return f"approvalsReviewer {settings['approvalsReviewer']}"
        return None

    def exec_options(self) -> tuple[str, ...]:
        """Spell it for `codex exec`, which asks nobody, whatever `ask_for` and `reviewer` say.

        Its user's rules are left out, too: one that allows a command would let it out of the
        sandbox, and nobody would know.
        """
        settings = {
            "approval_policy": AskFor.NEVER.value,
            "approvals_reviewer": Reviewer.USER.value,
            **self._overrides(),
            **{f"mcp_servers.{name}.enabled": False for name in self.servers_off},
        }
        options = ["-C", self.cwd, "-s", self.sandbox.value, "--ignore-rules"]
        for key, value in settings.items():
            options += ["-c", f"{key}={_toml(value)}"]
        return tuple(options)

    def sandbox_options(self) -> tuple[str, ...]:
        """Spell it for `codex sandbox`, before the command that is to be held."""
        options = ["sandbox"]
        for key, value in {"sandbox_mode": self.sandbox.value, **self._overrides()}.items():
            options += ["-c", f"{key}={_toml(value)}"]
        return (*options, "--")

    def shell_options(self, hidden: Sequence[str]) -> tuple[str, ...]:
        """Spell it for `codex sandbox`, where besides nothing is read of what is `hidden`.

        No sandbox says that, but a permission profile does: the one of the sandbox, and more. What
        the machine's managed configuration demands holds as well.
        """
        writes = self.sandbox is Sandbox.WORKSPACE_WRITE
        folders = dict.fromkeys(hidden, "deny")
        if writes:
            folders |= dict.fromkeys(self.writable, "write")
        profile = {
            "extends": ":workspace" if writes else ":read-only",
            "filesystem": folders,
            "network": {"enabled": self.allow_network},
        }
        settings = {**self._overrides(), f"permissions.{_OF_SHELLS}": profile}
        options = ["sandbox", "--include-managed-config", "-P", _OF_SHELLS]
        for key, value in settings.items():
            options += ["-c", f"{key}={_toml(value)}"]
        return (*options, "--")

    def _overrides(self) -> dict[str, Any]:
        """Return what outweighs the user's configuration, and the repository's."""
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
    """Return whether a sandbox lets through what the other one does not."""
    ranks = ["readOnly", "workspaceWrite", "dangerFullAccess"]
    if found["type"] not in ranks:
        return True
    if ranks.index(found["type"]) != ranks.index(asked["type"]):
        return ranks.index(found["type"]) > ranks.index(asked["type"])
    beside = set(found.get("writableRoots") or ()) - set(asked.get("writableRoots") or ())
    network = bool(found.get("networkAccess")) and not asked.get("networkAccess")
    return network or bool(beside)


def check_untouched(opened: Confinement | None, now: Confinement) -> None:
    """See that the files that Codex obeys in a thread are still those that a person has trusted.

    Whoever works in the same repository can change them, just before Codex reads them.

    Raises:
        ProjectTouched: they were touched since the thread was opened, or are trusted no more.
    """
    if opened is None or not opened.trusts_project:
        return
    if not now.trusts_project or now.stamp != opened.stamp:
        raise ProjectTouched(now.obeyed)


def was_loaded(answer: Mapping[str, Any]) -> bool:
    """Say by the answer to `thread/resume` whether Codex had the thread in memory as it was.

    Then its settings are those with which another client, or a former life of ours, loaded it.
    """
    sandbox = answer.get("sandbox") or {"type": "readOnly"}
    policy = answer.get("approvalPolicy", AskFor.UNTRUSTED.value)
    return (sandbox["type"], policy) != ("readOnly", AskFor.UNTRUSTED.value)


def _toml(value: Any) -> str:
    """Spell a value in TOML, whose texts, numbers and lists are JSON's, but for one character.

    A text may hold no surrogates.
    """
    if isinstance(value, Mapping):
        pairs = (f"{_toml(key)} = {_toml(one)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

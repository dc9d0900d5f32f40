"""The confinement of a run, declared once for every way in which a thread is opened.

Codex takes it in three spellings: as the parameters of `thread/start` and `thread/resume`, as those
of `turn/start`, and as the options of `codex exec`. All three are made here, so that none of them
can leave out what another says. Whatever policy rests on is said explicitly and in both directions,
since Codex otherwise takes it from its user's configuration or from the repository's own files.

**Hiding.** No sandbox keeps a command from reading a file, but a permission profile does: the one
of the sandbox, and more. Codex learns of it as the thread is loaded, and the turn names it. Its
name tells what it says, so that a thread that was loaded with another one does not know it.

**Trust.** Codex obeys the `.codex` folders of a project that it trusts: their MCP servers are
started outside of any sandbox, their rules let commands out of it unasked. A thread that says
nothing of trust is trusted for good: Codex writes so into its user's `config.toml`. A thread
therefore says it, by all the paths by which Codex may look it up.

Source: the app-server protocol as the binary prints it.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from command_center.actors.codex.errors import NotConfined, ProfileTooWide, ProjectTouched
from command_center.actors.codex.mcp_servers import ConfiguredServer, switched_off


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

_PROFILE = "command-center-"
"""Begins the name of each permission profile that is made here, which ends with what it says."""

_NO_SANDBOX = ":danger-full-access"
"""Codex's own profile that holds nothing, to which no other one can be added."""


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
        own_urls: the addresses of Command Center, whose own server may have another name.
        goals: whether the model may set a goal, for which Codex begins turns by itself.
        profile: the permission profile that holds commands in the place of `sandbox`, of which it
            may give no more. Codex takes either alone, and tells what a profile gives.
        hidden: files and folders that no command reads, unless nothing holds it at all.
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
    own_urls: tuple[str, ...] = ()
    profile: str | None = None
    hidden: tuple[str, ...] = ()

    @property
    def hides(self) -> bool:
        """Say whether commands are held by a profile that is made here."""
        is_held = self.sandbox is not Sandbox.DANGER_FULL_ACCESS and self.profile != _NO_SANDBOX
        return bool(self.hidden) and is_held

    @property
    def named_profile(self) -> str | None:
        """Return the name of the permission profile that holds commands; None for a sandbox."""
        if not self.hides:
            return self.profile
        digest = hashlib.sha256(_toml(self._made_profile()).encode("utf-8", "surrogateescape"))
        return f"{_PROFILE}{digest.hexdigest()[:16]}"

    def _made_profile(self) -> dict[str, Any]:
        """Spell the sandbox, or the profile that was chosen, with what is hidden."""
        hidden: dict[str, str] = dict.fromkeys(self.hidden, "deny")
        if self.profile is not None:
            return {"extends": self.profile, "filesystem": hidden}
        writes = self.sandbox is Sandbox.WORKSPACE_WRITE
        writable = dict.fromkeys(self.writable, "write") if writes else {}
        return {
            "extends": ":workspace" if writes else ":read-only",
            "filesystem": {**hidden, **writable},
            "network": {"enabled": self.allow_network},
        }

    def profile_overrides(self) -> dict[str, Any]:
        """Return the settings that tell Codex of the profile that is made here, if one is."""
        if not self.hides:
            return {}
        return {f"permissions.{self.named_profile}": self._made_profile()}

    def start_params(self) -> dict[str, Any]:
        """Spell it for `thread/start`."""
        return {
            "cwd": self.cwd,
            "runtimeWorkspaceRoots": [self.cwd],
            **self._held_by({"sandbox": self.sandbox.value}),
            "approvalPolicy": self.ask_for.value,
            "approvalsReviewer": self.reviewer.value,
            "config": {
                **self._overrides(),
                **self.profile_overrides(),
                **self._server_overrides(),
            },
        }

    def among(self, servers: Iterable[ConfiguredServer]) -> Confinement:
        """Return the same, of whose servers those are named that Codex knows."""
        off = switched_off(self.servers_off, servers, self.own_urls)
        return attrs.evolve(self, servers_off=off)

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
        params = {**self.start_params(), **tight}
        params.pop("permissions", None)
        return params

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
        return sandbox if self.named_profile is None else {"permissions": self.named_profile}

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
        if self.named_profile is not None:
            found = (answer.get("activePermissionProfile") or {}).get("id")
            if found != self.named_profile:
                raise NotConfined("permissions", asked=self.named_profile, found=found)
        if self.profile is not None and _is_looser(answer["sandbox"], asked_policy):
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
        active = settings.get("activePermissionProfile") or {}
        profile = active.get("id")
        is_tightest = profile is None and policy["type"] == "readOnly"
        if profile != self.named_profile and not is_tightest and not self._is_made_here(active):
            return f"permissions {profile}"
        if _is_looser(policy, self._sandbox_policy()):
            return f"sandbox {policy['type']}"
        if settings["cwd"] != self.cwd:
            return f"cwd {settings['cwd']}"
        if settings["approvalsReviewer"] not in {Reviewer.USER.value, self.reviewer.value}:
            return f"approvalsReviewer {settings['approvalsReviewer']}"
        return None

    def _is_made_here(self, active: Mapping[str, Any]) -> bool:
        """Say whether a profile is of the kind that this makes, whatever else it hides."""
        made = self._made_profile()["extends"]
        is_ours = str(active.get("id")).startswith(_PROFILE)
        return self.hides and is_ours and active.get("extends") == made

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
        options = ["-C", self.cwd, "--ignore-rules"]
        held = attrs.evolve(self, profile=None)
        if held.hides:
            settings |= {"default_permissions": held.named_profile, **held.profile_overrides()}
        else:
            options += ["-s", self.sandbox.value]
        return (*options, *_options(settings))

    def sandbox_options(self) -> tuple[str, ...]:
        """Spell it for `codex sandbox`, before the command that is to be held.

        A profile that was chosen holds none, since nobody has seen yet what it gives. What the
        machine's managed configuration demands holds where things are hidden.
        """
        held = attrs.evolve(self, profile=None)
        if held.hides and held.named_profile is not None:
            settings = {**self._overrides(), **held.profile_overrides()}
            options = ("sandbox", "--include-managed-config", "-P", held.named_profile)
            return (*options, *_options(settings), "--")
        settings = {"sandbox_mode": self.sandbox.value, **self._overrides()}
        return ("sandbox", *_options(settings), "--")

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


def _options(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        yield from ("-c", f"{key}={_toml(value)}")


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

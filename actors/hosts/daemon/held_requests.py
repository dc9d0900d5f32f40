"""The requests by which a server may have Codex do something on a host that has a ceiling.

A method that is not known is refused, and so is a thread or a turn that may do more than the
ceiling. Settings of a thread are taken if each is known to give no more.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from command_center.actors.codex.versions import UNKNOWN_METHOD
from command_center.actors.hosts.daemon.ceiling import (
    BeyondCeiling,
    Ceiling,
    has_hooks,
    is_in_git_directory,
)

PLAIN: Final = frozenset(
    {
        *("initialize", "initialized", "thread/read", "thread/unsubscribe"),
        *("thread/loaded/list", "thread/list", "thread/turns/list", "turn/interrupt"),
        *("thread/backgroundTerminals/clean", "thread/backgroundTerminals/list"),
        *("thread/backgroundTerminals/terminate", "thread/goal/get"),
        *("thread/queue/list", "config/read", "model/list", "account/read"),
        *("account/rateLimits/read", "mcpServerStatus/list", "skills/list", "plugin/installed"),
        *("hooks/list", "permissionProfile/list", UNKNOWN_METHOD),
    }
)
"""Methods that let nothing be done; to the last, Codex answers which methods it knows.

Only turns of an app-server of ours can be ended, since a held host joins no other one.
"""

KEEPS: Final = frozenset(
    {"thread/name/set", "thread/archive", "thread/unarchive", "thread/goal/clear"}
)
LOSES: Final = frozenset({"thread/delete", "thread/revert"})
"""Methods by which something that was said is lost; those of `KEEPS` change what can be changed
back. All are for threads of the roots alone."""

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


@attrs.frozen
class RequestRules:
    """Rules for requests; all of them raise `BeyondCeiling`, and look at the disk.

    Attributes:
        home: the folder of Codex's own settings.
    """

    ceiling: Ceiling
    home: Path

    def distrusted(self, params: dict[str, Any]) -> dict[str, Any]:
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

    def check_params(self, method: str, params: dict[str, Any]) -> None:
        """Check what a thread or a turn is to be given."""
        strange = params.keys() - _PARAMETERS
        if strange:
            raise BeyondCeiling(f"{method} with {min(strange)[:60]}")
        for path in (params.get("cwd"), *(params.get("runtimeWorkspaceRoots") or ())):
            if path is not None:
                self._check_root(str(path))
        if params.get("approvalsReviewer") not in {None, "user"}:
            raise BeyondCeiling("a model that approves")
        for one in params.get("input") or ():
            if one.get("type") == "localImage":
                self.ceiling.check_path(str(one.get("path")))
            elif one.get("type") != "text":
                raise BeyondCeiling(f"input of type {str(one.get('type'))[:60]}")
        self._check_config(params.get("config") or {})
        is_held = self._check_sandbox(params)
        if method == "turn/start" and not is_held:
            raise BeyondCeiling("a turn without a sandbox")

    def _check_sandbox(self, params: Mapping[str, Any]) -> bool:
        """Check the sandbox that is asked for; answer whether one is."""
        policy = params.get("sandboxPolicy")
        mode = params.get("sandbox")
        profile = params.get("permissions")
        if mode is not None:
            self._check_rank(_MODES.get(str(mode), ""))
        if policy is not None:
            self.check_policy(policy)
        if profile is not None and _PROFILE.fullmatch(str(profile)) is None:
            raise BeyondCeiling(f"the permission profile {str(profile)[:60]}")
        return not mode is policy is profile is None

    def check_policy(self, policy: Mapping[str, Any]) -> None:
        """Check a sandbox, as Codex tells of it."""
        self._check_rank(str(policy.get("type")))
        if policy.get("networkAccess"):
            self.ceiling.check("network", "the network")
        for root in policy.get("writableRoots") or ():
            self._check_root(str(root))

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
                    self._check_root(str(root))
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
                self._check_root(path)

    def _check_root(self, path: str) -> None:
        """Check a folder in which a turn may write: who may not commit has no git directory.

        In one, commits could be made without git, and hooks that the user's own git runs. So who
        may commit has what a commit in a worktree needs of it, and all only with an escalation.
        """
        self.ceiling.check_path(path)
        found = Path(path).resolve()
        if is_in_git_directory(found):
            self.ceiling.check("commit", "work in a git directory")
            if has_hooks(found):
                self.ceiling.check("escalation", "work in a whole git directory, with its hooks")

    def check_rules_file(self, path: str) -> None:
        """Let Codex's own rules be read, which say what is let out of the sandbox unasked."""
        found = Path(path).resolve()
        if self.home.resolve() not in found.parents or "rules" not in found.parts[-2:]:
            raise BeyondCeiling(f"reading {path[:200]}")


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

"""The extensions of a host's agent: MCP servers, skills, plugins and hooks of its user."""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs
import msgspec

from command_center.actors.rules.lengths import Name, PathText
from command_center.runtime import Address, Request
from command_center.store import Page
from command_center.store.records import LOCAL


class ServerTool(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tool of an MCP server; what the server does not say of it is None."""

    name: str
    title: str | None = None
    description: str | None = None
    is_read_only: bool | None = None
    is_destructive: bool | None = None


class McpServer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An MCP server that the agent's user has set up, or that a plugin brings.

    Attributes:
        sign_in: in the agent's own words, such as `notLoggedIn`, `oAuth` or `unsupported`.
        error: why its tools are not known.
        origin: of its address; None where it is a program.
        leads_here: it is Command Center's own, whatever its name: `command_center` turns it off.
    """

    name: str
    sign_in: str
    tools: list[ServerTool]
    error: str | None = None
    origin: str | None = None
    plugin: str | None = None
    leads_here: bool = False


class Skill(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A skill: instructions, and programs beside them, that the agent may choose to follow.

    Attributes:
        scope: where it comes from, in the agent's own words, such as `user`, `repo` or `system`.
    """

    name: str
    description: str
    path: str
    scope: str
    is_enabled: bool
    plugin: str | None = None


class Plugin(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A plugin, which may bring skills, hooks and MCP servers."""

    id: str
    name: str
    marketplace: str
    is_installed: bool
    is_enabled: bool
    description: str | None = None
    version: str | None = None


class Hook(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that the agent runs by itself at an event of its own, outside of any sandbox.

    Attributes:
        runs: the command, or the tool of a server; None for a prompt.
        matcher: what it is limited to; None for all of its event.
        source: where it comes from, in the agent's own words, such as `user` or `project`.
        trust: whether its user has trusted it, in the agent's own words.
    """

    event: str
    type: str
    runs: str | None = None
    matcher: str | None = None
    source: str
    path: str
    is_enabled: bool
    is_managed: bool
    trust: str
    plugin: str | None = None


class PermissionProfile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A set of permissions that the agent's terminal can be started with, by its name there.

    Attributes:
        is_allowed: whether whoever manages the machine lets it be chosen.
    """

    id: str
    is_allowed: bool
    description: str | None = None


class Extensions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The skills, plugins, hooks and permission profiles of a host's agent.

    Attributes:
        problems: what could not be read, and why.
    """

    host: str
    skills: list[Skill]
    plugins: list[Plugin]
    hooks: list[Hook]
    profiles: list[PermissionProfile]
    problems: list[str]


class ServerOrder(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An order about an MCP server of a host's agent."""

    host: Name = LOCAL
    requested_by: Name = "api"


class ServerSignIn(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The page on which a person signs an MCP server in.

    It leads back to the machine of the agent, so it is to be opened there.
    """

    host: str
    server: str
    authorization_url: str


class SkillSwitch(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A skill that is to be followed from now on, or no more, in all that the agent does."""

    path: PathText
    is_enabled: bool
    host: Name = LOCAL
    requested_by: Name = "api"


class SkillState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A skill as it is switched now."""

    path: str
    is_enabled: bool


@attrs.frozen
class ListServers(Request[Page[McpServer]]):
    """Ask for the MCP servers, and for what each offers; the agent starts those that it must."""

    cursor: str | None
    limit: int | None


@attrs.frozen
class ListExtensions(Request[Extensions]):
    """Ask for what there is in a folder; None for what is the user's anywhere."""

    cwd: str | None


@attrs.frozen
class BeginServerSignIn(Request[ServerSignIn]):
    """Ask for the page by which a server is signed in."""

    server: str
    requested_by: str


@attrs.frozen
class SwitchSkill(Request[SkillState]):
    """Have a skill followed, or not."""

    wanted: SkillSwitch


ExtensionsMessage: TypeAlias = ListServers | ListExtensions | BeginServerSignIn | SwitchSkill

EXTENSIONS: Final = "/extensions"
"""The path of the supervisor of what extends the hosts' agents."""


def extensions_on(host: str) -> Address[ExtensionsMessage]:
    """Return the address of the actor that looks after what extends a host's agent."""
    return Address(f"{EXTENSIONS}/{host}")

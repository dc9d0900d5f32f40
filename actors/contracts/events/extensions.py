"""Events of what extends agents."""

from __future__ import annotations

from command_center.store import EventData


class ServerSignInBegun(EventData, frozen=True, kw_only=True, tag="mcp.sign_in_begun"):
    """Somebody began to sign an MCP server of a host's agent in."""

    host: str
    server: str


class ServerSignedIn(EventData, frozen=True, kw_only=True, tag="mcp.signed_in"):
    """An MCP server is signed in; by us or by another client of the agent."""

    host: str
    server: str


class ServerSignInFailed(EventData, frozen=True, kw_only=True, tag="mcp.sign_in_failed"):
    """Nobody was signed in to an MCP server by that; `reason` says why."""

    host: str
    server: str
    reason: str


class SkillSwitched(EventData, frozen=True, kw_only=True, tag="skill.switched"):
    """Somebody had a skill followed from then on, or no more, in all that the agent does."""

    host: str
    path: str
    is_enabled: bool

"""Reads what Codex says of its MCP servers, skills, plugins, hooks and profiles.

What lacks a name, or is of another shape, is left out; a text that Codex may have from anywhere is
cut to what a list shows. Secrets are taken out of what hooks run, and of all such texts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from command_center.actors.codex.accounts import typed
from command_center.actors.contracts.extensions import (
    Hook,
    McpServer,
    PermissionProfile,
    Plugin,
    ServerTool,
    Skill,
)
from command_center.store.redaction.redact import redact

SIGN_IN_ENDED: Final = "mcpServer/oauthLogin/completed"
"""The notification that an attempt to sign a server in has ended."""

MOST_TOOLS: Final = 100
"""Tools of a server that are listed."""

LONGEST: Final = 300
"""Characters of a description."""


def servers_from(answer: Mapping[str, Any], own: Collection[str] = ()) -> list[McpServer]:
    """Read the answer to `mcpServerStatus/list`; those named `own` are Command Center's."""
    return [
        McpServer(
            name=str(one["name"]),
            sign_in=str(one.get("authStatus") or "unknown"),
            tools=[_tool(name, tool) for name, tool in _tools(one)[:MOST_TOOLS]],
            error=_short(one.get("toolsError")),
            origin=typed(one.get("httpOrigin"), str),
            plugin=typed(one.get("pluginId"), str),
            leads_here=str(one["name"]) in own,
        )
        for one in _each(answer, "data", "name")
    ]


def _tools(server: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    found = typed(server.get("tools"), dict) or {}
    return sorted((str(name), tool) for name, tool in found.items() if isinstance(tool, dict))


def _tool(name: str, tool: Mapping[str, Any]) -> ServerTool:
    hints = typed(tool.get("annotations"), dict) or {}
    reads, destroys = hints.get("readOnlyHint"), hints.get("destructiveHint")
    return ServerTool(
        name=name,
        title=_short(tool.get("title") or hints.get("title")),
        description=_short(tool.get("description")),
        is_read_only=reads if isinstance(reads, bool) else None,
        is_destructive=destroys if isinstance(destroys, bool) else None,
    )


def skills_from(answer: Mapping[str, Any]) -> list[Skill]:
    """Read the answer to `skills/list`; a skill that several folders have stands there once."""
    found = {
        str(one["path"]): Skill(
            name=str(one.get("name")),
            description=_short(one.get("description")) or "",
            path=str(one["path"]),
            scope=str(one.get("scope")),
            is_enabled=one.get("enabled") is True,
            plugin=typed(one.get("pluginId"), str),
        )
        for entry in _each(answer, "data")
        for one in _each(entry, "skills", "path")
    }
    return [found[path] for path in sorted(found)]


def plugins_from(answer: Mapping[str, Any]) -> list[Plugin]:
    """Read the answer to `plugin/installed`."""
    return [
        Plugin(
            id=str(one["id"]),
            name=str(one.get("name")),
            marketplace=str(market.get("name")),
            is_installed=one.get("installed") is True,
            is_enabled=one.get("enabled") is True,
            description=_short((typed(one.get("interface"), dict) or {}).get("shortDescription")),
            version=typed(one.get("localVersion") or one.get("version"), str),
        )
        for market in _each(answer, "marketplaces")
        for one in _each(market, "plugins", "id")
    ]


def hooks_from(answer: Mapping[str, Any]) -> list[Hook]:
    """Read the answer to `hooks/list`; a hook that several folders have stands there once."""
    found = {
        str(one["key"]): Hook(
            event=str(one.get("eventName")),
            type=str(one.get("handlerType")),
            runs=_runs(one),
            matcher=typed(one.get("matcher"), str),
            source=str(one.get("source")),
            path=str(one.get("sourcePath")),
            is_enabled=one.get("enabled") is True,
            is_managed=one.get("isManaged") is True,
            trust=str(one.get("trustStatus")),
            plugin=typed(one.get("pluginId"), str),
        )
        for entry in _each(answer, "data")
        for one in _each(entry, "hooks", "key")
    }
    return [*found.values()]


def profiles_from(answer: Mapping[str, Any]) -> list[PermissionProfile]:
    """Read the answer to `permissionProfile/list`."""
    return [
        PermissionProfile(
            id=str(one["id"]),
            is_allowed=one.get("allowed") is True,
            description=_short(one.get("description")),
        )
        for one in _each(answer, "data", "id")
    ]


def _runs(hook: Mapping[str, Any]) -> str | None:
    """Return what a hook runs, without secrets: nothing else of that is cut."""
    command = typed(hook.get("command"), str)
    if command is None and hook.get("server") is not None:
        command = f"{hook['server']}: {hook.get('tool')}"
    return None if command is None else str(redact(command))


def problems_in(answer: Mapping[str, Any]) -> list[str]:
    """Return what Codex could not read, of an answer that is by folder or by marketplace."""
    entries = [*_each(answer, "data"), {"errors": answer.get("marketplaceLoadErrors")}]
    return [
        ": ".join(filter(None, (_short(one.get("path")), _short(one.get("message")))))
        for entry in entries
        for one in _each(entry, "errors")
    ]


def _each(of: Mapping[str, Any], member: str, *needed: str) -> Iterator[dict[str, Any]]:
    for one in typed(of.get(member), list) or ():
        if isinstance(one, dict) and all(name in one for name in needed):
            yield one


def _short(text: object) -> str | None:
    if text is None:
        return None
    said = str(redact(str(text)))
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"

"""/api/settings: what this server was told at its start, and how to tell it otherwise."""

from __future__ import annotations

import json
import shlex
from typing import Annotated, Any, Final

import msgspec

from command_center.actors.rules.errors import Invalid, NotFound
from command_center.actors.rules.lengths import Name
from command_center.http.config.settings import (
    DECLARATIONS,
    ResolvedSettings,
    SettingDeclaration,
    Source,
    usual_config_file,
)
from command_center.http.wire.operation import Api

api = Api[ResolvedSettings]("Runtime")

PLACEHOLDER: Final = "…"
"""Stands in a line for a secret, which nobody need send to have the line."""


class ShownSetting(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One setting, as the server has it since its start.

    Attributes:
        name: its name in the file; `variable` is that in the environment, `flag` that of `serve`.
        form: the form of its value, such as `NUMBER` or the words that it may be.
        value: what it is; a secret is hidden. `text` is the same as the environment has it, and
            is empty for a secret.
        source: where the value is from; a flag wins over the environment, that over the file.
    """

    name: str
    variable: str
    flag: str
    form: str
    help: str
    value: Any
    text: str
    source: Source
    is_secret: bool


class ShownSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All settings, in the order of the documentation.

    Attributes:
        config_file: the file to write lines into; `has_config_file` is false where there is none.
    """

    items: list[ShownSetting]
    config_file: str
    has_config_file: bool


class SettingLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The line that gives a setting a value from the next start on.

    Attributes:
        line: the line for the file that `configFile` names, in TOML.
        environment: the same for the environment.
        overridden_by: where the server has the setting from, if a line in the file changes nothing.
        needs: what else has to be set first; the server does not start with this line alone.
    """

    line: str
    environment: str
    overridden_by: Source | None
    needs: list[str]


class LineQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The setting, and the value that it is to have; a secret's is not asked for."""

    name: Name
    value: Annotated[str, msgspec.Meta(max_length=2000)] = ""


@api.operation("GET", "/api/settings", scope="admin")
async def list_settings(resolved: ResolvedSettings) -> ShownSettings:
    """List all settings, with their values and where these are from."""
    file = resolved.config_file
    return ShownSettings(
        items=[
            ShownSetting(
                name=name,
                variable=declared.variable,
                flag=declared.flag,
                form=declared.parser.form,
                help=declared.help,
                value=resolved.shown(name),
                text=resolved.written(name),
                source=resolved.sources[name],
                is_secret=declared.is_secret,
            )
            for name, declared in DECLARATIONS.items()
        ],
        config_file=str(file or usual_config_file()),
        has_config_file=file is not None,
    )


@api.operation("GET", "/api/settings/line", refuses=(404,), scope="admin")
async def show_setting_line(resolved: ResolvedSettings, query: LineQuery) -> SettingLine:
    """Show the line that gives a setting a value, once that value is right; nothing is changed."""
    declared = DECLARATIONS.get(query.name)
    if declared is None:
        raise NotFound("Setting", query.name)
    value = PLACEHOLDER if declared.is_secret else query.value
    needs: tuple[str, ...] = ()
    if not declared.is_secret:
        try:
            needs = resolved.contradictions(query.name, declared.parser(value))
        except ValueError as error:
            raise Invalid.field("value", f"It {error}.") from error
    source = resolved.sources[query.name]
    return SettingLine(
        line=f"{declared.name} = {_toml(declared, value)}",
        environment=f"{declared.variable}={shlex.quote(value)}",
        overridden_by=source if source in {"flag", "environment"} else None,
        needs=[*needs],
    )


def _toml(declared: SettingDeclaration, value: str) -> str:
    if declared.parser.form == "NUMBER":
        return str(int(value))
    # A basic string of TOML has the escapes of JSON, and one more.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

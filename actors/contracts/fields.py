"""Types of fields that several bodies have, with what an actor checks of them beyond the type.

The API's document is made of these types, so it tells a client of the checks. The checks themselves
are the actors' own, since their refusals name the record that they are about.
"""

from __future__ import annotations

import os
from typing import Annotated, Final, TypeAlias

import msgspec

from command_center.actors.rules.lengths import NAME_LENGTH, PROMPT_LENGTH
from command_center.actors.rules.paths import PATH_BYTES

TITLE_LENGTH: Final = 200
"""Characters of a title; a longer one is refused."""

NOT_BLANK: Final = r"[^\s\x1c-\x1f\x85]|\ufeff"
"""The pattern of a text that says something; ECMAScript counts U+FEFF as white, Python does not."""

NotBlank: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": NOT_BLANK})]
"""A text that says something."""

Prompt: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=PROMPT_LENGTH,
        examples=["Find the flaky test."],
        extra_json_schema={"pattern": NOT_BLANK},
    ),
]
"""A text for Codex: it says something, in `PROMPT_LENGTH` characters."""

Title: TypeAlias = Annotated[
    str, msgspec.Meta(extra_json_schema={"pattern": NOT_BLANK, "maxLength": TITLE_LENGTH})
]
"""A title: it says something, in `TITLE_LENGTH` characters."""

ScheduleExpr: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=NAME_LENGTH,
        examples=["hourly:2", "daily@09:00", "weekly@mon,thu@18:30", "cron:*/15 9-17 * * mon-fri"],
    ),
]
"""An expression for when an automation is due; see `rules.schedule`."""

DateTime: TypeAlias = Annotated[
    str, msgspec.Meta(max_length=64, extra_json_schema={"format": "date-time"})
]
"""A moment in RFC 3339, with any offset."""

FolderPath: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=PATH_BYTES,
        extra_json_schema={
            "pattern": (
                r"^(~[\\/]|[A-Za-z]:[\\/]|\\\\)[^\x00-\x1f\x7f]*$"
                if os.name == "nt"
                else r"^~?/[^\x00-\x1f\x7f]*$"
            ),
            "description": "An absolute path on the server's machine.",
        },
    ),
]
"""An absolute path on the server's machine; `~` is the home folder."""

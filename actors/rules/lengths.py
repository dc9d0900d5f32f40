"""Lengths: how much each text that comes in may have at most, and the types that say so.

The API's document is made of these types, and a body or a query that has more is refused with 400
when it is decoded. What agents say has no such limit: see the store's ``shortening``.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import msgspec

from command_center.actors.rules.branch_names import LONGEST
from command_center.actors.rules.paths import PATH_BYTES

NAME_LENGTH: Final = 200
"""Characters of a name, such as that of who asks, of a repository, or of a time zone."""

NOTE_LENGTH: Final = 4000
"""Characters of a reason or a note."""

PROMPT_LENGTH: Final = 200_000
"""Characters of what Codex is told: a prompt, a message to a turn, a follow-up."""

JSON_BYTES: Final = 64 * 1024
"""Bytes of a field that takes any JSON."""

Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=NAME_LENGTH)]
Note: TypeAlias = Annotated[str, msgspec.Meta(max_length=NOTE_LENGTH)]
PathText: TypeAlias = Annotated[str, msgspec.Meta(max_length=PATH_BYTES)]
BranchName: TypeAlias = Annotated[str, msgspec.Meta(max_length=LONGEST)]
Revision: TypeAlias = Annotated[str, msgspec.Meta(max_length=NAME_LENGTH)]
AnyObject: TypeAlias = Annotated[
    dict[str, Any], msgspec.Meta(description=f"At most {JSON_BYTES} bytes of JSON.")
]

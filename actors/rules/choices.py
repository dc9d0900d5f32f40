"""A run's choices about its model: what is asked for, what stands where nothing is, what fits.

A repository and a task may have defaults. What the run says outweighs its task's, and that its
repository's. What nobody says is left to the agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from command_center.actors.rules.errors import Invalid

Model = Annotated[
    str,
    msgspec.Meta(
        max_length=128,
        pattern=r"^[A-Za-z0-9][\w.:/-]{0,127}$(?!\n)",
        description="the name of a model, such as gpt-5",
    ),
]
"""A model's name, as Codex takes it."""

Effort = Annotated[
    str,
    msgspec.Meta(
        max_length=32,
        pattern=r"^[a-z][a-z0-9_-]{0,31}$(?!\n)",
        description="an effort in small letters, such as high",
    ),
]
"""The effort of a model, in the words that Codex lists with each one, such as `high`."""

ServiceTier = Annotated[
    str,
    msgspec.Meta(
        max_length=32,
        pattern=r"^[a-z][a-z0-9_-]{0,31}$(?!\n)",
        description="the id of a tier in small letters, such as fast",
    ),
]
"""The tier in which the provider serves a model, by the ids that Codex lists with each one."""

Profile = Annotated[
    str,
    msgspec.Meta(
        max_length=128,
        pattern=r"^:?[A-Za-z0-9][\w.-]{0,126}$(?!\n)",
        description="the id of a permission profile, of letters, digits and ._-",
    ),
]
"""The id of one of Codex's permission profiles, as Codex lists it."""

Mode: TypeAlias = Literal["plan", "default"]

Personality: TypeAlias = Literal["none", "friendly", "pragmatic"]

STANDARD: Final = "default"
"""The service tier that each model has."""


class Choices(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The choices about a run's model.

    Attributes:
        effort: how much the model is to think; as the thread has it, if left out.
        service_tier: how fast the provider serves it; as the thread has it, if left out.
        collaboration_mode: `plan` has the agent plan and change nothing; `default` ends that.
        personality: the style of a model that has several; newer versions of Codex have none.
        permission_profile: a permission profile of Codex's, in the place of a sandbox. One that
            gives more than the run may have is refused when the run begins.
    """

    model: Model | None = None
    effort: Effort | None = None
    service_tier: ServiceTier | None = None
    collaboration_mode: Mode | None = None
    personality: Personality | None = None
    permission_profile: Profile | None = None


NAMES: Final = Choices.__struct_fields__

OF_A_MODEL: Final = frozenset({"effort", "service_tier", "personality"})
"""The choices that mean something for one model."""


def choices_of(source: object) -> dict[str, Any]:
    """Return the choices among the fields of a run or a session, by their names."""
    return {name: getattr(source, name) for name in NAMES}


def stored(choices: Choices) -> dict[str, Any]:
    """Return them as they are kept and shown, without what is left open."""
    plain: dict[str, Any] = msgspec.to_builtins(choices)
    return {name: value for name, value in plain.items() if value is not None}


def settle(wanted: object, *defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is chosen, by the names of the fields; the first of the defaults weighs most.

    Defaults of another model say nothing about the one that is chosen.
    """
    settled = choices_of(wanted)
    for kept in defaults:
        known = choices_of(msgspec.convert(kept, Choices))
        is_other = settled["model"] is not None and known["model"] not in {None, settled["model"]}
        for name, value in known.items():
            if settled[name] is None and not (is_other and name in OF_A_MODEL):
                settled[name] = value
    return settled


def check_choices(chosen: Mapping[str, Any], models: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what the model does not take, by what Codex lists of each one.

    A model that is not listed may take anything. Where none is chosen, what any of them takes may
    be what the thread's own takes.

    Raises:
        Invalid: each combination that does not fit is named by its field.
    """
    name = chosen["model"]
    asked = [one for one in models if name is None or name in {one.get("model"), one.get("id")}]
    if not asked:
        return
    who = "No model" if name is None else f"Model {name}"
    problems: dict[str, str] = {}
    for field, wire, taken in (
        ("effort", "effort", _named(asked, "supportedReasoningEfforts", "reasoningEffort")),
        ("service_tier", "serviceTier", [STANDARD, *_named(asked, "serviceTiers", "id")]),
    ):
        value = chosen[field]
        if value is not None and value not in taken:
            verb = "takes" if name is None else "does not take"
            problems[wire] = f"{who} {verb} {value}. Choose one of {', '.join(taken) or 'none'}."
    has_styles = any(one.get("supportsPersonality") for one in asked)
    if chosen["personality"] is not None and not has_styles:
        verb = "has" if name is None else "has no"
        problems["personality"] = f"{who} {verb} personality to choose. Leave it out."
    if problems:
        raise Invalid(
            " ".join(problems.values()),
            details=[{"path": path, "message": said} for path, said in problems.items()],
        )


def _named(models: Iterable[Mapping[str, Any]], many: str, one: str) -> list[str]:
    """Return what any of the models lists under a name, each once."""
    return list(
        dict.fromkeys(str(each.get(one)) for model in models for each in model.get(many) or ())
    )

"""Choices about a run's model: what outweighs what, and what fits."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.actors.rules.choices import Choices, check_choices, settle, stored
from command_center.actors.rules.errors import Invalid

OPEN: dict[str, Any] = dict.fromkeys(Choices.__struct_fields__)

MODELS: list[dict[str, Any]] = [
    {
        "model": "big",
        "supportedReasoningEfforts": [{"reasoningEffort": "low"}, {"reasoningEffort": "high"}],
        "serviceTiers": [{"id": "fast"}],
        "supportsPersonality": True,
    },
    {"model": "small", "supportedReasoningEfforts": [{"reasoningEffort": "low"}]},
]


@pytest.mark.parametrize(
    ("run", "task", "repository", "expected"),
    [
        ({}, {}, {}, {}),
        ({}, {}, {"effort": "low"}, {"effort": "low"}),
        ({}, {"effort": "high"}, {"effort": "low"}, {"effort": "high"}),
        ({"effort": "x"}, {"effort": "high"}, {"model": "big"}, {"effort": "x", "model": "big"}),
        ({"model": "small"}, {}, {"model": "big", "effort": "high"}, {"model": "small"}),
        ({"model": "big"}, {}, {"model": "big", "effort": "high"}, {"effort": "high"}),
        (
            {"model": "small"},
            {},
            {"model": "big", "collaboration_mode": "plan"},
            {"collaboration_mode": "plan"},
        ),
    ],
)
def test_the_run_outweighs_its_task_and_that_its_repository(
    run: dict[str, Any], task: dict[str, Any], repository: dict[str, Any], expected: dict[str, Any]
) -> None:
    kept = [stored(Choices(**defaults)) for defaults in (task, repository)]
    assert OPEN | run | expected == settle(Choices(**run), *kept)


@pytest.mark.parametrize(
    ("chosen", "fields"),
    [
        ({"model": "big", "effort": "high", "service_tier": "fast"}, ()),
        ({"model": "small", "effort": "high"}, ("effort",)),
        ({"model": "small", "service_tier": "fast"}, ("serviceTier",)),
        ({"model": "small", "service_tier": "default"}, ()),
        ({"model": "small", "personality": "friendly"}, ("personality",)),
        ({"model": "big", "personality": "friendly"}, ()),
        ({"model": "small", "effort": "x", "service_tier": "y"}, ("effort", "serviceTier")),
        ({"model": "unlisted", "effort": "x"}, ()),
        ({"effort": "high"}, ()),
        ({"effort": "x"}, ("effort",)),
    ],
)
def test_what_does_not_fit_the_model_is_named(
    chosen: dict[str, Any], fields: tuple[str, ...]
) -> None:
    if not fields:
        check_choices(OPEN | chosen, MODELS)
        return
    with pytest.raises(Invalid) as refused:
        check_choices(OPEN | chosen, MODELS)
    assert fields == tuple(detail["path"] for detail in refused.value.details)


def test_without_a_list_of_models_nothing_is_refused() -> None:
    check_choices(OPEN | {"model": "big", "effort": "x"}, [])

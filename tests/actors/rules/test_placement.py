"""A run gets a host, or is told why it gets none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.placement import (
    Candidate,
    HostWish,
    NowhereToRun,
    Placement,
    check_placement,
    choose,
    identity_of,
    stored_placement,
)
from command_center.store import HostState, Repository

NOW = "2026-01-01T00:00:00.000Z"


def copy(number: int, host: str) -> Repository:
    return Repository(
        id=number, created_at=NOW, updated_at=NOW, name="r", host=host, local_path=f"/srv/{number}"
    )


def candidate(number: int, host: str, **fields: Any) -> Candidate:
    told = {
        name: fields.pop(name)
        for name in ("labels", "is_draining", "max_sessions")
        if name in fields
    }
    state = HostState(id=number, created_at=NOW, updated_at=NOW, name=host, **told)
    plain = {"absence": None, "wanted": 0, "slots": 4, "load": 0.0, "is_held": False}
    return Candidate(repository=copy(number, host), state=state, **{**plain, **fields})


def chosen(wish: Placement, *candidates: Candidate) -> str:
    return choose(wish, candidates[0].repository, candidates).repository.host


@pytest.mark.parametrize(
    ("expected", "remotes"),
    [
        ("github.com/acme/app", [("origin", "https://github.com/acme/app.git")]),
        ("github.com/acme/app", [("origin", "git@github.com:acme/app")]),
        ("github.com/acme/app", [("origin", "ssh://git@github.com:2222/acme/app.git/")]),
        ("github.com/acme/app", [("mirror", "https://github.com/acme/app")]),
        (None, [("a", "https://github.com/acme/app"), ("b", "https://github.com/acme/lib")]),
        (None, [("origin", "/srv/app.git")]),
        (None, [("origin", "file:///srv/acme/app.git")]),
        (None, []),
    ],
)
def test_a_repository_is_known_by_the_address_of_its_remote_in_whatever_spelling(
    expected: str | None, remotes: list[tuple[str, str]]
) -> None:
    listed = [{"name": name, "url": url} for name, url in remotes]
    assert expected == identity_of(None, listed)
    assert "payments" == identity_of("payments", listed)


def test_the_host_with_the_fewest_sessions_for_its_slots_is_chosen_and_then_the_idler_one() -> None:
    full, half = candidate(1, "a", wanted=2, slots=2), candidate(2, "b", wanted=5, slots=10)
    assert "b" == chosen("any", full, half)
    busy, idle = candidate(1, "a", load=0.9), candidate(2, "b", load=0.1)
    assert "b" == chosen("any", busy, idle)
    assert "a" == chosen("any", idle.__class__(**fields_of(busy, load=0.1)), idle)  # its own


def fields_of(one: Candidate, **changed: Any) -> dict[str, Any]:
    names = ("repository", "state", "absence", "wanted", "slots", "load", "is_held")
    return {name: getattr(one, name) for name in names} | changed


def test_a_host_whose_account_has_reached_a_limit_comes_last() -> None:
    assert "b" == chosen("any", candidate(1, "a", is_held=True), candidate(2, "b", wanted=3))
    assert "a" == chosen("any", candidate(1, "a", is_held=True))


def test_a_host_that_is_draining_or_away_is_never_chosen_whatever_is_asked_for() -> None:
    draining = candidate(1, "a", is_draining=True, labels=["gpu"])
    away = candidate(2, "b", absence="It does not answer.", labels=["gpu"])
    for wish in ("any", HostWish(labels=["gpu"]), HostWish(host="a"), HostWish(host="b")):
        with pytest.raises(NowhereToRun) as refused:
            chosen(wish, draining, away)
        assert {"a", "b"} == refused.value.facts["hosts"].keys()  # type: ignore[attr-defined]
    assert (
        "No host can be chosen for repository 1. a: it is draining. "
        "b: it is away: It does not answer."
    ) == str(_refusal("any", draining, away))
    assert "The run was asked for on host b, but it is away: It does not answer." == str(
        _refusal(HostWish(host="b"), draining, away)
    )


def _refusal(wish: Placement, *candidates: Candidate) -> NowhereToRun:
    with pytest.raises(NowhereToRun) as refused:
        chosen(wish, *candidates)
    return refused.value


def test_every_label_is_needed_and_the_missing_one_is_named() -> None:
    one = candidate(1, "a", labels=["gpu"])
    both = candidate(2, "b", labels=["big", "gpu"], wanted=3)
    assert "b" == chosen(HostWish(labels=["gpu", "big"]), one, both)
    assert "No host can be chosen for repository 1. a: it does not have the label big." == str(
        _refusal(HostWish(labels=["gpu", "big"]), one)
    )


def test_a_host_without_the_repository_is_named_with_what_to_do() -> None:
    said = str(_refusal(HostWish(host="c"), candidate(1, "a")))
    assert "The run was asked for on host c, but it is not the host that was asked for." != said
    assert said.startswith("Repository 1 does not lie on host c, but on a. Register it there;")


def test_the_reason_says_what_was_compared() -> None:
    idle, busy = candidate(1, "a", wanted=1, load=0.5), candidate(2, "b", wanted=2)
    away = candidate(3, "c", absence="Asleep.")
    assert (
        "a is the least busy of 2 hosts (1 of 4 slots taken or waited for, load 0.50 on each "
        "processor). c: it is away: Asleep."
    ) == choose("any", idle.repository, [idle, busy, away]).reason
    assert "It was asked for on b." == choose(HostWish(host="b"), idle.repository, [busy]).reason


def test_a_run_for_the_pool_works_in_no_checkout_of_a_person() -> None:
    mine, clone = candidate(1, "a"), candidate(2, "b", wanted=3, is_clone=True)
    assert "b" == chosen("pool", mine, clone)
    assert "No host can be chosen for repository 1. a: it has no clone of a pool." == str(
        _refusal("pool", mine)
    )


def test_a_wish_names_a_host_or_labels() -> None:
    for wish in (HostWish(), HostWish(host="a", labels=["gpu"])):
        with pytest.raises(Invalid) as refused:
            check_placement(wish)
        assert "placement" == refused.value.details[0]["path"]
    check_placement(None)


@pytest.mark.parametrize("kept", ["any", "pool", {"host": "box"}, {"labels": ["gpu"]}, None])
def test_a_wish_is_kept_as_it_was_said(kept: object) -> None:
    assert kept == stored_placement(msgspec.convert(kept, Placement | None))

"""The versions of Codex that may be used, and the methods that they need."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_center.actors.codex.errors import UnsupportedCodex
from command_center.actors.codex.messages import Call
from command_center.actors.codex.versions import (
    NEEDED,
    NEWEST,
    OLDEST,
    RANGE,
    UNKNOWN_METHOD,
    methods_in,
    read_version,
    spelled,
    support_of,
)
from command_center.actors.contracts.bridges import (
    BridgeStatus,
    BridgeWarned,
    CheckVersion,
    ProbeHealth,
    Watch,
)
from tests.codex.bridging import faked, open_bridge, real
from tests.codex.schemas import schema_of
from tests.codex.versions import read_report, table

OLD = spelled((0, OLDEST[1] - 1, 9))
NEW = spelled((NEWEST[0], NEWEST[1] + 1, 0))


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("0.163.0", (0, 163, 0)),
        ("0.170.0-alpha.2", (0, 170, 0)),
        ("dev", None),
        ("", None),
        (None, None),
    ],
)
def test_a_version_is_read(text: str | None, version: tuple[int, int, int] | None) -> None:
    assert version == read_version(text)


@pytest.mark.parametrize("version", [OLDEST, NEWEST, (0, 163, 0)])
def test_a_version_of_the_range_may_be_used_without_a_word(
    version: tuple[int, int, int],
) -> None:
    support = support_of(spelled(version))
    assert (None, None) == (support.problem, support.notice)


def test_an_older_one_is_refused_with_what_to_install() -> None:
    problem = support_of(OLD).problem
    assert problem is not None
    assert problem.startswith(f"Codex {OLD} is too old")
    assert RANGE in problem
    assert f"npm install -g @openai/codex@{spelled(NEWEST)}" in problem


@pytest.mark.parametrize("text", [NEW, None])
def test_a_newer_one_or_one_of_no_version_is_used_if_it_has_all_that_is_needed(
    text: str | None,
) -> None:
    support = support_of(text, NEEDED | {"thread/more"})
    assert support.problem is None
    assert "was not tested" in str(support.notice)
    lacking = support_of(text, NEEDED - {"turn/steer"})
    assert "has no turn/steer" in str(lacking.problem)


def test_the_methods_are_read_of_a_refusal() -> None:
    said = "Invalid request: unknown variant `x`, expected one of `initialize`, `turn/start`"
    assert {"initialize", "turn/start"} == methods_in(said)
    assert not methods_in("Invalid request: unknown variant `x`")


@pytest.mark.usefixtures("codex_binary")
def test_the_codex_under_test_knows_all_that_is_needed() -> None:
    variants = schema_of("ClientRequest")["oneOf"]
    assert {variant["properties"]["method"]["enum"][0] for variant in variants} >= NEEDED


async def test_the_codex_under_test_names_its_methods_as_it_refuses_one(
    codex_binary: Path, codex_home: Path
) -> None:
    async with open_bridge(real(codex_binary, codex_home)) as bridged:
        with pytest.raises(Exception, match="expected one of") as refused:
            await bridged.bridge.ask(Call(UNKNOWN_METHOD), timeout=30)
    assert methods_in(str(refused.value)) >= NEEDED


async def test_a_codex_that_is_too_old_is_connected_to_and_asked_nothing() -> None:
    async with open_bridge(faked(f"version={OLD}")) as bridged:
        health = await bridged.bridge.ask(ProbeHealth(), timeout=20)
        assert (BridgeStatus.UNAVAILABLE, OLD) == (health.status, health.version)
        assert "is too old" in health.message == health.warning
        for asked in (Call("thread/start"), CheckVersion()):
            with pytest.raises(UnsupportedCodex, match="is too old"):
                await bridged.bridge.ask(asked, timeout=20)


async def test_a_codex_that_is_newer_is_used_and_warned_of() -> None:
    async with open_bridge(faked(f"version={NEW}")) as bridged:
        health = await bridged.bridge.ask(ProbeHealth(), timeout=20)
        assert BridgeStatus.CONNECTED == health.status
        assert "was not tested" in str(health.warning)
        await bridged.bridge.ask(CheckVersion(), timeout=20)
        await bridged.bridge.ask(Watch(bridged.session), timeout=20)
        (*_, told) = await bridged.until(lambda message: isinstance(message, BridgeWarned))
    assert ("version", health.warning) == (told.kind, told.message)


@pytest.mark.parametrize("version", [NEW, "0.163.0"])
async def test_a_codex_that_lacks_a_method_is_refused_whatever_its_version(version: str) -> None:
    async with open_bridge(faked(f"version={version}", "without=turn/steer")) as bridged:
        health = await bridged.bridge.ask(ProbeHealth(), timeout=20)
    assert "has no turn/steer" in health.message


def test_a_run_against_several_versions_ends_in_a_table(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="a" name="one"/>'
        '<testcase classname="a" name="two"><failure/></testcase>'
        '<testcase classname="a" name="three"><skipped/></testcase></testsuite></testsuites>'
    )
    outcome = read_report("0.1.0", report, 2.0)
    assert (1, 1, ("a::two",)) == (outcome.passed, outcome.skipped, outcome.failed)
    head, line, failed = table([outcome]).splitlines()
    assert ["version", "passed", "failed", "skipped", "seconds"] == head.split()
    assert ["0.1.0", "1", "1", "1", "2"] == line.split()
    assert "0.1.0: a::two" == failed

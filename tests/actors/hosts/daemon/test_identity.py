"""A host on its own disk: its key, and the numbers by which copies are found out."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from command_center.actors.hosts.daemon.dialling import read_centre
from command_center.actors.hosts.daemon.identity import (
    LOGS,
    CentreNumber,
    HostFiles,
    HostIdentity,
    NotEnrolled,
    OlderCentre,
)

IDENTITY = HostIdentity(centre="https://centre.example", name="box", key="cch_x")


def test_a_key_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    files = HostFiles(tmp_path)
    with pytest.raises(NotEnrolled, match="--enrol CODE"):
        files.identity()
    files.save(IDENTITY)
    assert IDENTITY == files.identity()
    if sys.platform != "win32":
        assert 0o600 == stat.S_IMODE((tmp_path / "host.json").stat().st_mode)
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(NotEnrolled, match="Enrol the machine anew"):
        files.identity()


def test_each_start_counts_one_more_and_has_an_id_of_its_own(tmp_path: Path) -> None:
    files = HostFiles(tmp_path)
    first, second = files.begin_life(), HostFiles(tmp_path).begin_life()
    assert [1, 2] == [first.number, second.number]
    assert first.id != second.id
    files.save(IDENTITY)
    assert 1 == files.begin_life().number


def test_an_earlier_start_of_a_server_is_worked_for_no_more(tmp_path: Path) -> None:
    files = HostFiles(tmp_path)
    files.begin_life()
    files.check_centre(CentreNumber("aa", 4))
    files.check_centre(CentreNumber("aa", 4))
    with pytest.raises(OlderCentre, match=r"start 3, .* start 4"):
        files.check_centre(CentreNumber("aa", 3))
    files.check_centre(CentreNumber("bb", 1))  # such as one that was restored from a backup
    with pytest.raises(OlderCentre):
        HostFiles(tmp_path).check_centre(CentreNumber("aa", 3))
    for number in range(2 * LOGS):
        files.check_centre(CentreNumber(f"c{number}", 1))
    assert (tmp_path / "starts.json").stat().st_size < 40 * LOGS
    assert 2 == files.begin_life().number


@pytest.mark.parametrize(
    "said", ["", "aa", "aa.", ".1", "aa.-1", "a/b.1", "aa.1.2", "a" * 65 + ".1"]
)
def test_a_server_that_says_no_number_is_none(said: str) -> None:
    assert None is CentreNumber.read(said)


def test_no_key_is_sent_where_others_could_read_it() -> None:
    for url in ("https://centre.example/a", "http://127.0.0.1:8787", "http://localhost:1"):
        assert url == read_centre(url).geturl()
    for url in ("http://centre.example", "http://10.0.0.1", "ftp://a", "https://", "centre"):
        with pytest.raises(ValueError, match=r"not encrypted|no address"):
            read_centre(url)

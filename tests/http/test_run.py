"""The start from the command line: what is greeted with, and what is refused in a line."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import structlog

from command_center.http.config.parsers import Secret
from command_center.http.config.settings import ResolvedSettings, Settings
from command_center.http.run import StartRefused, run
from command_center.http.wire.problems import AddressInUse
from command_center.store.backups.contents import DATABASE
from command_center.store.errors import DataFolderInUse, NewerSchema
from command_center.store.replication.centre_folder import CentreFolder

if sys.platform != "win32":
    import resource

ADDRESS = "http://127.0.0.1:8787"


@pytest.fixture(autouse=True)
def log_left_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("command_center.http.run.configure_logging", lambda _settings: None)
    yield
    structlog.reset_defaults()


told = ResolvedSettings.told_nothing


def let_serve(
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception | None = None,
    urls: Sequence[str] = (ADDRESS,),
) -> None:
    """Put a server in place that is ready at once and then stops, in order or by a failure."""

    async def serve(
        _resolved: ResolvedSettings, *, on_ready: Callable[[str, Sequence[str]], None]
    ) -> int:
        if failure is not None:
            raise failure
        on_ready(ADDRESS, urls)
        return 0

    monkeypatch.setattr("command_center.http.run.serve", serve)


def test_the_greeting_tells_the_address_the_runner_and_what_to_do_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_serve(monkeypatch)
    assert 0 == run(told(Settings(codex_command=("no-such-codex",))))
    said = capsys.readouterr().out
    assert f"listens on {ADDRESS}\n" in said
    assert "stub. no-such-codex was not found" in said
    assert f"curl {ADDRESS}/health" in said
    assert f"curl {ADDRESS}/api/repos -H" in said


def test_with_a_token_the_greeting_names_its_variable_and_not_the_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_serve(monkeypatch)
    run(told(Settings(api_token=Secret("hush"))))
    said = capsys.readouterr().out
    assert "Bearer $CC_API_TOKEN" in said
    assert "hush" not in said


def test_each_address_of_the_page_is_told_with_what_a_browser_will_not_do_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others = ["http://192.168.1.20:8787", "https://cc.example.com"]
    let_serve(monkeypatch, urls=[*others, ADDRESS])
    run(told(Settings(host="0.0.0.0", api_token=Secret("hush"))))
    said = capsys.readouterr().out.splitlines()
    begin = said.index(
        f"Open:    {others[0]}  (not encrypted; the browser shows no notifications there)"
    )
    assert [others[1], ADDRESS] == [line.strip() for line in said[begin + 1 : begin + 3]]
    assert "command-center pair" in said[begin + 3]


@pytest.mark.parametrize(
    "failure",
    [
        AddressInUse("127.0.0.1", 8787),
        DataFolderInUse(Path("data"), 7),
        NewerSchema(Path("data", "db"), ("0099",)),
    ],
)
def test_a_start_that_cannot_be_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    for raised in (failure, ExceptionGroup("of a nursery", [ExceptionGroup("inner", [failure])])):
        let_serve(monkeypatch, raised)
        with pytest.raises(StartRefused) as caught:
            run(told(Settings()))
        assert str(failure) == str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_server_alone_does_not_go_on_with_the_folder_of_a_centre(tmp_path: Path) -> None:
    CentreFolder(tmp_path, tmp_path / DATABASE).join("cluster")
    with pytest.raises(StartRefused, match=r"of a cluster.* remove cluster\.json there\.$"):
        run(told(Settings(data_dir=tmp_path, port=0)))
    assert not (tmp_path / DATABASE).exists()


def test_a_fault_of_the_program_comes_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    let_serve(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run(told(Settings()))


if sys.platform != "win32":

    def test_a_start_asks_for_the_file_descriptors_of_many_connections(
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        let_serve(monkeypatch)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
        try:
            run(told(Settings()))
            now = resource.getrlimit(resource.RLIMIT_NOFILE)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        most = 10_240 if hard == resource.RLIM_INFINITY else min(10_240, hard)
        assert (most, hard) == now

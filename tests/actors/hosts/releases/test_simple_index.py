"""A package index on loopback: what is taken of it, and what a wrong or hostile one comes to."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from packaging.version import Version

from command_center.actors.hosts.local.releases import simple_index
from command_center.actors.hosts.local.releases.index_settings import PackageIndexes
from command_center.actors.hosts.local.releases.simple_index import (
    JSON_PAGE,
    MOST_BYTES,
    IndexFailed,
    NoIndex,
    OfferedFile,
    choose,
    offered,
    releases_of,
)
from tests.installing.releases import PackageIndex, serving_index

HERE = Version("0.1.0")


def wheel(version: str) -> Path:
    return Path(f"command_center-{version}-py3-none-any.whl")


def ask(*indexes: PackageIndex, are_equal: bool = False) -> list[str]:
    urls = tuple(index.url for index in indexes)
    return [str(one.version) for one in trio.run(offered, PackageIndexes(urls, are_equal))]


def ask_at(url: str) -> None:
    trio.run(offered, PackageIndexes((url,), are_equal=False))


def fill(index: PackageIndex) -> None:
    index.offers(
        wheel("0.1.0"), wheel("0.2.0"), wheel("0.3.0rc1"), Path("pillow-9-py3-none-any.whl")
    )
    index.offers(Path("command_center-0.9.0.tar.gz"), Path("command_center-x-py3-none-any.whl"))
    index.offers(wheel("0.4.0"), yanked=True)
    index.offers(wheel("0.5.0"), python=">=3.99")
    index.offers(wheel("0.6.0"), python="not a version")


@pytest.mark.parametrize("form", ["json", "html"])
def test_the_newest_release_that_this_python_runs_is_chosen(form: str) -> None:
    with serving_index() as index:
        index.form = form
        fill(index)
        releases = trio.run(offered, PackageIndexes((index.url,), are_equal=False))
    assert {"0.1.0", "0.2.0", "0.3.0rc1", "0.5.0"} == {str(one.version) for one in releases}
    choice = choose(releases, HERE, python="3.12.1")
    assert choice.newest is not None
    assert choice.beyond is not None
    assert ("0.2.0", "0.5.0") == (str(choice.newest.version), str(choice.beyond.version))
    assert choose(releases, Version("0.2.0"), python="3.12.1").newest is None
    later = choose(releases, HERE, python="3.99.0")
    assert (later.beyond, "0.5.0") == (None, str(later.newest and later.newest.version))
    wanted = choose(releases, HERE, wanted=Version("0.3.0rc1")).newest
    assert wanted is not None
    assert choose(releases, HERE, wanted=Version("0.4.0")).newest is None


def test_the_question_says_nothing_of_who_asks() -> None:
    with serving_index() as index:
        ask(index)
        ((path, headers),) = index.asked
    assert f"{index.url}/command-center/".endswith(path)
    assert "command-center" == headers.pop("User-Agent")
    assert {"Accept", "Accept-Encoding", "Connection", "Host"} == headers.keys()


def test_the_first_index_that_knows_the_project_counts_or_all_of_them() -> None:
    with serving_index() as empty, serving_index() as first, serving_index() as second:
        empty.answer = (404, {}, b"")
        first.offers(wheel("0.2.0"))
        second.offers(wheel("0.3.0"))
        assert ["0.2.0"] == ask(empty, first, second)
        assert ["0.2.0", "0.3.0"] == ask(empty, first, second, are_equal=True)
        assert [] == ask(empty)
    with pytest.raises(NoIndex):
        ask()


JSON = {"Content-Type": JSON_PAGE}
META = {"api-version": "1.0"}
LONG = json.dumps(
    {"meta": META, "files": [{"filename": f"command_center-{'9' * 5000}-py3-none-any.whl"}]}
)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((500, JSON, b""), "500"),
        ((200, {"Content-Type": "image/png"}, b""), "image/png"),
        ((200, JSON, b"{"), "no page"),
        ((200, JSON, b"[" * 100_000), "no page"),
        ((200, JSON, b'{"meta": {"api-version": "2.0"}, "files": []}'), "'2.0'"),
        ((200, JSON, b'{"meta": {"api-version": "1.0"}, "files": [{"filename": 7}]}'), "no page"),
        ((200, JSON, b" " * (MOST_BYTES + 1)), "more than"),
        ((200, {"Content-Type": "text/html"}, b"<a " * 87_500), "more than 262,144 bytes of HTML"),
        ((200, {**JSON, "Content-Encoding": "gzip"}, b"\x1f\x8b"), "packs"),
        ((302, {"Location": "/command-center/"}, b""), "without an end"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "protocol"),
    ],
)
def test_a_wrong_answer_is_told_and_nothing_else(
    answer: tuple[int, dict[str, str], bytes], why: str
) -> None:
    with serving_index() as index:
        index.answer = answer
        with pytest.raises(IndexFailed, match=why) as told:
            ask(index)
    assert len(str(told.value)) < 1000


def test_a_version_that_cannot_be_one_is_passed_over() -> None:
    with serving_index() as index:
        index.answer = (200, JSON, LONG.encode())
        assert [] == ask(index)


SLOW = (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")


@pytest.mark.parametrize("begun", SLOW)
async def test_an_index_has_one_deadline_from_the_question_to_the_last_byte(
    begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends a letter now and then, in the headers or behind them, so that no read waits long."""
    monkeypatch.setattr(simple_index, "SECONDS", 0.2)

    async def drip(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await stream.send_all(begun)
            while begun:
                await stream.send_all(b"x")
                await trio.sleep(0.01)
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, drip, [listener])
        address = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        with trio.fail_after(30), pytest.raises(IndexFailed, match=r"more than 0\.2 s"):
            await offered(PackageIndexes((address,), are_equal=False))
        nursery.cancel_scope.cancel()


def test_no_secret_of_an_index_is_told() -> None:
    with serving_index() as index:
        index.answer = (401, {}, b"")
        url = index.url.replace("://", "://me:secret-of-mine@")
        with pytest.raises(IndexFailed, match="401") as told:
            ask_at(url)
        assert "Authorization" in index.asked[0][1]
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("index", ["http://me:hidden@[::1", "http://me:hi@dden@127.0.0.1:9"])
def test_an_index_that_nobody_can_ask_is_told_without_its_password(index: str) -> None:
    with pytest.raises(IndexFailed) as refused:
        ask_at(index)
    assert "dden" not in str(refused.value)


def test_a_place_that_an_index_leads_to_is_told_without_the_password() -> None:
    told = str(IndexFailed("http://me:hidden@i.test/", "401 for 'http://me:hidden@i.test/b/'"))
    assert "http://i.test/: 401 for 'http://i.test/b/'" == told


def test_a_wish_for_a_python_writes_nothing_to_a_terminal() -> None:
    name = str(wheel("0.2.0"))
    assert [] == [*releases_of([OfferedFile(name, "===\x1b[2J")])]

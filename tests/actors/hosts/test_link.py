"""The link to a host: what the other end may send, and what becomes of it."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
import trio
import trio.testing

from command_center.actors.codex.errors import MessageTooLong, WireClosed
from command_center.actors.codex.ports import Codex
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.hosts import FolderLook, Folders
from command_center.actors.contracts.project_configuration import NotShowable
from command_center.actors.core.message_stream import MessageStream
from command_center.actors.git.errors import GitFailed, NotAWorkTree
from command_center.actors.git.ports import Git, GitCommand, SeenFile, SeenFolder, Writes
from command_center.actors.hosts.far.stand_ins import msgspec as plain_msgspec
from command_center.actors.hosts.far.stand_ins import psutil as plain_psutil
from command_center.actors.hosts.link import dialect, faults
from command_center.actors.hosts.link.calling import SHORT, Away, parts_of
from command_center.actors.hosts.link.channels import BEAT as BEAT_SECONDS
from command_center.actors.hosts.link.channels import (
    FRAMES_AT_ONCE,
    LONGEST_REASON,
    PIECE,
    PROTOCOL,
    SILENCE,
    WINDOW,
    Channels,
    LinkChannel,
    LinkEnded,
    MessageKind,
    refuse_link,
)
from command_center.actors.hosts.link.data import LONGEST_TEXT, Data, Method, NotData, method_of
from command_center.actors.hosts.link.faults import FarFault, read_fault, write_fault
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.ssh.bundle import OURS
from command_center.actors.rules.errors import Conflict, Invalid, TooBusy, Unavailable
from command_center.actors.sessions.runners.codex.errors import may_pass
from tests.checkout import ROOT

MORE, LAST, CREDIT, CLOSE, BEAT, HELLO = range(1, 7)


def frame(kind: int, number: int, body: bytes = b"") -> bytes:
    return struct.pack(">BII", kind, number, len(body)) + body


GREETING = frame(HELLO, 0, json.dumps({"protocol": PROTOCOL, "port": dialect.digest()}).encode())


def message(kind: MessageKind, body: bytes) -> bytes:
    """A message as frames of channel 1."""
    whole = bytes([kind]) + body
    pieces = [whole[begin : begin + PIECE] for begin in range(0, len(whole), PIECE)]
    return b"".join(frame(MORE, 1, one) for one in pieces[:-1]) + frame(LAST, 1, pieces[-1])


def fault(fact: str, value: object) -> bytes:
    """An error with one fact, whatever its value is."""
    told = json.dumps([value, []]).encode()
    fact_of = (fact, len(told).to_bytes(4, "big") + told)
    form = tuple[str, str, tuple[tuple[str, bytes], ...]]
    return message(MessageKind.FAULT, Data().write(("Conflict", "No.", (fact_of,)), form))


@asynccontextmanager
async def near_end() -> AsyncIterator[tuple[Channels, Standing, trio.abc.Stream, list[str]]]:
    """Our end of a link, with the streams of whatever is at the other one."""
    ours, theirs = trio.testing.memory_stream_pair()
    link, standing, ended = Channels(ours, ours), Standing("far"), []

    async def run() -> None:
        try:
            await link.run()
        except LinkEnded as over:
            standing.lost(over.reason)
            ended.append(over.reason)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        standing.connected(link)
        yield link, standing, theirs, ended
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"SSH-2.0-something\r\n" + bytes(64), "too long"),
        (frame(BEAT, 0), "no Command Center"),
        (frame(HELLO, 0, b"[" * 10_000), "no Command Center"),
        (frame(HELLO, 0, b'{"protocol": 0}'), "update the other side"),
        (frame(HELLO, 0, b'{"protocol": 99}'), "update this side"),
        (GREETING + frame(LAST, 1, b"x"), "never begun"),
        (GREETING + frame(99, 1), "never begun"),
        (GREETING + struct.pack(">BII", LAST, 1, 2**31), "too long"),
        (b"", "It has ended."),
    ],
)
async def test_a_side_that_breaks_the_rules_ends_the_link_and_is_told_why(
    sent: bytes, why: str
) -> None:
    async with near_end() as (_, standing, theirs, ended):
        await theirs.send_all(sent)
        if not sent:
            await theirs.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert why in ended[0]
        folders, _, _ = parts_of(standing, BridgeSettings())
        with pytest.raises(Away, match="Host far is away"):
            await folders.size(Path("/srv"))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            frame(LAST, 1, bytes([MessageKind.RESULT]) + Data().write("many", str)),
            "str in the place of",
        ),
        (frame(LAST, 1, bytes([MessageKind.RESULT]) + b"\0\0\0\2[]"), "not what was asked for"),
        (frame(LAST, 1, bytes([MessageKind.FAULT]) + b"junk"), "not what was asked for"),
        (frame(LAST, 1, bytes([MessageKind.BYTES]) + b"junk"), "nobody waits for"),
        (frame(LAST, 1, bytes([77])), "no known kind"),
        (frame(LAST, 1, b""), "no known kind"),
        (frame(MORE, 1, b""), "no known kind"),
        (fault("seconds", 10**400), "int too large"),
        (fault("retry_after", [0, float("inf")]), "inf in the place of a number"),
        (fault("reason", "\ud800"), "half a character in a text"),
        (message(MessageKind.RESULT, Data().write(2**200, int)), "more than 128 bits"),
        (fault("\x1b[2Jx" * 10_000, 0), "no fact  [2Jx"),
        (fault("reason", "x" * 2**18), "an error of more than"),
        (message(MessageKind.RESULT, b"\0\x40\0\0" + bytes(LONGEST_TEXT)), "values of more than"),
        (message(MessageKind.RESULT, bytes(SHORT)), "a message of more than"),
        (frame(CREDIT, 1, b"\0\1\0\0"), "took more than was sent"),
        (frame(CREDIT, 1, b"\0"), "no known kind"),
    ],
)
async def test_an_answer_that_is_none_ends_the_link_for_who_asked(answer: bytes, why: str) -> None:
    async with near_end() as (_, standing, theirs, ended), trio.open_nursery() as nursery:
        folders, _, _ = parts_of(standing, BridgeSettings())
        asked: list[str] = []

        async def ask() -> None:
            try:
                await folders.size(Path("/srv"))
            except Away as away:
                asked.append(str(away))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        await theirs.send_all(GREETING + answer)
        await trio.testing.wait_all_tasks_blocked()
        assert why in ended[0]
        assert why in asked[0]
        assert len(ended[0]) <= LONGEST_REASON + 1


async def test_a_flood_of_small_frames_lets_others_have_their_turn() -> None:
    async with near_end() as (_, _, theirs, ended):
        await theirs.send_all(GREETING + frame(BEAT, 0) * 7000 + frame(LAST, 1, b"x"))
        turns = 0
        while not ended:
            await trio.lowlevel.checkpoint()
            turns += 1
        assert turns >= 7000 // FRAMES_AT_ONCE


async def test_a_side_that_sends_what_nobody_takes_is_ended_at_the_window() -> None:
    async with near_end() as (link, _, theirs, ended):
        channel = link.begin()
        await theirs.send_all(GREETING + frame(MORE, 1, bytes(PIECE)) * (WINDOW // PIECE))
        await trio.testing.wait_all_tasks_blocked()
        assert (WINDOW, []) == (channel._unread, ended)
        await theirs.send_all(frame(LAST, 1, b"x"))
        await trio.testing.wait_all_tasks_blocked()
        assert "more than it may" in ended[0]


async def test_a_side_that_falls_silent_is_given_up_in_bounded_time(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with near_end() as (_, standing, theirs, ended):
        await theirs.send_all(GREETING)
        await trio.sleep(2 * SILENCE)
        assert f"Nothing was heard of it for {SILENCE:g} seconds." == ended[0]
        assert ended[0] == standing.absence


async def test_a_side_that_only_swallows_what_is_sent_is_noticed_as_soon(
    autojump_clock: trio.abc.Clock,
) -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    link = Channels(ours, ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(theirs.send_all, GREETING)
        began = trio.current_time()

        async def take_for_a_while() -> None:
            with trio.move_on_after(2 * BEAT_SECONDS):
                while True:
                    await theirs.receive_some()

        nursery.start_soon(take_for_a_while)  # the next beat is never taken
        with pytest.raises(LinkEnded, match="Nothing was heard"):
            await link.run()
        assert SILENCE == pytest.approx(trio.current_time() - began)


async def test_a_side_that_refuses_says_why_and_is_known_to_stay_so() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(refuse_link, theirs, "It is an old copy.")
        with pytest.raises(LinkEnded, match="It refuses this side: It is an old copy") as refused:
            await Channels(ours, ours).run()
        assert refused.value.is_lasting
        await ours.aclose()
    async with near_end() as (link, _, other_side, _ended):
        await other_side.send_all(frame(HELLO, 0, b'{"protocol": 99}'))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(LinkEnded) as other:
            link.check()
        assert other.value.is_lasting


async def test_a_side_that_refuses_another_version_has_said_its_own() -> None:
    for _ in range(20):  # in whatever order its tasks run
        ours, theirs = trio.testing.memory_stream_pair()
        await theirs.send_all(frame(HELLO, 0, b'{"protocol": 99}'))
        with pytest.raises(LinkEnded, match="update this side"):
            await Channels(ours, ours).run()
        await ours.aclose()
        heard = await theirs.receive_some()
        assert json.dumps({"protocol": PROTOCOL})[:-1].encode() in heard


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"port": "another", "version": "0.0.1"}, "update the other side"),
        ({"port": "another", "version": "999.0"}, "it has 999.0, which .* update this side"),
        ({"port": "another", "version": "9" * 9000}, "update this side"),
        ({"port": "another"}, "update the other side"),
        ({}, "it has no version, which .* update the other side"),
        ({"port": "another", "version": dialect.version()}, "install one on both sides"),
        ({"port": dialect.digest(), "version": "0.0.1"}, None),
        ({"port": dialect.digest(), "version": [{}]}, None),
    ],
)
async def test_versions_work_together_that_declare_the_port_alike(
    said: dict[str, object], why: str | None
) -> None:
    async with near_end() as (link, _, theirs, ended):
        await theirs.send_all(frame(HELLO, 0, json.dumps({"protocol": PROTOCOL, **said}).encode()))
        await trio.testing.wait_all_tasks_blocked()
        assert (why is None) == (ended == [])
        if why is not None:
            with pytest.raises(LinkEnded, match=why) as refused:
                link.check()
            assert refused.value.is_lasting


def test_each_change_of_the_port_is_another_dialect(monkeypatch: pytest.MonkeyPatch) -> None:
    digest, known = dialect.digest.__wrapped__, method_of
    digests = {dialect.digest(), digest()}
    assert 1 == len(digests)
    for port, name, declared in (
        (
            Codex,
            "end_commands",
            Method({"thread_id": str, "since": float}, list[int], streams=False),
        ),
        (
            Codex,
            "end_commands",
            Method({"thread_id": str, "seconds": int}, list[int], streams=False),
        ),
        (Folders, "size", Method({"path": Path}, float, streams=False)),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(
                dialect,
                "method_of",
                lambda of, called, at=(port, name), to=declared: (
                    to if (of, called) == at else known(of, called)
                ),
            )
            digests.add(digest())
    assert 4 == len(digests)
    monkeypatch.setitem(faults.FACTS, "seconds", int)
    digests.add(digest())
    monkeypatch.delitem(faults.KINDS, "NoTurn")
    digests.add(digest())
    assert 6 == len(digests)


async def test_a_host_that_never_answers_is_not_waited_for_for_ever(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with near_end() as (_, standing, theirs, ended), trio.open_nursery() as nursery:

        async def beat() -> None:
            while True:
                await trio.sleep(BEAT_SECONDS)
                await theirs.send_all(frame(BEAT, 0))

        await theirs.send_all(GREETING)
        nursery.start_soon(beat)
        folders, git, codex = parts_of(standing, BridgeSettings())
        with pytest.raises(Away, match="It did not answer within 60 seconds"):
            await folders.size(Path("/srv"))
        with pytest.raises(Away, match="It did not answer"):
            await git.open(Path("/srv"))
        with pytest.raises(Away, match="It did not answer"):
            async with codex.file_of(b"text"):
                pass
        assert not ended
        nursery.cancel_scope.cancel()


async def test_a_host_that_was_never_reached_is_not_waited_for_for_ever(
    autojump_clock: trio.abc.Clock,
) -> None:
    folders, _, _ = parts_of(Standing("far"), BridgeSettings())
    with pytest.raises(Away, match="Host far is away: It was not reached yet"):
        await folders.size(Path("/srv"))


async def test_what_is_not_taken_holds_up_nothing_else_and_is_bounded() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    opened: list[LinkChannel] = []
    near, far = Channels(ours, ours), Channels(theirs, theirs, on_open=opened.append)
    message = os.urandom(3 * WINDOW)

    async def run(link: Channels) -> None:
        with pytest.raises(LinkEnded):
            await link.run()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, near)
        nursery.start_soon(run, far)
        slow, quick = near.begin(), near.begin()
        nursery.start_soon(slow.send, MessageKind.BYTES, message)
        await trio.testing.wait_all_tasks_blocked()
        assert WINDOW == opened[0]._unread
        await quick.send(MessageKind.TEXT, b"Now.")
        await trio.testing.wait_all_tasks_blocked()
        assert (MessageKind.TEXT, b"Now.") == await opened[1].receive()
        assert (MessageKind.BYTES, message) == await opened[0].receive()
        await theirs.aclose()
        await ours.aclose()


@pytest.mark.parametrize("port", [Folders, Git, Codex])
def test_every_method_of_the_port_can_be_carried(port: type) -> None:
    by_hand = {"connect", "file_of", "start", "take_over", "settings"}
    names = {name for name in dir(port) if not name.startswith("_")} - by_hand
    samples: dict[Any, Any] = {str: "a", bytes: b"b", bool: True, float: 1.5, int: 3}
    for name in names:
        declared = method_of(port, name)
        for kind in (*declared.takes.values(), declared.gives):
            if kind in samples:
                assert samples[kind] == Data().read(Data().write(samples[kind], kind), kind)
    assert names


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (Path(os.fsdecode(b"/srv/\xff")), Path),
        (FolderLook((Path("/a"),), 3, (), None), FolderLook),
        (SeenFile(b"\0\xff", 2, "m"), SeenFolder | SeenFile | None),
        (None, SeenFolder | SeenFile | None),
        ({b"a\xff": "1"}, dict[bytes, str]),
        (
            GitCommand(
                arguments=("x",), writes=Writes.REFS | Writes.TREE, sent=b"s", also=(Path("/"),)
            ),
            GitCommand,
        ),
    ],
)
def test_data_come_as_they_went(value: object, declared: Any) -> None:
    assert value == Data().read(Data().write(value, declared), declared)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\0\0\1",
        b"\xff\xff\xff\xff{}",
        b"\0\0\0\x09[[1],[9]]",
        b"\0\0\0\x02{}",
        b"\0\0\0\x0a[[[[[[[[[[",
    ],
)
def test_what_is_no_data_is_refused(raw: bytes) -> None:
    with pytest.raises(NotData):
        Data().read(raw, tuple[bytes, str])


@pytest.mark.parametrize(
    "error",
    [
        Invalid.field("localPath", "It does not exist."),
        Conflict("No.", winner=3),
        Unavailable("Later.", retry_after=2.0),
        TooBusy("Later."),
        GitFailed("push", 128, "fatal: no"),
        NotAWorkTree(Path("/srv"), "It is none."),
        WireClosed("It has ended."),
        MessageTooLong(3, b"{"),
    ],
)
def test_errors_of_the_port_come_as_they_went(error: Exception) -> None:
    came = read_fault(write_fault(error))
    assert (type(error), str(error)) == (type(came), str(came))
    assert vars(error).items() <= vars(came).items()


@pytest.mark.parametrize(
    "error", [WireClosed("It has ended."), MessageTooLong(3, b"{"), NotShowable("It is too much.")]
)
async def test_an_error_that_does_not_belong_to_the_question_is_a_fault_of_the_host(
    error: Exception,
) -> None:
    """Whoever asks how busy a machine is expects no other refusal, and works for all hosts."""
    async with near_end() as (_, standing, theirs, _), trio.open_nursery() as nursery:
        folders, _, codex = parts_of(standing, BridgeSettings())
        await theirs.send_all(GREETING)

        async def ask() -> None:
            with pytest.raises(FarFault, match=str(error)):
                await folders.machine_load()

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        await theirs.send_all(message(MessageKind.FAULT, write_fault(error)))
        await trio.testing.wait_all_tasks_blocked()
        shows = isinstance(error, NotShowable)

        async def read() -> None:
            with pytest.raises(NotShowable if shows else FarFault, match=str(error)):
                await codex.read_configuration(Path("/srv"), Path("/srv"))

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        body = bytes([MessageKind.FAULT]) + write_fault(error)
        await theirs.send_all(frame(LAST, 2, body))


def test_an_error_of_a_host_hides_nothing_on_a_terminal_and_puts_off_nobody_for_long() -> None:
    told = Unavailable("\x1b[2J\u202eok\udc80\nline", retry_after=1e300)
    came = read_fault(write_fault(told))
    assert " [2J ok\\udc80\nline" == str(came)
    assert 3600.0 == vars(came)["retry_after"]
    shown = read_fault(write_fault(Invalid.field("path", "\x9b31m")))
    assert " 31m" == vars(shown)["details"][0]["message"]


def test_no_other_error_is_made_than_those_of_the_list() -> None:
    came = read_fault(write_fault(KeyboardError("x")))
    assert (FarFault, "The host failed: KeyboardError: x") == (type(came), str(came))


class KeyboardError(Exception):
    """An error that the port does not know."""


def test_the_stand_ins_have_all_that_is_used_over_there() -> None:
    folders = ("actors/hosts/local/codex", "actors/hosts/local/git")
    packed = [path for folder in folders for path in sorted((ROOT / folder).glob("*.py"))]
    packed += [ROOT / "actors/codex/protocol.py", ROOT / "actors/contracts/bridges.py"]
    ours = [path for folder in OURS for path in sorted((ROOT / folder).rglob("*.py"))]
    for package, paths in ((plain_msgspec, packed), (plain_psutil, ours)):
        name = package.__name__.rpartition(".")[2]
        texts = (path.read_text(encoding="utf-8") for path in paths)
        used = {one for text in texts for one in re.findall(rf"\b{name}\.(\w+)", text)}
        assert used
        assert set() == used - vars(package).keys()


def test_the_stand_ins_do_what_the_packages_do() -> None:
    assert os.getpid() in plain_psutil.pids()
    for mine, its in (
        (plain_psutil.Process(), psutil.Process()),
        (plain_psutil.Process(os.getppid()), psutil.Process(os.getppid())),
    ):
        assert its.ppid() == mine.ppid()
        assert its.cmdline() == mine.cmdline()
        assert its.exe() == mine.exe()
        assert its.environ() == mine.environ()
        assert mine.is_running()
        assert mine.name() in its.name() or its.name() in mine.name()
        assert abs(its.create_time() - mine.create_time()) < 1.5
        assert [one.pid for one in its.parents()] == [one.pid for one in mine.parents()]
    with pytest.raises(plain_psutil.NoSuchProcess):
        plain_psutil.Process(2**30)

    class Ours(plain_msgspec.Struct, frozen=True):
        pid: int
        places: list[tuple[str, tuple[int, int]]]
        why: str | None = None

    class Its(msgspec.Struct, frozen=True):
        pid: int
        places: list[tuple[str, tuple[int, int]]]
        why: str | None = None

    written = plain_msgspec.json.encode(Ours(1, [("a", (2, 3))]))
    assert msgspec.json.encode(Its(1, [("a", (2, 3))])) == written
    read: Callable[..., Any] = plain_msgspec.json.decode
    assert ("a", (2, 3)) == read(written, type=Ours).places[0]
    for broken in (b"", b"{}", b'{"pid": "1", "places": []}', b'{"pid": 1, "places": [["a"]]}'):
        with pytest.raises(plain_msgspec.MsgspecError):
            read(broken, type=Ours)
        with pytest.raises(msgspec.MsgspecError):
            msgspec.json.decode(broken, type=Its)


def test_a_run_whose_host_goes_away_as_it_starts_waits_for_it() -> None:
    assert may_pass(Standing("far").away("It has ended."))
    assert not may_pass(Conflict("No."))


async def test_a_long_message_of_a_host_lets_others_have_their_turn() -> None:
    size = 1024 * 1024
    turns = 0

    async def message() -> bytes:
        return bytes(size)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    stream = MessageStream(trio.sleep_forever, message)  # type: ignore[arg-type]  # nothing is sent
    async with trio.open_nursery() as nursery:
        nursery.start_soon(others)
        taken = 0
        while taken < size:
            taken += len(await stream.receive_some(size // 16))
        assert turns >= 14, "one between any two parts, of which the last may be to come"
        nursery.cancel_scope.cancel()

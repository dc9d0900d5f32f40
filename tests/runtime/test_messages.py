"""Addresses: a type checker knows what may be sent there, and what comes back."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, assert_type

import attrs
import msgspec
import pytest

from command_center.runtime import (
    Actor,
    ActorRef,
    Address,
    ChildSpec,
    Request,
    handles,
    open_system,
)
from tests.browser.npm import brought
from tests.checkout import ROOT, run, script
from tests.runtime.probes import tree


@attrs.frozen
class Count(Request[int]):
    text: str


@attrs.frozen
class Rename(Request[str]):
    name: str


@attrs.frozen
class Forget:
    pass


CounterMessage: TypeAlias = Count | Rename | Forget
COUNTER: Address[CounterMessage] = Address("/counter")


class Counter(Actor):
    def __init__(self) -> None:
        self.name = "a"

    @handles(Count)
    def count(self, message: Count) -> int:
        return len(message.text)

    @handles(Rename)
    def rename(self, message: Rename) -> str:
        former, self.name = self.name, message.name
        return former

    @handles(Forget)
    def forget(self, _message: Forget) -> None:
        self.name = ""


async def test_what_comes_back_from_an_address_is_known_by_the_message() -> None:
    async with open_system(tree(ChildSpec("counter", Counter))) as system:
        counter = system.lookup(COUNTER)
        assert_type(counter, ActorRef[CounterMessage])
        assert_type(await counter.ask(Count("four")), int)
        assert 4 == await counter.ask(Count("four"))
        await counter.tell(Forget())
        assert "" == assert_type(await counter.ask(Rename("b")), str)
        found = system.find(COUNTER)
        assert assert_type(found, ActorRef[CounterMessage] | None) is counter
        assert assert_type(system.lookup("/counter"), ActorRef[Any]) is counter


def test_an_address_is_the_path() -> None:
    assert "/counter" == COUNTER
    assert hash("/counter") == hash(COUNTER)
    assert str is type(COUNTER)
    assert b'"/counter"' == msgspec.json.encode(COUNTER)


PROGRAM = """\
import attrs

from command_center.runtime import (
    Actor,
    ActorRef,
    Address,
    ChildSpec,
    Context,
    Deferred,
    Request,
    handles,
)


@attrs.frozen
class Count(Request[int]):
    text: str


@attrs.frozen
class Forget:
    pass


@attrs.frozen
class Elsewhere(Request[int]):
    pass


COUNTER: Address[Count | Forget] = Address("/counter")


async def right(ctx: Context, one: ActorRef[Count]) -> int:
    await ctx.lookup(COUNTER).tell(Forget())
    ctx.lookup(COUNTER).try_tell(Count(""))
    narrower: ActorRef[Count] = ctx.lookup(COUNTER)
    return await ctx.lookup(COUNTER).ask(Count("")) + await narrower.ask(Count(""))


async def wrong(ctx: Context, one: ActorRef[Count]) -> None:
    await ctx.lookup(COUNTER).ask(Elsewhere())  # refused
    await ctx.lookup(COUNTER).tell(Elsewhere())  # refused
    ctx.lookup(COUNTER).try_tell("text")  # refused
    await ctx.lookup(COUNTER).ask(Forget())  # refused: it is not asked
    text: str = await ctx.lookup(COUNTER).ask(Count(""))  # refused: the reply is an int
    wider: ActorRef[Count | Forget] = one  # refused
    await one.tell(Forget())  # refused
    ctx.find(COUNTER).try_tell(Forget())  # refused: there may be nobody


def answer(ctx: Context) -> Deferred[int]:
    return ctx.forward(ctx.lookup(COUNTER), Count(""))


def answer_wrongly(ctx: Context) -> Deferred[int]:
    return ctx.forward(ctx.lookup(COUNTER), Elsewhere())  # refused


def hand_on(ctx: Context) -> None:
    ctx.forward(ctx.lookup(COUNTER), Forget())
    ctx.forward(ctx.lookup(COUNTER), "text")  # refused


def hand_on_wrongly(ctx: Context) -> Deferred[int]:
    return ctx.forward(ctx.lookup(COUNTER), Forget())  # refused: it has no answer


async def send(ctx: Context) -> int:
    ctx.lookup(COUNTER).send_request(Elsewhere())  # refused
    text: str = await ctx.lookup(COUNTER).send_request(Count("")).wait()  # refused
    return await ctx.lookup(COUNTER).send_request(Count("")).wait()


class Right(Actor):
    @handles(Count)
    def count(self, message: Count) -> int:
        return 1

    @handles(Forget)
    async def forget(self, message: Forget) -> None:
        pass


class Wrong(Actor):
    @handles(Count)  # refused: the method takes something else
    def count(self, message: Forget) -> int:
        return 1

    @handles(Count)  # refused: the reply is an int
    def text(self, message: Count) -> str:
        return ""

    @handles(Forget)  # refused: it has no reply
    async def forget(self, message: Forget) -> int:
        return 1

    @handles(Forget)  # refused: the method takes something else
    async def elsewhere(self, message: Elsewhere) -> None:
        pass


right_spec = ChildSpec("right", Right)
wrong_spec = ChildSpec("wrong", Right, restart="permanent")  # refused
no_actor = ChildSpec("wrong", Count)  # refused
"""


def refused_by_mypy(program: Path) -> tuple[set[int], str]:
    told = run(
        script("mypy"),
        *("--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache" / "linux"),
        *("--platform", "linux", program),
    ).stdout
    return {int(n) for n in re.findall(r"program\.py:(\d+): error", told)}, told


def refused_by_pyright(program: Path) -> tuple[set[int], str]:
    checker = brought(Path(__file__).parent / "pyright", "pyright") / "pyright" / "index.js"
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is installed, which runs pyright: apt-get install npm")
    settings = {"strict": [program.name], "stubPath": str(ROOT / "typings")}
    (program.parent / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    told = run(
        *(node, checker, "--outputjson", "--pythonpath", sys.executable),
        *("--project", program.parent),
    ).stdout
    found = json.loads(told)["generalDiagnostics"]
    return {one["range"]["start"]["line"] + 1 for one in found}, told


@pytest.mark.timeout(600)
@pytest.mark.parametrize("refused_by", [refused_by_mypy, refused_by_pyright])
def test_a_message_that_an_address_does_not_take_is_a_type_error(
    tmp_path: Path, refused_by: Callable[[Path], tuple[set[int], str]]
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    lines = PROGRAM.splitlines()
    refused, told = refused_by(program)
    expected = [number for number, line in enumerate(lines, 1) if "# refused" in line]
    assert expected == sorted(refused), told

"""The set-up of a worktree: a script of its repository, in the sandbox that the run has.

`codex sandbox` holds it, as it holds the commands of a turn. To people it is a command, too: an
item of the session's transcript, before those of its turn.
"""

from __future__ import annotations

import codecs
import time
from typing import Any, Final

import trio

from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import Codex, CodexProcess
from command_center.actors.contracts.turns import ItemSeen, OutputDelta, SetUpTold
from command_center.actors.contracts.worktrees import SetUpScript
from command_center.actors.sessions.runner import SessionRef

ITEM: Final = "set-up"
"""The id of the item, and of the turn that it stands for."""

KEPT: Final = 512 * 1024
"""Characters of output that are kept, the last ones."""

DRAIN_SECONDS: Final = 1.0
"""Seconds for what is left of the output once the script has ended, as others may hold it open."""

EXIT_SECONDS: Final = 5.0
"""Seconds that a process that has closed its output may take to exit."""


async def run_set_up(
    codex: Codex,
    confinement: Confinement,
    script: SetUpScript,
    ref: SessionRef,
    *,
    seconds: float,
) -> str | None:
    """Run the script to its end, and return why it failed; None if it did not.

    It is told where it is as the Codex app tells it. Cancelling this, or the deadline of `seconds`,
    ends it with all that it started.
    """
    cwd = confinement.cwd
    variables = {"CODEX_SOURCE_TREE_PATH": script.source, "CODEX_WORKTREE_PATH": cwd}
    command = await codex.script_command(script.text, variables)
    body = {"type": "commandExecution", "id": ITEM, "command": script.text, "cwd": cwd}
    await ref.tell(_item({**body, "status": "inProgress"}, completed=False))
    began = time.monotonic()
    output = _Output(ref)
    code: int | None = None
    said = ""
    with trio.move_on_after(seconds) as deadline:
        code, said = await _run(codex, (*confinement.sandbox_options(), *command), cwd, output)
    ended = {
        "status": "completed" if code == 0 else "failed",
        "aggregatedOutput": output.text or said,
        "exitCode": code,
        "durationMs": round((time.monotonic() - began) * 1000),
    }
    await ref.tell(_item({**body, **ended}, completed=True))
    if deadline.cancelled_caught:
        return f"The set-up script of the worktree took longer than {seconds:g} s and was ended."
    if code == 0:
        return None
    how = "could not be run" if code is None else f"ended with exit code {code}"
    last = output.last_line or said
    return f"The set-up script of the worktree {how}{f': {last}' if last else '.'}"


async def _run(
    codex: Codex, arguments: tuple[str, ...], cwd: str, output: _Output
) -> tuple[int | None, str]:
    """Run it, and return its exit code and what Codex itself complained of."""
    async with trio.open_nursery() as nursery:
        try:
            child = await codex.start(arguments, nursery, cwd=cwd)
        except WireClosed as error:
            return None, error.reason
        try:
            async with trio.open_nursery() as reading:
                reading.start_soon(output.read, child)
                code = await _end_of(child)
                reading.cancel_scope.deadline = trio.current_time() + DRAIN_SECONDS
        finally:
            await child.end(0)
        nursery.cancel_scope.cancel()
    return code, child.last_words()


async def _end_of(child: CodexProcess) -> int | None:
    while True:
        code = await child.wait_for_end(EXIT_SECONDS)
        if code is not None:
            return code


class _Output:
    """The output of the script: told as it comes, and its end kept."""

    def __init__(self, ref: SessionRef) -> None:
        self._ref = ref
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""

    @property
    def last_line(self) -> str:
        """Return the last line that says something, cut short."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return lines[-1][:500] if lines else ""

    async def read(self, child: CodexProcess) -> None:
        """Read to the end."""
        async for piece in child.stdout:
            text = self._decoder.decode(piece)
            self.text = (self.text + text)[-KEPT:]
            delta = OutputDelta(item_id=ITEM, delta=text, stream="command")
            await self._ref.tell(SetUpTold(delta))


def _item(body: dict[str, Any], *, completed: bool) -> SetUpTold:
    seen = ItemSeen(
        turn_id=ITEM, item_id=ITEM, type="commandExecution", completed=completed, body=body
    )
    return SetUpTold(seen)

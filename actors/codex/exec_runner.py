"""Runs `codex exec`: one process for one turn, without approvals and without steering."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import attrs
import msgspec
import structlog
import trio

from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.errors import MessageTooLong, NotAMessage, WireClosed
from command_center.actors.codex.exec_lines import ExecTranslator
from command_center.actors.codex.lines import LineReader
from command_center.actors.codex.messages import CodexNotification
from command_center.actors.codex.ports import Codex, CodexProcess

log = structlog.get_logger(__name__)

_EXIT_SECONDS = 5.0
"""Seconds that a CLI that has closed its output may take to exit."""


@attrs.frozen
class ExecRun:
    """A run of the CLI.

    With a `thread_id` that thread is resumed; a review always begins one, with the prompt as its
    instructions, unless `review_of` is what a session's `review` has. `output_schema` asks for a
    JSON answer; `images` are files of pictures to show.
    """

    prompt: str
    confinement: Confinement
    turn_id: str
    model: str | None = None
    effort: str | None = None
    service_tier: str | None = None
    personality: str | None = None
    thread_id: str | None = None
    is_review: bool = False
    review_of: Mapping[str, Any] | None = None
    output_schema: Mapping[str, Any] | None = None
    images: tuple[str, ...] = ()


@attrs.frozen
class ExecEnd:
    """The end of the process. `told` is True if it had told the end of the turn before."""

    exit_code: int | None
    told: bool
    reason: str


def exec_arguments(run: ExecRun, schema_file: str | None = None) -> tuple[str, ...]:
    """Return the arguments of `codex`; the prompt goes through standard input.

    `schema_file` holds the run's schema, where it has one.
    """
    options = ["exec", "--json", "--skip-git-repo-check", *run.confinement.exec_options()]
    if run.model is not None:
        options += [f"--model={run.model}"]
    for setting, value in (
        ("model_reasoning_effort", run.effort),
        ("service_tier", run.service_tier),
        ("personality", run.personality),
    ):
        if value is not None:
            options += ["-c", f'{setting}="{value}"']
    if schema_file is not None:
        options += ["--output-schema", schema_file]
    match run.review_of:
        case _ if not run.is_review:
            pass
        case {"type": "uncommitted"}:
            return (*options, "review", "--uncommitted")
        case {"type": "base", "base": branch}:
            return (*options, "review", f"--base={branch}")
        case {"type": "commit", "commit": sha}:
            return (*options, "review", f"--commit={sha}")
        case _:
            return (*options, "review", "-")
    resume = () if run.thread_id is None else ("resume", run.thread_id)
    images = (f"--image={path}" for path in run.images)
    return (*options, *resume, "-", *images)


async def run_exec(
    codex: Codex,
    run: ExecRun,
    tell: Callable[[CodexNotification], Awaitable[None]],
    *,
    started: Callable[[int], None] = lambda _: None,
) -> ExecEnd:
    """Run the CLI to its end, telling what it says in the app-server's words.

    `started` is given the process id. Cancelling this stops the run: the process and all that
    it started are ended, within some seconds, before it returns.
    """
    async with _schema_file(codex, run) as schema_file:
        return await _run(codex, exec_arguments(run, schema_file), run, tell, started)


@contextlib.asynccontextmanager
async def _schema_file(codex: Codex, run: ExecRun) -> AsyncIterator[str | None]:
    """Lend a file of its own with the run's schema, for as long as the process runs."""
    if run.output_schema is None:
        yield None
        return
    async with codex.file_of(msgspec.json.encode(run.output_schema)) as path:
        yield path


async def _run(
    codex: Codex,
    arguments: Sequence[str],
    run: ExecRun,
    tell: Callable[[CodexNotification], Awaitable[None]],
    started: Callable[[int], None],
) -> ExecEnd:
    async with trio.open_nursery() as nursery:
        try:
            child = await codex.start(arguments, nursery, cwd=run.confinement.cwd)
        except WireClosed as error:
            return ExecEnd(None, told=False, reason=error.reason)
        started(child.pid)
        translator = ExecTranslator(run.turn_id, run.thread_id)
        try:
            nursery.start_soon(_give_prompt, child, run.prompt)
            await _tell_lines(child, translator, tell)
            code = await child.wait_for_end(_EXIT_SECONDS)
        finally:
            await child.end(0)
        nursery.cancel_scope.cancel()
    said = child.last_words() if code != 0 else ""
    how = "did not exit" if code is None else f"ended with exit code {code}"
    reason = f"codex exec {how}: {said}" if said else f"codex exec {how}."
    return ExecEnd(code, translator.ended, reason)


async def _give_prompt(child: CodexProcess, prompt: str) -> None:
    try:
        await child.stdin.send_all(prompt.encode())
        await child.stdin.aclose()
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        log.info("codex.exec_took_no_prompt", process_id=child.pid)


async def _tell_lines(
    child: CodexProcess,
    translator: ExecTranslator,
    tell: Callable[[CodexNotification], Awaitable[None]],
) -> None:
    lines = LineReader(child.stdout)
    while True:
        try:
            line = await lines.next()
            if line is None:
                return
            told = translator.read(line)
        except (MessageTooLong, NotAMessage) as error:
            log.warning("codex.exec_line_skipped", problem=str(error))
            continue
        for method, params in told:
            thread_id = translator.thread_id or ""
            await tell(CodexNotification(thread_id, method, params))

"""A real agent, in its sandbox, rewrites what git reads while the server works with the repository.

The agent may commit, so that it may write git's folders. At its end it leaves the trap set, and an
unwary git falls into it: what was moved was the real thing.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import trio

from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client

SECONDS = 4
"""Seconds that one command of the agent moves what git reads; Codex waits ten for it."""

CHAOS_COMMANDS = 40
"""Number of such commands in a chaos run."""

PREPARE = """
set -e
own=$(git rev-parse --absolute-git-dir)
printf '#!/bin/sh\\n: > "%s"\\ncat\\n' '{canary}' > "$own/evil.sh"
chmod +x "$own/evil.sh"
echo changed >> README.md
now() {{ date +%s; }}
end=$(( $(now) + {seconds} ))
"""

TURN_THE_WORKTREE = """
common=$(cd "$own/../.." && pwd)
second=$own/second
mkdir -p "$second/info"
cp "$common/HEAD" "$second/HEAD"
ln -sfn "$common/objects" "$second/objects"
ln -sfn "$common/refs" "$second/refs"
config="$second/config"
printf '[core]\\n\\tbare = false\\n[filter "evil"]\\n\\tclean = %s\\n' "$own/evil.sh" > "$config"
echo '* filter=evil' > "$second/info/attributes"
while [ $(now) -lt $end ]; do
  for _ in $(seq 300); do
    printf '../..\\n' > "$own/commondir"
    printf '%s\\n' "$second" > "$own/commondir"
  done
done
echo moved
"""

REWRITE_THE_CONFIGURATION = """
[ -e "$own/good" ] || cp "$own/config" "$own/good"
good=$(cat "$own/good")
bad=$(printf '%s\\n[filter "evil"]\\n\\tclean = %s\\n' "$good" "$own/evil.sh")
mkdir -p "$own/info"
echo '* filter=evil' > "$own/info/attributes"
while [ $(now) -lt $end ]; do
  for _ in $(seq 300); do
    printf '%s\\n' "$good" > "$own/config"
    printf '%s\\n' "$bad" > "$own/config"
  done
done
echo moved
"""

PLACES = pytest.mark.parametrize(
    ("move", "worktree"),
    [(REWRITE_THE_CONFIGURATION, False), (TURN_THE_WORKTREE, True)],
    ids=["main checkout", "worktree"],
)


def unwary(folder: Path) -> None:
    """Do what a user does whose git is not held."""
    subprocess.run(["git", "-C", str(folder), "diff"], check=False, capture_output=True)  # noqa: S607


async def hold(
    client: Client,
    model: ScriptedModel,
    repository: Path,
    move: str,
    commands: int,
    *,
    worktree: bool,
) -> None:
    """Have an agent move what git reads, and ask of the server all that it does with git."""
    canary = repository.parent / "canary"
    script = (PREPARE + move).format(canary=canary, seconds=SECONDS)
    model.script = (*[Run(script)] * commands, Say.text("Done."))
    registered = await client.register(repository, allowCommit=True, requireWorktree=worktree)
    session = await client.run(registered, "Move it.", sandbox="workspace-write", allowCommit=True)
    at, answered = f"/api/repos/{registered['id']}", 0
    with trio.fail_after(100 + 15 * commands):
        while (now := await client.session(session))["finishedAt"] is None:
            for ask in (
                client.http.get(f"{at}/worktrees"),
                client.http.post(f"{at}/scan", json={}),
                client.http.get(f"{at}/worktrees/diff", params={"path": now["cwd"]}),
            ):
                answered += (await ask).is_success
            assert not canary.exists()
    assert "completed" == now["status"]
    assert "moved" in model.requests[-1].tool_outputs[-1]
    assert answered
    await client.post(f"{at}/worktrees/clean", {})
    assert not canary.exists()

    unwary(Path(now["cwd"]))
    assert canary.exists()


@PLACES
async def test_what_an_agent_moves_while_the_server_looks_is_not_run(
    codex_client: Client,
    scripted_model: ScriptedModel,
    repository: Path,
    move: str,
    *,
    worktree: bool,
) -> None:
    await hold(codex_client, scripted_model, repository, move, 1, worktree=worktree)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@PLACES
async def test_what_an_agent_moves_for_minutes_is_not_run(
    codex_client: Client,
    scripted_model: ScriptedModel,
    repository: Path,
    move: str,
    *,
    worktree: bool,
) -> None:
    await hold(codex_client, scripted_model, repository, move, CHAOS_COMMANDS, worktree=worktree)

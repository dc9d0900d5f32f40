"""A server that is killed while git works for it.

Given a data folder, a repository and what is locked, it prints the process id of its git, which
holds that lock, and goes on until both are killed.

- `index`: of the main checkout;
- `refs`: of the branch `other`, by git itself.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import trio

from command_center.actors.git.ports import Writes
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram


async def run(
    self: GitProgram,
    directory: Path,
    *arguments: str,
    where: Mapping[str, str],
    holds: Sequence[int],
    **_: Any,
) -> None:
    """In the place of the command that was asked for: one that waits for its input for ever."""
    reading, writing = os.pipe()
    process = subprocess.Popen(  # noqa: ASYNC220 - it is waited for by nobody
        ["git", "update-ref", "--stdin"],  # noqa: S607 - any git
        cwd=directory,
        env=dict(where),
        pass_fds=(*holds, writing),  # so that its input does not end with the server
        start_new_session=True,
        stdin=reading,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    os.write(writing, b"start\n")
    process.stdout.readline()
    if arguments[0] == "update-ref":
        os.write(writing, b"update refs/heads/other HEAD\nprepare\n")
        process.stdout.readline()
    sys.stdout.write(f"{process.pid}\n")
    sys.stdout.flush()
    await trio.sleep_forever()


async def main(*arguments: str) -> None:
    home, repository, locked = arguments
    git = LocalGit(GitProgram(Path(home)))
    checkout = await git.open(Path(repository))
    GitProgram.run = run  # type: ignore[method-assign,assignment]
    if locked == "index":
        await checkout.run("read-tree", "HEAD", writes=Writes.INDEX)
    else:
        await checkout.run("update-ref", "refs/heads/other", "HEAD", writes=Writes.REFS)


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])

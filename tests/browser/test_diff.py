"""A diff of git's is read as its files: each once, with what became of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import OpenPage, make_repository
from tests.browser.watching import module_of
from tests.end_to_end.server import Server

READ = """async ([diff, text]) => {
  const { parseDiff } = await import(diff);
  const notesOf = (lines) => lines.filter(({ kind }) => kind === "note").map(({ text }) => text);
  return parseDiff(text).map(({ lines, ...file }) => ({ ...file, notes: notesOf(lines) }));
}"""


@pytest.fixture
def changed(tmp_path: Path) -> str:
    """What git says of a folder in which files were made, changed, moved and taken away."""
    folder = make_repository(tmp_path / "project")

    def git(*words: str) -> str:
        author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        command = ["git", "-C", str(folder), *author, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    for name in ("gone.txt", "kept.txt", "moved.txt", "run.sh"):
        (folder / name).write_text("".join(f"{name} {line}\n" for line in range(20)))
    git("add", ".")
    git("commit", "-q", "-m", "More")
    (folder / "gone.txt").unlink()
    (folder / "kept.txt").write_text("-- a note\n" + (folder / "kept.txt").read_text())
    (folder / "moved.txt").rename(folder / "new place.txt")
    with (folder / "new place.txt").open("a") as moved:
        moved.write("One more.\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "made.txt").write_text("hello\nworld\n")
    (folder / "picture.png").write_bytes(bytes(range(256)))
    git("add", ".")
    return git("diff", "--cached", "--find-renames")


def test_each_file_is_there_once(filled_server: Server, open_page: OpenPage, changed: str) -> None:
    page = open_page(filled_server.url).page
    read: list[dict[str, Any]] = page.evaluate(
        READ, [module_of(page, "components/diff.js"), changed]
    )
    counts = {file["path"]: (file["added"], file["removed"]) for file in read}
    assert {
        "gone.txt": (0, 20),
        "kept.txt": (1, 0),
        "made.txt": (2, 0),
        "new place.txt": (1, 0),
        "picture.png": (0, 0),
        "run.sh": (0, 0),
    } == counts
    assert len(counts) == len(read)
    notes = {file["path"]: file["notes"] for file in read}
    assert ["new file mode 100644"] == notes["made.txt"]
    assert ["deleted file mode 100644"] == notes["gone.txt"]
    assert ["old mode 100644", "new mode 100755"] == notes["run.sh"]
    assert ["rename from moved.txt", "rename to new place.txt"] == notes["new place.txt"][1:]

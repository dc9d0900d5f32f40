"""Diffs, as people read them: each file by itself, with the lines that are its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from command_center.actors.codex.diffs import unified_diff
from tests.browser.conftest import OpenPage, make_repository
from tests.browser.watching import module_of, settle
from tests.end_to_end.server import Server

READ = """
async ([modules, text, changes]) => {
  const imported = await Promise.all(modules.map((module) => import(module)));
  const { html, render, Diff, Transcript } = Object.assign({}, ...imported);
  const place = document.createElement("div");
  const entry = { key: "1", type: "fileChange", done: true, body: { changes }, version: 1 };
  const diff = html`<${Diff} text=${text} />`;
  render(changes ? html`<${Transcript} entries=${[entry]} cwd="/w" />` : diff, place);
  const told = (row) => row.className + " " + row.querySelector(".text").textContent;
  return [...place.querySelectorAll(".diff-file")].map((file) => ({
    path: file.querySelector(".path").textContent,
    added: file.querySelector(".counts .add").textContent,
    removed: file.querySelector(".counts .del").textContent.slice(1),
    lines: [...file.querySelectorAll("tr:not(.hunk)")].map(told),
  }));
}
"""


MODULES = ("html.js", "components/diff.js", "components/transcript.js")


def read(page: Page, text: str, changes: list[dict[str, Any]] | None = None) -> Any:
    """The files as the page shows them: of a diff, or of a change in a transcript."""
    settle(page)
    return page.evaluate(READ, [[module_of(page, name) for name in MODULES], text, changes])


@pytest.fixture
def changed(tmp_path: Path) -> str:
    """Return what git says of a folder in which files were made, changed, moved and taken away."""
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


def change(kind: str, path: str, diff: str) -> dict[str, Any]:
    return {"path": path, "kind": {"type": kind}, "diff": diff}


def shown(path: str, *lines: str) -> dict[str, Any]:
    added = sum(line.startswith("add") for line in lines)
    removed = sum(line.startswith("del") for line in lines)
    return {"path": path, "added": f"+{added}", "removed": str(removed), "lines": [*lines]}


TWO_UPDATES = unified_diff(
    [
        change("update", "a.py", "@@ -1 +1 @@\n-x\n+y\n"),
        change("update", "b.py", "@@ -3 +3 @@\n-p\n+q\n@@ -9 +9,0 @@\n-r\n"),
    ]
)
WHOLE_FILES = unified_diff(
    [
        change("add", "new", "one\n++ two"),
        change("add", "empty", ""),
        change("delete", "old", "-- three\n"),
    ]
)
MOVED = unified_diff(
    [
        {
            "path": "/w/a.py",
            "kind": {"type": "update", "move_path": "/w/lib/b.py"},
            "diff": "@@ -1 +1 @@\n-x\n+y\n",
        }
    ]
)
WITHOUT_SECRETS = unified_diff(
    [
        change("add", "new.pem", "[redacted]\n"),
        change("update", "old.pem", "@@ -1,3 +1 @@\n-[redacted]\n+x\n"),
        change("update", "c.py", "@@ -1 +1 @@\n-p\n+q\n"),
    ]
).replace("-0,0 +1 @@", "-0,0 +1,27 @@")
LINES_LIKE_HEADS = """\
diff --git a/q.sql b/q.sql
index 587be6b..975fbec 100644
--- a/q.sql
+++ b/q.sql
@@ -1,3 +1,3 @@
 same
--- was
+++ is

"""
A_NEW_FILE_OF_GIT = """\
diff --git a/new b/new
new file mode 100644
index 0000000..587be6b
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+x
[… cut here]
"""


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (
            TWO_UPDATES,
            [shown("a.py", "del x", "add y"), shown("b.py", "del p", "add q", "del r")],
        ),
        (
            WHOLE_FILES,
            [
                shown("new", "add one", "add ++ two", "note \\ No newline at end of file"),
                shown("empty"),
                shown("old", "del -- three"),
            ],
        ),
        (MOVED, [shown("/w/lib/b.py, moved from /w/a.py", "del x", "add y")]),
        (
            WITHOUT_SECRETS,
            [
                shown("new.pem", "add [redacted]"),
                shown("old.pem", "del [redacted]", "add x"),
                shown("c.py", "del p", "add q"),
            ],
        ),
        (LINES_LIKE_HEADS, [shown("q.sql", "same same", "del -- was", "add ++ is", "same ")]),
        (
            A_NEW_FILE_OF_GIT,
            [shown("new", "note new file mode 100644", "add x", "note [… cut here]")],
        ),
    ],
)
def test_each_file_has_the_lines_that_are_its_own(
    page: Page, text: str, files: list[dict[str, Any]]
) -> None:
    assert files == read(page, text)


def test_each_file_that_git_names_is_there_once_with_what_became_of_it(
    page: Page, changed: str
) -> None:
    files = read(page, changed)
    told = {
        file["path"]: (
            file["added"],
            file["removed"],
            [line.removeprefix("note ") for line in file["lines"] if line.startswith("note ")],
        )
        for file in files
    }
    assert len(told) == len(files)
    moved = ["similarity index 96%", "rename from moved.txt", "rename to new place.txt"]
    assert {
        "gone.txt": ("+0", "20", ["deleted file mode 100644"]),
        "kept.txt": ("+1", "0", []),
        "made.txt": ("+2", "0", ["new file mode 100644"]),
        "new place.txt, moved from moved.txt": ("+1", "0", moved),
        "picture.png": (
            "+0",
            "0",
            ["new file mode 100644", "Binary files /dev/null and b/picture.png differ"],
        ),
        "run.sh": ("+0", "0", ["old mode 100644", "new mode 100755"]),
    } == told


def test_a_change_of_files_in_a_transcript_has_each_file_whole(
    filled_server: Server, open_page: OpenPage
) -> None:
    changes = [
        change("add", "/w/counter.rb", "---\n@@count = 0\n"),
        change("delete", "/w/old", "one\n\n@@ two\n"),
        change("update", "/w/b.py", "@@ -3 +3 @@\n-p\n+q\n"),
        change("add", "/w/empty", ""),
        change("update", "/w/c.py", "") | {"kind": {"type": "update", "move_path": "/w/lib/c.py"}},
    ]
    assert [
        shown("counter.rb", "add ---", "add @@count = 0"),
        shown("old", "del one", "del ", "del @@ two"),
        shown("b.py", "del p", "add q"),
        shown("empty"),
        shown("lib/c.py, moved from c.py"),
    ] == read(open_page(filled_server.url).page, "", changes)

"""The files by which a project configures Codex: found, read as hostile input, and shown."""

import os
import sys
from pathlib import Path

import pytest

from command_center.actors.contracts.project_configuration import NotShowable
from command_center.actors.hosts.local.codex import project_files
from command_center.actors.hosts.local.codex.project_files import (
    codex_folders,
    project_paths,
    read_configuration,
)


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A main checkout that configures Codex."""
    (tmp_path / "main" / ".git").mkdir(parents=True)
    write(tmp_path / "main" / ".codex" / "config.toml", "[mcp_servers.x]\n")
    return tmp_path / "main"


@pytest.fixture
def tree(tmp_path: Path, main: Path) -> Path:
    """A worktree of it, as git would make it."""
    write(tmp_path / "tree" / ".git", "gitdir: elsewhere\n")
    write(tmp_path / "tree" / ".codex" / "config.toml", "[mcp_servers.x]\n")
    return tmp_path / "tree"


def write(path: Path, text: str) -> None:
    """Write a file, and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_trust_is_looked_up_by_every_folder_up_to_the_checkout_and_by_the_main_one(
    tmp_path: Path,
) -> None:
    tree, main = tmp_path / "tree", tmp_path / "main"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / ".git").write_text("gitdir: elsewhere\n")
    (main / ".git").mkdir(parents=True)
    assert (
        str(tree / "a" / "b"),
        str(tree / "a"),
        str(tree),
        str(main),
    ) == project_paths(tree / "a" / "b", main)


def test_a_folder_that_is_reached_by_a_link_is_named_by_both_of_its_paths(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    (real / ".git").mkdir(parents=True)
    link.symlink_to(real)
    assert {str(real), str(link)} == set(project_paths(link, real))


def test_the_folders_that_codex_would_obey_are_those_up_to_the_checkout_and_of_the_main_one(
    tmp_path: Path,
) -> None:
    tree, main = tmp_path / "tree", tmp_path / "main"
    for folder in (tree / "a" / ".codex", tree / ".codex", main / ".codex", tmp_path / ".codex"):
        write(folder / "config.toml", "")
    (tree / ".git").write_text("gitdir: elsewhere\n")
    assert (
        str(tree / "a" / ".codex"),
        str(tree / ".codex"),
        str(main / ".codex"),
    ) == codex_folders(tree / "a", main)


def test_an_empty_folder_on_which_a_sandbox_mounts_is_neither_obeyed_nor_a_checkout(
    tree: Path,
) -> None:
    below = tree / "a"
    for name in (".codex", ".git"):
        (below / name).mkdir(parents=True)
    assert (str(tree / ".codex"),) == codex_folders(below, tree)
    assert str(tree) in project_paths(below, tree.parent / "main")


def test_a_project_without_such_files_has_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "plain" / ".git").mkdir(parents=True)
    (tmp_path / "plain" / ".codex").mkdir()
    assert read_configuration(tmp_path / "plain", tmp_path / "plain") is None


def test_what_was_trusted_in_the_main_checkout_is_so_in_a_worktree_and_no_other_content_is(
    main: Path, tree: Path
) -> None:
    trusted = read_configuration(main, main)
    again = read_configuration(tree, main)
    assert trusted is not None
    assert again is not None
    assert ({".codex/config.toml": b"[mcp_servers.x]\n"}, trusted.digest) == (
        again.files,
        again.digest,
    )
    write(tree / ".codex" / "rules" / "default.rules", "prefix_rule()\n")
    changed = read_configuration(tree, main)
    assert changed is not None
    assert changed.digest != trusted.digest


def test_hooks_of_the_main_checkout_count_in_a_worktree(main: Path, tree: Path) -> None:
    write(main / ".codex" / "hooks.json", "{}")
    found = read_configuration(tree, main)
    assert found is not None
    assert {".codex/config.toml", "main checkout/.codex/hooks.json"} == set(found.files)


def test_a_file_that_was_changed_and_changed_back_has_another_stamp_and_the_same_digest(
    main: Path,
) -> None:
    before = read_configuration(main, main)
    path = main / ".codex" / "config.toml"
    kept = path.read_bytes()
    times = path.stat()
    path.write_text("evil")
    path.write_bytes(kept)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = read_configuration(main, main)
    assert before is not None
    assert after is not None
    assert before.digest == after.digest
    assert before.stamp != after.stamp


def plant_link(folder: Path) -> None:
    """A link out of the project."""
    (folder / "secret.toml").symlink_to("/etc/passwd")


def plant_folder_link(folder: Path) -> None:
    """A link to a folder."""
    (folder / "rules").symlink_to("/etc")


def plant_fifo(folder: Path) -> None:
    """A pipe that nobody writes to, which an open would wait for."""
    if sys.platform == "win32":
        pytest.skip("Windows has no such pipes")
    else:
        os.mkfifo(folder / "pipe.toml")


def plant_much(folder: Path) -> None:
    """More bytes than can be shown."""
    (folder / "much.md").write_bytes(b"x" * (project_files.MOST_BYTES + 1))


def plant_many(folder: Path) -> None:
    """More files than can be shown."""
    for number in range(project_files.MOST_FILES + 1):
        (folder / f"{number}.md").touch()


def plant_deep(folder: Path) -> None:
    """Folders in folders."""
    folder.joinpath(*"abcdefghijkl").mkdir(parents=True)


@pytest.mark.parametrize(
    "plant", [plant_link, plant_folder_link, plant_fifo, plant_much, plant_many, plant_deep]
)
def test_what_cannot_be_shown_is_refused_and_never_waited_for(main: Path, plant: object) -> None:
    assert callable(plant)
    plant(main / ".codex")
    with pytest.raises(NotShowable):
        read_configuration(main, main)


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, main: Path) -> None:
    (main / ".codex").rename(tmp_path / "elsewhere")
    (main / ".codex").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotShowable, match="neither"):
        read_configuration(main, main)


def test_a_file_that_is_no_text_is_shown_by_its_digest(main: Path) -> None:
    (main / ".codex" / "logo.png").write_bytes(b"\x89PNG\0")
    found = read_configuration(main, main)
    assert found is not None
    assert found.texts[".codex/logo.png"].startswith("No text: 5 bytes, sha256 ")

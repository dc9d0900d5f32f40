"""Machines are touched by the adapters of hosts alone, and git is started in one place."""

import ast
from pathlib import Path

import pytest

from tests.checkout import ROOT, source_files

ADAPTERS = Path("actors", "hosts")

DIALS = {Path("actors", "nats", "connection.py"): ["trio.open_tcp_stream"]}
"""The one place beside them that opens a connection by itself: to a server, not to a machine."""

MODULES = {
    "ctypes",
    "fcntl",
    "glob",
    "mmap",
    "multiprocessing",
    "psutil",
    "pty",
    "resource",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "tempfile",
}
"""Modules that are about a machine."""

PURE = {"fsdecode", "fsencode", "fspath", "name", "path.normcase", "path.normpath"}
"""The things in `os` that only look at what they are given."""

TRIO = {
    "Path",
    "open_file",
    "open_process",
    "open_tcp_stream",
    "open_unix_socket",
    "run_process",
}
"""The things in `trio` that reach a machine."""

DISK = {
    "absolute",
    "chmod",
    "cwd",
    "exists",
    "expanduser",
    "hardlink_to",
    "home",
    "is_dir",
    "is_file",
    "is_symlink",
    "iterdir",
    "lstat",
    "mkdir",
    "open",
    "read_bytes",
    "read_text",
    "readlink",
    "resolve",
    "rglob",
    "rmdir",
    "samefile",
    "stat",
    "symlink_to",
    "touch",
    "unlink",
    "write_bytes",
    "write_text",
}
"""The methods of a `Path` that look at a disk, or change it."""

NAMESAKES = (".folders", ".git", "._requests", "._thread")
"""Things that have methods of such names, and touch no machine by themselves."""


def touches(source: str) -> list[str]:
    """Return what in a module reaches a machine, as it is written there."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [name.name for name in names if name.name.split(".")[0] in MODULES]
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in {*MODULES, "os"}:
                found.append(module)
            case ast.Attribute():
                name = ast.unparse(node)
                if name.startswith("os.") and name[3:] not in {*PURE, "path"}:
                    found.append(name)
                if name.startswith("trio.") and node.attr in TRIO:
                    found.append(name)
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in DISK:
                if not f".{ast.unparse(value)}".endswith(NAMESAKES):
                    found.append(ast.unparse(node.func))
            case ast.Call(func=ast.Name(id="open")):
                found.append("open")
    return found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import subprocess", ["subprocess"]),
        ("import os.path", []),
        ("from os import path", ["os"]),
        ("os.environ['HOME']", ["os.environ"]),
        ("os.path.realpath(text)", ["os.path.realpath"]),
        ("os.path.normcase(text)", []),
        ("trio.lowlevel.open_process(command)", ["trio.lowlevel.open_process"]),
        ("trio.to_thread.run_sync(work)", []),
        ("Path(text).resolve()", ["Path(text).resolve"]),
        ("host.folders.resolve(text, field)", []),
        ("main.git.open(path)", []),
        ("path.open()", ["path.open"]),
        ("open(path)", ["open"]),
    ],
)
def test_what_touches_a_machine_is_found(line: str, found: list[str]) -> None:
    assert found == touches(line)


def test_actors_touch_a_machine_through_a_host_alone() -> None:
    touching = {
        path: found
        for path in source_files()
        if path.parts[0] == "actors" and not path.is_relative_to(ADAPTERS)
        for found in [touches((ROOT / path).read_text(encoding="utf-8"))]
        if found
    }
    assert DIALS == touching


def test_this_machine_is_touched_by_local_and_by_what_brings_it_to_another() -> None:
    touching = {
        path.parts[2]
        for path in source_files()
        if path.is_relative_to(ADAPTERS) and touches((ROOT / path).read_text(encoding="utf-8"))
    }
    assert {"daemon", "far", "local", "ssh"} == touching


STARTERS = {
    "Popen",
    "call",
    "check_call",
    "check_output",
    "execv",
    "execve",
    "open_process",
    "run_process",
    "spawnv",
    "system",
}
PORT = Path("actors", "git", "ports.py")
GIT = ADAPTERS / "local" / "git"


def starts(path: Path) -> set[str]:
    """The functions that start a program which a file calls."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    return called & STARTERS


def names_git(path: Path) -> bool:
    """Return whether a file has the program's name as a text, or takes it from the port.

    A field's value that says where something comes from is none, nor is the type of that field.
    """
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    others = {
        id(inner)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal")
        or (isinstance(node, ast.keyword) and node.arg == "source")
        for inner in ast.walk(node)
    }
    return any(
        isinstance(node, ast.Constant) and node.value == "git" and id(node) not in others
        for node in ast.walk(tree)
    )


def test_only_the_port_of_git_names_the_program() -> None:
    assert [PORT] == [path for path in source_files() if names_git(path)]


def test_git_is_started_in_one_file_alone() -> None:
    files = [
        path
        for path in source_files()
        if path.is_relative_to(GIT) or path.parts[:2] == PORT.parts[:2]
    ]
    assert [GIT / "process.py"] == [path for path in files if starts(path)]

"""The page's modules against the API's types: TypeScript reads them and finds nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.declarations import DECLARATIONS, declarations
from tests.browser.npm import brought
from tests.checkout import ROOT, run

WEB = ROOT / "http" / "web"
COMPILER = ROOT / "tests" / "browser" / "typescript"
"""The folder that pins the compiler, and the hashes of what npm may install."""


@pytest.fixture(scope="module")
def compiler() -> Path:
    """TypeScript's compiler, a program of its own, as npm has brought it."""
    modules = brought(COMPILER, "typescript")
    programs = [*modules.glob("@typescript/typescript-*/lib/tsc")]
    programs += modules.glob("@typescript/typescript-*/lib/tsc.exe")
    return programs[0]


def checked(compiler: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return run(compiler, "--project", folder / "jsconfig.json", "--pretty", "false")


def test_the_declarations_are_those_of_the_api_as_it_is() -> None:
    """If not, `python -m tests.browser.declarations` writes them anew."""
    assert declarations() == DECLARATIONS.read_text(encoding="utf-8")


def test_the_modules_fit_the_types_of_the_api(compiler: Path) -> None:
    done = checked(compiler, WEB)
    assert (0, "") == (done.returncode, done.stdout)


PLANTED = (
    ("state.sessions.get(1)?.finishedAtt;", "Property 'finishedAtt' does not exist"),
    ('(await get("/api/sessions")).items[0].repository;', "Property 'repository' does not"),
    ('await get("/api/session");', "is not assignable to parameter"),
    (
        "await get(`/api/sessions/${1}`, { status: 1 });",
        "'number' is not assignable to type 'never'",
    ),
    ('await post("/api/tasks/1/run", { sandbx: "read-only" });', "'sandbx' does not exist"),
    ('await post("/api/tasks/1/run", { sandbox: "none" });', '"none"\' is not assignable'),
    ("clock(await get(`/api/tasks/${1}`));", "'Task' is not assignable to parameter"),
)
"""Statements that do not fit the API, each with what the compiler says of it."""


def test_whatever_does_not_fit_is_found(tmp_path: Path, compiler: Path) -> None:
    shutil.copytree(WEB, tmp_path, dirs_exist_ok=True)
    head = (
        "// @ts-check\n"
        'import { get, post } from "../api.js";\n'
        'import { clock } from "../format.js";\n'
        'import { state } from "../store.js";\n'
        "export const used = [clock, get, post, state];\n"
    )
    for number, (statement, _) in enumerate(PLANTED):
        module = tmp_path / "screens" / f"planted_{number}.js"
        module.write_text(head + statement + "\n", encoding="utf-8")
    done = checked(compiler, tmp_path)
    assert 0 != done.returncode
    assert len(PLANTED) == done.stdout.count("error TS"), done.stdout
    # What is said further of a fault is set in, on lines of its own.
    faults = re.findall(r"^.*screens/planted_(\d)\.js\(6,(.*(?:\n .*)*)", done.stdout, re.MULTILINE)
    assert [str(number) for number in range(len(PLANTED))] == sorted(n for n, _ in faults)
    for number, fault in faults:
        assert PLANTED[int(number)][1] in fault

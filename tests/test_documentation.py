"""The documentation is complete and true: settings, routes, event types, links, names of files."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_center.actors.contracts.events.catalogue import EVENTS
from command_center.actors.core.events import BUFFER, BUFFER_BYTES
from command_center.http.config.settings import DECLARATIONS, OF_COMMANDS
from command_center.http.middleware.gate import Policy
from command_center.http.middleware.signin import LIFE_SECONDS
from command_center.http.transport.accept import DESCRIPTORS
from command_center.http.transport.channel import ConnectionLimits
from command_center.http.transport.websocket import TOO_BIG
from command_center.http.wire.codec import MAX_DEPTH
from tests.checkout import ROOT, pyproject, source_files
from tests.http.catalogue import rows

MIGRATION = re.compile(r"m\d{4}_\w+")
"""The name of a module that is one migration, and says by that what it does."""

PAGES = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "http" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows_of(page: str) -> dict[str, list[str]]:
    """The rows of a page's tables by their first cell, which stands in backquotes."""
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|$", text_of(page), re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def calls_in(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_every_setting_is_documented_with_its_default() -> None:
    rows = rows_of("docs/settings.md")
    assert {*(d.variable for d in DECLARATIONS.values()), "CC_CONFIG"} == rows.keys()
    for declaration in DECLARATIONS.values():
        told = rows[declaration.variable][0]
        match declaration.default:
            case None | ():
                assert "`" not in told, declaration.variable
            case tuple(words):
                assert f"`{' '.join(words)}`" == told
            case str() | int() as value:
                assert f"`{value}`" == told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {*(d.variable for d in DECLARATIONS.values()), *OF_COMMANDS, "CC_MAX_SESION"}
    named = re.findall(r"\bCC_[A-Z][A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8"))
    assert [] == [name for name in named if name not in known and "CC_TEST_" not in name]


def test_every_layer_of_http_is_introduced_in_its_readme() -> None:
    told = re.findall(r"^\| (.+?) \|", text_of("http/README.md"), re.MULTILINE)
    named = {name for cell in told for name in re.findall(r"`(\w+)`", cell)}
    layers = {Path(path.parts[1]).stem for path in source_files() if path.parts[0] == "http"}
    assert layers - {"__main__"} == named


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in source_files()} - {Path("http")}), ids=str
)
def test_every_module_is_introduced_where_its_folder_is(folder: Path) -> None:
    introduction = ast.get_docstring(parsed(folder / "__init__.py")) or ""
    modules = {path.stem for path in source_files() if path.parent == folder} - {"__init__"}
    modules = {name for name in modules if not MIGRATION.fullmatch(name)}
    folders = {path.parent.name for path in source_files() if path.parent.parent == folder}
    assert set() == (modules | folders) - set(re.findall(r"`(\w+)`", introduction))


def test_the_limits_that_security_promises_are_those_of_the_program() -> None:
    limits, policy = ConnectionLimits(), Policy()
    page = " ".join(text_of("docs/security.md").split())
    for promised in (
        f"One head has {limits.head_bytes // 1024} KiB (431) and {limits.head:.0f} seconds (408)",
        f"a body {policy.body_limit // 2**20} MiB (413,",
        f"and {policy.body_seconds:.0f} seconds (408); a WebSocket",
        f"a WebSocket message {limits.message_bytes // 2**20} MiB (close code {TOO_BIG})",
        f"an idle connection {limits.idle:.0f} seconds",
        f"a client that does not read what it is sent, {limits.write:.0f} seconds",
        f"a WebSocket that answers no ping, {2 * limits.heartbeat:.0f};",
        f"more than {BUFFER:,} events or {BUFFER_BYTES // 2**20} MiB behind",
        f"it comes to {limits.unsent_bytes // 2**20} MiB over all of them",
        f"Nesting deeper than {MAX_DEPTH} levels",
        f"There may be {limits.connections:,}, or",
        f"it asks the system for {DESCRIPTORS:,}",
        f"good for {LIFE_SECONDS // 86400} days",
    ):
        assert promised in page
    assert (20, 60) == (policy.wrong_tokens, policy.wrong_token_seconds)
    assert "Twenty wrong tokens within a minute" in page


def test_the_design_names_each_token_and_no_other() -> None:
    tokens = re.findall(r"^ +(--[a-z-]+):", text_of("http/web/styles/tokens.css"), re.MULTILINE)
    told = re.findall(r"`(--[a-z-]+)`", text_of("docs/design.md"))
    assert {*tokens} == {*told}


def test_the_table_of_events_says_what_their_classes_say() -> None:
    told = {kind: [" ".join((event.__doc__ or "").split())] for kind, event in EVENTS.items()}
    assert told == rows_of("docs/events.md")


def test_the_catalogue_of_who_may_do_what_is_that_of_the_declarations() -> None:
    """`uv run python -m tests.http.catalogue` writes it."""
    told = re.findall(r"^\| `(?:[A-Z]+|WebSocket) /.*", text_of("docs/devices.md"), re.MULTILINE)
    assert rows() == told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    for link in links:
        target, _, anchor = link.partition("#")
        if target.startswith(("https://", "http://")):
            continue
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), link
        if anchor:
            assert anchor in anchors_of(found), link


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    waiting = [*reached]
    while waiting:
        page = waiting.pop()
        for link in re.findall(r"\]\(([^)#\s]+\.md)", page.read_text(encoding="utf-8")):
            found = (page.parent / link).resolve()
            if found not in reached and found.exists():
                reached.add(found)
                waiting.append(found)
    assert [] == [str(page) for page in PAGES if page not in reached]


def test_no_text_names_a_page_that_does_not_exist_or_a_folder_of_one_machine() -> None:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the git that made the checkout
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    if not names:
        pytest.skip("this is no git checkout")
    pages = {Path(name).name for name in names if name.endswith(".md")} | {"AGENTS.md"}
    for name in names:
        path = ROOT / name
        if not path.is_file() or path.is_symlink() or name == "uv.lock":
            continue
        if path.suffix in {".png", ".webp"}:
            continue
        text = path.read_text(encoding="utf-8")
        if not name.startswith("tests/") and "vendor" not in path.parts:
            named = set(re.findall(r"\b[\w-]+\.md\b", text))
            assert set() == named - pages, name
        assert [] == re.findall(r"(?<![\w.])/(?:work|root|home/\w+)/\S*", text), name


def test_the_lock_file_names_only_the_public_index() -> None:
    lock = text_of("uv.lock")
    hosts = set(re.findall(r"https?://([^/\"]+)", lock))
    assert {"pypi.org", "files.pythonhosted.org"} == hosts


def test_the_workflow_runs_the_test_command_on_every_system_and_python_that_is_promised() -> None:
    workflow = text_of(".github/workflows/test.yml")
    promised = " ".join(pyproject()["project"]["classifiers"])
    pythons = re.findall(r"Python :: (\d+\.\d+)", promised)
    assert pythons == re.findall(r'"(\d+\.\d+)"', workflow)
    runners = {"ubuntu-latest": "Linux", "macos-latest": "MacOS", "windows-latest": "Windows"}
    (listed,) = re.findall(r"os: \[(.*)\]", workflow)
    assert set(runners) == set(listed.split(", "))
    assert all(system in promised for system in runners.values())
    for text in (workflow, text_of(".ci/run")):
        assert "uv run --locked pytest" in text


def test_the_hooks_before_a_commit_are_the_tools_that_contributing_names() -> None:
    hooks = re.findall(r"entry: uv run --locked (.+)", text_of(".pre-commit-config.yaml"))
    assert hooks
    contributing = text_of("CONTRIBUTING.md")
    for command in ("ruff format", "ruff check", "mypy"):
        assert f"uv run {command}" in contributing
        assert any(hook.startswith(command) for hook in hooks), command

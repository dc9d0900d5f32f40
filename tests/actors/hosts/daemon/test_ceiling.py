"""A hostile server asks a host over the link for what its user does not allow."""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import Way
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.bridges import AppServer
from command_center.actors.git.ports import Git, Writes
from command_center.actors.hosts.daemon.ceiling import (
    BeyondCeiling,
    Ceiling,
    make_ceiling,
    read_ceiling,
)
from command_center.actors.hosts.daemon.held_codex import HeldCodex
from command_center.actors.hosts.daemon.held_folders import HeldFolders
from command_center.actors.hosts.daemon.held_git import OPTIONS, HeldGit
from command_center.actors.hosts.daemon.wire_rules import WireRules
from command_center.actors.hosts.link.calling import parts_of
from command_center.actors.hosts.link.channels import Channels, LinkEnded
from command_center.actors.hosts.link.serving import Served
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.actors.rules.errors import Conflict, Invalid
from tests.actors.git.repository import make_repository, plain_git
from tests.checkout import ROOT

REFUSED = "The host does not allow"


@attrs.define(eq=False)
class FakeWire:
    """An app-server that notes what it is sent."""

    sent: list[dict[str, Any]] = attrs.field(factory=list)
    process_id: int | None = None
    heard: trio.Event = attrs.field(factory=trio.Event)
    _come: Any = attrs.field(factory=lambda: trio.open_memory_channel[bytes](10))

    async def send(self, message: bytes) -> None:
        self.sent.append(json.loads(message))
        self.heard.set()

    def say(self, **message: Any) -> None:
        self._come[0].send_nowait(json.dumps(message).encode())

    async def receive(self) -> bytes:
        found: bytes = await self._come[1].receive()
        return found

    async def aclose(self) -> None:
        self._come[0].close()


@attrs.frozen
class FakeCodex(LocalCodex):
    """Codex whose app-server is that one."""

    wire: FakeWire = attrs.field(kw_only=True)

    async def connect(self, nursery: trio.Nursery) -> Way:  # noqa: ARG002 - the port's
        return Way(self.wire, AppServer.DETACHED, "It is a test's.")


@asynccontextmanager
async def linked(ceiling: Ceiling, wire: FakeWire | None = None) -> AsyncIterator[Any]:
    """The server's ends of the parts of a host with that ceiling."""
    ours, theirs = trio.testing.memory_stream_pair()
    standing = Standing("box")
    own = ceiling.own
    served = Served(
        HeldFolders(own, ceiling.roots, ceiling=ceiling),
        HeldGit(LocalGit(GitProgram(own / "git-work")), ceiling),
        HeldCodex(FakeCodex(BridgeSettings(), wire=wire or FakeWire()), ceiling),
    )
    link = Channels(ours, ours)

    async def run(work: Any, *arguments: Any) -> None:
        with contextlib.suppress(LinkEnded):
            await work(*arguments)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, served.serve, theirs, theirs)
        nursery.start_soon(run, link.run)
        standing.connected(link)
        yield parts_of(standing, BridgeSettings())
        nursery.cancel_scope.cancel()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of the host, with a project; another lies beside it."""
    (tmp_path / "root" / "project").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "elsewhere")
    return tmp_path / "root"


@pytest.fixture
def repositories(root: Path) -> Path:
    """The same, where both projects are repositories."""
    for project in (root / "project", root.parent / "elsewhere"):
        project.rmdir()
        make_repository(project)
    return root


def ceiling_of(root: Path, *allows: str) -> Ceiling:
    return make_ceiling(root.parent / "own", [root], allows)


async def test_what_lies_outside_of_the_roots_is_refused(repositories: Path) -> None:
    root = repositories
    async with linked(ceiling_of(root, "write", "commit")) as (folders, git, codex):
        outside = [root.parent / "elsewhere", root / "link", root / ".." / "elsewhere"]
        for path in outside:
            with pytest.raises(Conflict, match=REFUSED):
                await git.open(path)
            with pytest.raises(Invalid):
                await folders.resolve(str(path), "localPath")
            with pytest.raises(Conflict, match=REFUSED):
                await codex.read_configuration(path, path)
            with pytest.raises(Conflict, match=REFUSED):
                await git.make_folder(path / "new")
        opened = await git.open(root / "project")
        assert 40 == len((await opened.run("rev-parse", "--verify", "HEAD")).text)


async def test_a_checkout_that_the_server_makes_up_runs_nothing(repositories: Path) -> None:
    root = repositories
    async with linked(ceiling_of(root, "write", "commit", "push")) as (_, git, _codex):
        opened = await git.open(root / "project")
        for made_up in (
            attrs.evolve(opened, settings=b"[core]\n\tsshCommand = touch /tmp/x\n"),
            attrs.evolve(opened, layout=attrs.evolve(opened.layout, path=root.parent)),
            attrs.evolve(opened, user=(("core.fsmonitor", "touch x"),)),
        ):
            with pytest.raises(Conflict, match="not opened here"):
                await git.run(made_up, _command("status"))


def _command(*words: str, **more: Any) -> Any:
    from command_center.actors.git.ports import GitCommand  # noqa: PLC0415

    return GitCommand(arguments=words, **more)


@pytest.mark.parametrize(
    ("allows", "command"),
    [
        ((), _command("commit-tree", "HEAD", signs=True)),
        ((), _command("commit-tree", "--gpg-sign", "HEAD")),
        ((), _command("commit-tree", "--gpg-sign=/srv/key", "HEAD")),
        (("write",), _command("update-ref", "HEAD", "0" * 40, writes=Writes.REFS)),
        (("write",), _command("update-ref", "main-worktree/HEAD", "0" * 40)),
        (("write",), _command("symbolic-ref", "-d", "refs/remotes/origin/HEAD")),
        ((), _command("worktree", "add", "--", "/x")),
        ((), _command("read-tree", "--reset", "-u", "HEAD")),
        ((), _command("update-ref", "refs/heads/main", "0" * 40, writes=Writes.REFS)),
        ((), _command("update-ref", "--stdin", sent=b"x", writes=Writes.REFS)),
        ((), _command("symbolic-ref", "HEAD", "refs/heads/x")),
        ((), _command("worktree", "add", "x", writes=Writes.WORKTREES)),
        ((), _command("read-tree", "-u", "HEAD", writes=Writes.TREE)),
        (("write", "commit"), _command("push", "origin", reaches=True)),
        (("write", "commit"), _command("ls-remote", "origin")),
        (("write", "commit", "push"), _command("push", "ext::sh -c x", reaches=True)),
        (("write", "commit", "push"), _command("push", "--receive-pack=x", "a", reaches=True)),
        (("write", "commit", "push"), _command("log", reaches=True)),
        (("write", "commit", "push"), _command("-c", "core.pager=x", "log")),
        (("write", "commit", "push"), _command("grep", "-Ox", "a")),
        (("write", "commit", "push"), _command("diff", "--no-index", "/etc/passwd", "/")),
        (("write", "commit", "push"), _command("diff", "--output=/tmp/x")),
        (("write", "commit", "push"), _command("log", extra={"GIT_SSH_COMMAND": "x"})),
        (("write", "commit", "push"), _command("fetch", "origin")),
        (("write", "commit", "push"), _command("worktree", "add", "/etc/x")),
        (("write", "commit", "push"), _command("worktree", "add", "link/x")),
        (("write", "commit", "push"), _command("checkout-index", "--prefix=/etc/")),
        (("write", "commit", "push"), _command("commit", "-F/etc/passwd")),
        (("write", "commit", "push"), _command("hash-object", "-w", "/etc/passwd")),
        (("write", "commit", "push"), _command("hash-object", "-w", "a/../../passwd")),
        (("write", "commit", "push"), _command("alias")),
        # git takes a beginning of an option for it, and letters behind one dash
        (("write", "commit", "push"), _command("push", "--receive-p=x", "ssh://a/b", reaches=True)),
        (("write", "commit", "push"), _command("ls-remote", "--upload-p=x", "ssh://a/b")),
        (("write", "commit", "push"), _command("push", "--exe=x", "ssh://a/b", reaches=True)),
        (("write", "commit", "push"), _command("diff", "--outp=x")),
        (("write", "commit", "push"), _command("diff", "--no-ind", "link/a", "link/b")),
        (("write", "commit", "push"), _command("grep", "-nf/etc/passwd")),
        (("write", "commit", "push"), _command("log", signs=True)),
        (("write", "commit", "push"), _command("hash-object", "--stdin-paths", sent=b"/etc/x")),
        (("write", "commit", "push"), _command("commit", "-qF/etc/passwd")),
        (("write", "commit", "push"), _command("reset", "--hard", "HEAD~1")),
        (("write", "commit", "push"), _command("worktree", "move", "a", "b")),
        (("write", "commit", "push"), _command("diff", index_of="--index-output=x")),
        (("write", "commit", "push"), _command("status", branch="x\nref: refs/heads/y")),
        (("write", "commit", "push"), _command("status", also=(Path("/etc"),))),
    ],
)
async def test_a_command_of_git_beyond_the_ceiling_is_refused(
    root: Path, allows: tuple[str, ...], command: Any
) -> None:
    git: Git = HeldGit(LocalGit(GitProgram(root.parent / "work")), ceiling_of(root, *allows))
    with pytest.raises(BeyondCeiling):
        await git.run(object(), command)  # type: ignore[arg-type]  # it is not come to


async def test_what_the_server_asks_of_git_is_known_to_a_host(repositories: Path) -> None:
    root = repositories
    git = HeldGit(LocalGit(GitProgram(root.parent / "work")), ceiling_of(root, "write", "commit"))
    opened = await git.open(root / "project")
    (root / "project" / ".env").write_text("x")
    (root / "project" / "~$notes").write_text("x")
    found = await opened.run(
        "ls-files", "-z", "--others", "--ignored", "--exclude=/.env", "--exclude=~*"
    )
    assert ".env\0~$notes\0" == found.text
    await opened.run(
        *("check-ignore", "-z", "--stdin", "--no-index"),
        extra={"GIT_LITERAL_PATHSPECS": "0"},
        sent=b".env\0",
        accepted=(0, 1),
    )
    await opened.run("diff", "--", "~$notes")
    sha = (await opened.run("rev-parse", "HEAD")).text
    await opened.run("update-ref", "refs/heads/new", sha, writes=Writes.REFS)
    options = {
        str(node.value).partition("=")[0]
        for file in (ROOT / "actors" / "git").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and re.match(r"--?[\w-]", str(node.value))
    }
    assert options <= OPTIONS | {"-?[0-9]{1,9}[kmg]?", "--end-of-options", "--"}


def sandbox(kind: str, **more: Any) -> dict[str, Any]:
    return {"sandboxPolicy": {"type": kind, **more}}


def turn(**params: Any) -> dict[str, Any]:
    return {"method": "turn/start", "id": 9, "params": {"threadId": "t", **params}}


def start(**params: Any) -> dict[str, Any]:
    return {"method": "thread/start", "id": 8, "params": params}


READ_ONLY = sandbox("readOnly", networkAccess=False)

HOSTILE: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("write",), {"method": "command/exec", "id": 1, "params": {"command": ["sh"]}}),
    (("write",), {"method": "config/value/write", "id": 1, "params": {}}),
    (("write",), {"method": "fs/writeFile", "id": 1, "params": {"path": "/x"}}),
    (("write",), {"method": "fs/readFile", "id": 1, "params": {"path": "/etc/passwd"}}),
    (("write",), {"method": "fs/readFile", "id": 1, "params": {"path": "/a/rules/../../x"}}),
    (("write",), {"method": "account/login/start", "id": 1, "params": {"type": "apiKey"}}),
    (("write",), {"method": "account/logout", "id": 1}),
    (("write",), {"method": 7, "id": 1}),
    (("write",), start(sandbox="danger-full-access")),
    ((), start(sandbox="workspace-write")),
    (("write",), start(sandbox="read-only", cwd="/etc")),
    (("write",), start(sandbox="read-only", runtimeWorkspaceRoots=["/"])),
    (("write",), start(sandbox="workspace-write", cwd="ROOT/project/.git/hooks")),
    (("write",), start(sandbox="workspace-write", runtimeWorkspaceRoots=["ROOT/project/.GIT"])),
    (("write",), turn(**sandbox("workspaceWrite", writableRoots=["ROOT/project/.git"]))),
    (
        ("write",),
        start(config={"sandbox_workspace_write.writable_roots": ["ROOT/project/.git"]}),
    ),
    *(
        (
            ("write", "commit"),
            turn(**sandbox("workspaceWrite", writableRoots=[f"ROOT/project/{place}"])),
        )
        for place in (
            *(".git", ".GIT", ".git/hooks", ".git/worktrees", ".git/modules/a", ".git/objects/.."),
            *(".git/config", ".git/worktrees/../hooks"),
        )
    ),
    (("write",), start(sandbox="read-only", environments=[])),
    (("write",), start(sandbox="read-only", approvalsReviewer="auto_review")),
    (("write",), start(permissions=":danger-full-access")),
    (("write",), start(config={"mcp_servers": {"x": {"command": "sh"}}})),
    (("write",), start(config={"projects": {"/p": {"trust_level": "trusted"}}})),
    (("write",), start(config={"notify": ["sh"]})),
    (("write",), start(config={"features.shell_tool": True})),
    (("write",), start(config={"sandbox_workspace_write.network_access": True})),
    (("write",), start(config={"sandbox_workspace_write.writable_roots": ["/"]})),
    (
        ("write",),
        start(config={"permissions.command-center-0123456789abcdef": {"extends": ":danger"}}),
    ),
    (
        ("write",),
        start(
            config={
                "permissions.command-center-0123456789abcdef": {
                    "extends": ":workspace",
                    "filesystem": {"/": "write"},
                }
            }
        ),
    ),
    (("write",), turn(input=[])),
    (("write",), turn(**sandbox("dangerFullAccess"))),
    (("write",), turn(**sandbox("externalSandbox"))),
    (("write",), turn(**sandbox("workspaceWrite", networkAccess=True))),
    (("write",), turn(**sandbox("workspaceWrite", writableRoots=["/etc"]))),
    (("write",), turn(**READ_ONLY, input=[{"type": "localImage", "path": "/etc/passwd"}])),
    (("write",), turn(**READ_ONLY, input=[{"type": "skill", "path": "/x"}])),
    (("write",), {**turn(**READ_ONLY), "params": {**READ_ONLY, "threadId": "loose"}}),
    (("write",), {"method": "turn/steer", "id": 1, "params": {"threadId": "loose"}}),
    (("write",), turn(sandboxPolicy="readOnly")),
    (("write",), turn(**READ_ONLY, input="text")),
    (("write",), turn(**READ_ONLY, cwd="/a\0b")),
    (("write",), start(sandbox=["read-only"], config=[])),
    (("write",), {"id": 77, "result": {"decision": "accept"}}),
    (("write",), {**turn(**READ_ONLY), "params": {**READ_ONLY, "threadId": "elsewhere"}}),
    (("write",), {"method": "thread/list", "id": 1, "result": {"decision": "accept"}}),
    (("write",), start(config={"features.exec_policy": False})),
    (("write",), start(config={"tools.web_search": True})),
    (("write",), {"method": "fs/readFile", "id": 1, "params": {"path": "/x/rules/auth.json"}}),
]


def ask(rules: WireRules, message: Mapping[str, Any]) -> dict[str, Any]:
    """The message as it goes to Codex."""
    found: dict[str, Any] = json.loads(rules.outgoing(json.dumps(message).encode()))
    return found


def confined(root: Path, *allows: str) -> WireRules:
    """The rules once three threads are open, of which only `t` is as it may be."""
    rules = WireRules(ceiling_of(root, *allows), root.parent / "codex")
    for thread, kind, cwd in (
        ("t", "readOnly", root),
        ("loose", "dangerFullAccess", root),
        ("elsewhere", "readOnly", root.parent),
    ):
        ask(rules, {"method": "thread/resume", "id": thread, "params": {"threadId": thread}})
        opened = {"thread": {"id": thread}, "sandbox": {"type": kind}, "cwd": str(cwd)}
        rules.incoming(json.dumps({"id": thread, "result": opened}))
    return rules


@pytest.mark.parametrize(("allows", "message"), HOSTILE)
def test_what_codex_may_not_do_there_never_reaches_it(
    root: Path, allows: tuple[str, ...], message: dict[str, Any]
) -> None:
    rules = confined(root, *allows)
    placed = json.loads(json.dumps(message).replace("ROOT", root.as_posix()))
    with pytest.raises(BeyondCeiling, match=REFUSED):
        ask(rules, placed)


def test_what_is_within_the_ceiling_reaches_codex_as_it_was_read(root: Path) -> None:
    rules = confined(root, "write", "network")
    project = str(root / "project")
    for message in (
        {"method": "initialized"},
        {"method": "thread/list", "id": 3, "params": {"limit": 1}},
        turn(**sandbox("workspaceWrite", networkAccess=True, writableRoots=[project])),
        {"method": "turn/steer", "id": 4, "params": {"threadId": "t", "input": []}},
    ):
        assert message == ask(rules, message)
    twice = b'{"id": 1, "method": "command/exec", "method": "thread/list"}'
    assert {"id": 1, "method": "thread/list"} == json.loads(rules.outgoing(twice))


def test_a_commit_in_a_worktree_has_the_folders_that_it_needs(root: Path) -> None:
    git = root / "project" / ".git"
    needed = [str(git / name) for name in ("worktrees/w", "objects", "refs", "logs")]
    message = turn(**sandbox("workspaceWrite", writableRoots=needed))
    assert message == ask(confined(root, "write", "commit"), message)
    whole = turn(**sandbox("workspaceWrite", writableRoots=[str(git)]))
    assert whole == ask(confined(root, "write", "commit", "escalation"), whole)


async def test_a_main_checkout_lets_no_commit_write_beside_its_hooks(repositories: Path) -> None:
    root = repositories
    plain_git(root / "project", "worktree", "add", "--quiet", str(root / "linked"))
    for allows, count in ((("write", "commit"), 0), (("write", "commit", "escalation"), 1)):
        async with linked(ceiling_of(root, *allows)) as (_, git, _codex):
            assert count == len(await git.commit_folders(await git.open(root / "project")))
            main = await git.open(root / "project")
            tree = await git.open(root / "linked", common_dir=main.common_dir)
            assert 3 <= len(await git.commit_folders(tree))


def test_no_file_of_a_project_is_obeyed(root: Path) -> None:
    """Codex starts programs of one that is trusted, and trusts one in which it may write."""
    rules = confined(root, "write")
    (root.parent / "codex").mkdir()
    config = root.parent / "codex" / "config.toml"
    config.write_text('[projects."/trusted"]\ntrust_level = "trusted"\n')
    never = {"trust_level": "untrusted"}
    link = root / "inner"
    link.symlink_to(root / "project")
    sent = ask(
        rules, start(cwd=str(link), sandbox="workspace-write", config={"features.goals": True})
    )
    config_sent = sent["params"]["config"]
    assert config_sent["features.goals"] is True
    for folder in ("/trusted", link, root / "project", root, root.parent):
        assert never == config_sent["projects"][str(folder)], folder
    joined = {"method": "thread/resume", "id": 1, "params": {"threadId": "t"}}
    assert {"/trusted": never} == ask(rules, joined)["params"]["config"]["projects"]
    config.write_text("[")
    with pytest.raises(BeyondCeiling, match="cannot be read"):
        ask(rules, joined)


def test_an_approval_beside_an_error_is_no_approval(root: Path) -> None:
    rules = confined(root, "write")
    method = "item/commandExecution/requestApproval"
    rules.incoming(json.dumps({"method": method, "id": 1, "params": {}}))
    error = {"code": 1, "message": "x"}
    both = {"id": 1, "error": error, "result": {"decision": "accept"}}
    assert {"id": 1, "error": error} == ask(rules, both)


def test_no_tool_outside_of_the_sandbox_is_approved_without_escalation(root: Path) -> None:
    rules = confined(root, "write")
    method = "mcpServer/elicitation/request"
    accepted = {"action": "accept", "content": {}}
    for meta, expected in (
        ({"codex_approval_kind": "mcp_tool_call"}, {"action": "decline"}),
        ({}, accepted),
    ):
        rules.incoming(json.dumps({"method": method, "id": 1, "params": {"_meta": meta}}))
        assert {"id": 1, "result": expected} == ask(rules, {"id": 1, "result": accepted})
    params = {"questions": [{"id": "mcp_tool_call_approval_1"}]}
    asked = {"method": "item/tool/requestUserInput", "id": 2, "params": params}
    rules.incoming(json.dumps(asked))
    assert "error" in ask(rules, {"id": 2, "result": {"answers": {}}})


def test_no_approval_leaves_the_sandbox_without_escalation(root: Path) -> None:
    rules = confined(root, "write")
    for number, method in enumerate(
        (
            "item/commandExecution/requestApproval",
            "item/fileChange/requestApproval",
            "execCommandApproval",
        )
    ):
        granted: tuple[Any, ...] = ("accept", "acceptForSession", {"acceptWithAmendment": {}})
        for answer in granted:
            rules.incoming(json.dumps({"method": method, "id": number, "params": {}}))
            said = ask(rules, {"id": number, "result": {"decision": answer}})
            assert {"id": number, "result": {"decision": "decline"}} == said
        rules.incoming(json.dumps({"method": method, "id": number, "params": {}}))
        said = ask(rules, {"id": number, "result": {"decision": "cancel"}})
        assert {"decision": "cancel"} == said["result"]
    asked = {"method": "item/permissions/requestApproval", "id": 5, "params": {}}
    rules.incoming(json.dumps(asked))
    assert "error" in ask(rules, {"id": 5, "result": {"permissions": {"network": True}}})
    asked = {"method": "item/tool/requestUserInput", "id": 6, "params": {}}
    rules.incoming(json.dumps(asked))
    told: dict[str, Any] = {"id": 6, "result": {"answers": {}}}
    assert told == ask(rules, told)
    with pytest.raises(BeyondCeiling, match="was not asked"):
        ask(rules, told)


async def test_of_what_lies_outside_of_the_roots_the_folders_tell_nothing(root: Path) -> None:
    (root / "project" / "file").write_bytes(bytes(10))
    (root.parent / "elsewhere" / "file").write_bytes(bytes(20))
    async with linked(ceiling_of(root)) as (folders, _git, _codex):
        assert 10 == await folders.size(root / "project")
        assert await folders.same(root / "project", root / "." / "project")
        for outside in (root.parent / "elsewhere", root / "link", root / ".." / "elsewhere"):
            with pytest.raises(Conflict, match=REFUSED):
                await folders.size(outside)
            with pytest.raises(Conflict, match=REFUSED):
                await folders.hidden_from(outside, writes=True)
            assert not await folders.same(outside, outside)
            assert not await folders.within(outside, root.parent)
            assert not await folders.may_have(outside)
            for named in (outside, outside / "missing"):  # it is not told if that is there
                with pytest.raises(Invalid, match="outside the folders"):
                    await folders.resolve(str(named), "localPath")
                with pytest.raises(Invalid, match="outside the folders"):
                    await folders.resolve_new(str(named), "localPath")


@pytest.mark.parametrize(
    "method",
    [
        *("thread/archive", "thread/unarchive", "thread/name/set", "thread/goal/clear"),
        *("thread/delete", "thread/revert"),
    ],
)
async def test_a_thread_that_works_elsewhere_is_neither_changed_nor_deleted(
    root: Path, method: str
) -> None:
    wire = FakeWire()
    places = {"theirs": root.parent / "elsewhere", "linked": root / "link", "ours": root}
    async with (
        linked(ceiling_of(root, "write"), wire) as (_, _git, codex),
        trio.open_nursery() as n,
    ):

        async def tell_of_threads() -> None:
            """Answer each question where a thread works; of one, nothing is known."""
            seen = 0
            while True:
                while len(wire.sent) == seen:
                    wire.heard = trio.Event()
                    await wire.heard.wait()
                asked, seen = wire.sent[seen], seen + 1
                if asked["method"] == "thread/read":
                    name = asked["params"]["threadId"]
                    told = {"thread": {"id": name, "cwd": str(places.get(name, "/"))}}
                    error = {"error": {"code": 1, "message": "no rollout found"}}
                    wire.say(id=asked["id"], **({"result": told} if name in places else error))

        way = await codex.connect(n)
        n.start_soon(tell_of_threads)
        for name in ("theirs", "linked", "unknown", "ours"):
            ask = {"method": method, "id": name, "params": {"threadId": name}}
            await way.wire.send(json.dumps(ask).encode())
            if name != "ours":
                answer = json.loads(await way.wire.receive())
                assert (name, True) == (answer["id"], REFUSED in answer["error"]["message"])
        await way.wire.send(b'{"method": "thread/list", "id": 2}')
        while wire.sent[-1]["method"] != "thread/list":
            await wire.heard.wait()
        changed = [one["params"]["threadId"] for one in wire.sent if one["method"] == method]
        assert ["ours"] == changed
        await way.wire.aclose()
        n.cancel_scope.cancel()


def test_nothing_that_was_said_is_deleted_where_reading_alone_is_allowed(root: Path) -> None:
    rules = confined(root)
    for method in ("thread/delete", "thread/revert"):
        with pytest.raises(BeyondCeiling, match=REFUSED):
            ask(rules, {"method": method, "id": 1, "params": {"threadId": "t"}})
    ask(rules, {"method": "thread/archive", "id": 1, "params": {"threadId": "t"}})


async def test_a_hostile_server_is_answered_and_codex_hears_nothing(root: Path) -> None:
    wire = FakeWire()
    async with (
        linked(ceiling_of(root, "write"), wire) as (_, _git, codex),
        trio.open_nursery() as n,
    ):
        with pytest.raises(WireClosed, match=REFUSED):
            await codex.start(("exec", "-s", "danger-full-access", "x"), n, cwd=str(root))
        way = await codex.connect(n)
        command = {"method": "command/exec", "id": 1, "params": {"command": ["sh"]}}
        await way.wire.send(json.dumps(command).encode())
        answer = json.loads(await way.wire.receive())
        assert (1, True) == (answer["id"], REFUSED in answer["error"]["message"])
        await way.wire.send(b'{"method": "thread/list", "id": 2}')
        await wire.heard.wait()
        wire.say(id=2, result={})
        assert {"id": 2, "result": {}} == json.loads(await way.wire.receive())
        assert [{"method": "thread/list", "id": 2}] == wire.sent
        await way.wire.aclose()
        n.cancel_scope.cancel()


def test_a_home_folder_as_root_has_not_what_its_user_is_set_up_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    own = home / ".local" / "share" / "host"
    (home / "project").mkdir(parents=True)
    (home / "way").symlink_to(home / ".ssh")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    kept = ("", "..", ".ssh", "way/keys", ".config/systemd/user", "bin/x", "Library", own)
    for roots in ([], [home], [tmp_path]):
        ceiling = make_ceiling(own, roots)
        for place in kept:
            with pytest.raises(BeyondCeiling):
                ceiling.check_path(home / place)
        for place in ("project", "project/.git", own / "worktrees" / "1"):
            ceiling.check_path(home / place)
    make_ceiling(own, [home / ".dotfiles"]).check_path(home / ".dotfiles" / "x")
    with pytest.raises(BeyondCeiling):
        make_ceiling(own, [home / ".local"]).check_path(own / "host.json")


def test_a_ceiling_is_read_of_a_file_of_its_user(tmp_path: Path) -> None:
    file = tmp_path / "ceiling.toml"
    file.write_text(f'roots = ["{tmp_path}"]\nallow = ["write"]\n')
    found = read_ceiling(file, tmp_path)
    assert ((tmp_path,), frozenset({"write"})) == (found.roots, found.allows)
    assert f"in {tmp_path}: write" == found.told()
    assert "reading alone" in make_ceiling(tmp_path, allows=()).told()
    for wrong in ('allow = "write"', 'allow = ["all"]', "more = []", 'roots = ["a"]', "roots = 1"):
        file.write_text(wrong)
        with pytest.raises(ValueError):  # noqa: PT011 - each names what is wrong
            read_ceiling(file, tmp_path)

"""Commits that are signed: by the user's own key, whatever the repository says."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import attrs
import pytest

from command_center.actors.contracts.landing import ConflictsRequest, MarkConflicts
from command_center.actors.contracts.worktrees import MergeRequest, MergeWorktree
from command_center.actors.git import making_commits
from command_center.actors.git.making_commits import NotSigned, SigningTimedOut
from tests.actors.git.repository import commit, make_repository, plain_git
from tests.actors.repositories.rig import open_rig
from tests.actors.repositories.work import Work

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the user's programs are scripts")


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, check=True, timeout=60, env={"PATH": PATH, **environment}
    )
    return done.stdout.decode()


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def new_key(place: Path, passphrase: str = "") -> Path:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "ada", "-f", str(place))
    return place


@attrs.frozen
class User:
    """A user of git, and where their configuration and key are."""

    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "id"

    def configure(self, **values: str) -> None:
        (self.folder / "rig" / "home").mkdir(parents=True, exist_ok=True)
        for key, value in values.items():
            name = key.replace("_", ".")
            file = str(self.folder / "rig" / "home" / ".gitconfig")
            plain_git(self.folder, "config", "--file", file, name, value)

    def has_signed(self, work: Work, sha: str = "HEAD") -> bool:
        """Ask a git of its own whether the signature is good, and of this key."""
        known = self.folder / "known"
        public = self.key.with_suffix(".pub").read_text(encoding="utf-8")
        known.write_text(f"ada@example.org {public}", encoding="utf-8")
        name = plain_git(
            work.folder,
            "-c",
            f"gpg.ssh.allowedSignersFile={known}",
            "-c",
            "gpg.ssh.program=ssh-keygen",
            "show",
            "--no-patch",
            "--format=%G?",
            sha,
        )
        return name == "G"

    @asynccontextmanager
    async def at_work(self, **wanted: bool) -> AsyncIterator[Work]:
        """A session of theirs that has left a file."""
        project = make_repository(self.folder / "project")
        async with open_rig(self.folder / "rig") as rig:
            repository = await rig.register(project, **({"sign_commits": True} | wanted))
            made = await rig.make_worktree(repository)
            session = await rig.start_session(
                repository, cwd=made.path, worktree_path=made.path, branch_name="work"
            )
            await rig.end_session(session)
            work = Work(rig, session, Path(made.path))
            work.write(new_txt="new\n")
            yield work


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user whose commits are signed with a key of ssh."""
    user = User(tmp_path)
    user.configure(
        user_name="Ada",
        user_email="ada@example.org",
        gpg_format="ssh",
        user_signingKey="~/../../id",
    )
    new_key(user.key)
    return user


async def test_a_commit_is_signed_with_the_users_key(user: User) -> None:
    async with user.at_work() as work:
        made = await work.commit()
        assert made.is_signed
        assert user.has_signed(work, made.sha)
        assert "" == work.git("status", "--porcelain")


async def test_nothing_is_signed_unless_the_repository_has_it_so(user: User) -> None:
    user.configure(commit_gpgSign="true")
    async with user.at_work(sign_commits=False) as work:
        assert not (await work.commit()).is_signed
        assert "gpgsig" not in work.git("cat-file", "commit", "HEAD")


async def test_a_merge_commit_is_signed(user: User, tmp_path: Path) -> None:
    async with user.at_work() as work:
        await work.commit()
        commit(tmp_path / "project", {"theirs.txt": "theirs\n"}, "Theirs")
        wanted = MergeRequest(path=str(work.folder))
        merged = await work.rig.ask(MergeWorktree(work.session.repository_id, wanted))
        assert "merge-commit" == merged.how
        assert user.has_signed(work, merged.head_sha)


async def test_a_merge_with_marked_conflicts_and_the_commit_in_its_place_are_signed(
    user: User, tmp_path: Path
) -> None:
    async with user.at_work() as work:
        commit(tmp_path / "project", {"readme.txt": "theirs\n"}, "Theirs")
        commit(work.folder, {"readme.txt": "ours\n"}, "Ours")
        marked = await work.rig.ask(MarkConflicts(work.session.id, ConflictsRequest()))
        assert user.has_signed(work, marked.sha)
        work.write(readme_txt="both\n")
        made = await work.commit()
        assert user.has_signed(work, made.sha)
        assert 2 == len(work.git("show", "--no-patch", "--format=%P").split())


async def test_what_the_repository_says_of_signing_does_not_count(
    user: User, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {canary}\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    theirs = new_key(tmp_path / "theirs")
    async with user.at_work() as work:
        for key in ("gpg.program", "gpg.ssh.program", "gpg.ssh.defaultKeyCommand"):
            work.git("config", key, str(program))
        work.git("config", "user.signingKey", str(theirs))
        work.git("config", "gpg.format", "openpgp")
        assert user.has_signed(work, (await work.commit()).sha)
    assert not canary.exists()


def state(work: Work) -> tuple[str, str, list[str]]:
    """Return what a commit would change of a repository, and the locks in it."""
    folder = Path(work.git("rev-parse", "--absolute-git-dir"))
    return (
        work.git("rev-parse", "HEAD"),
        work.git("status", "--porcelain"),
        [str(found) for found in folder.parent.parent.rglob("*.lock")],
    )


async def refusal(work: Work) -> str:
    """Commit, and return why it could not be signed; nothing has changed."""
    before = state(work)
    with pytest.raises(NotSigned) as caught:
        await work.commit()
    assert before == state(work)
    assert (before[1], []) == ("?? new.txt", before[2])
    return str(caught.value)


async def test_a_key_of_the_repository_alone_is_none(tmp_path: Path) -> None:
    user = User(tmp_path)
    new_key(user.key)
    async with user.at_work() as work:
        work.git("config", "gpg.format", "ssh")
        work.git("config", "user.signingKey", str(user.key))
        assert "names no key" in await refusal(work)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("user_signingKey", "/nowhere/id", "/nowhere/id"),
        ("user_signingKey", "id", "has to be a full path"),
        ("user_signingKey", "./id", "has to be a full path"),
        ("gpg_ssh_program", "./ssh-keygen", "has to be a full path"),
        ("gpg_ssh_program", "/nowhere/ssh-keygen", "/nowhere/ssh-keygen"),
        ("gpg_format", "seal", "seal"),
    ],
)
async def test_a_key_or_a_program_that_is_not_there_is_told(
    user: User, key: str, value: str, reason: str
) -> None:
    user.configure(**{key: value})
    async with user.at_work() as work:
        told = await refusal(work)
        assert reason in told
        assert "nothing was changed" in told
        assert "signCommits" in told


async def test_a_key_with_a_passphrase_that_nobody_can_ask_for_is_told(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    user.configure(user_signingKey=str(new_key(tmp_path / "locked", "a secret")))
    async with user.at_work() as work:
        assert "passphrase" in await refusal(work)


async def test_a_key_that_an_agent_has_signs(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="cc-"))
    place = folder / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.PIPE)  # noqa: ASYNC220, S607
    try:
        assert agent.stdout is not None
        agent.stdout.readline()
        run("ssh-add", "-q", str(user.key), SSH_AUTH_SOCK=str(place))
        public = user.key.with_suffix(".pub").read_text(encoding="utf-8").strip()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        user.configure(user_signingKey=f"key::{public}")
        async with user.at_work() as work:
            made = await work.commit()
            assert user.has_signed(work, made.sha)
    finally:
        agent.terminate()
        agent.communicate()
        shutil.rmtree(folder)


def listen_at(path: Path) -> socket.socket:
    """Listen at a socket of the file system, and answer nobody."""
    if sys.platform == "win32":
        pytest.fail("There are no such sockets.")
    else:
        silent = socket.socket(socket.AF_UNIX)
        silent.bind(str(path))
        silent.listen()
        return silent


async def test_an_agent_that_does_not_answer_is_waited_for_so_long_only(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making_commits, "SIGNING_DEADLINE", 1.5)
    folder = Path(tempfile.mkdtemp(prefix="cc-"))
    public = user.key.with_suffix(".pub").read_text(encoding="utf-8").strip()
    user.configure(user_signingKey=f"key::{public}")
    with listen_at(folder / "agent"):
        monkeypatch.setenv("SSH_AUTH_SOCK", str(folder / "agent"))
        async with user.at_work() as work:
            before = state(work)
            with pytest.raises(SigningTimedOut, match=r"within 1\.5 s, so nothing was changed"):
                await work.commit()
            assert before == state(work)
    shutil.rmtree(folder)


@contextmanager
def gnupg(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> Iterator[None]:
    """A gpg with keys of those addresses."""
    if shutil.which("gpg") is None:
        pytest.skip("no gpg is installed: apt-get install gnupg")
    folder = tempfile.mkdtemp(prefix="cc-")
    monkeypatch.setenv("GNUPGHOME", folder)
    try:
        for address in addresses:
            quick = ("--batch", "--passphrase", "", "--quick-generate-key", address, "ed25519")
            run("gpg", *quick, "sign", GNUPGHOME=folder)
        yield
    finally:
        run("gpgconf", "--kill", "all", GNUPGHOME=folder)
        shutil.rmtree(folder)


def signer(work: Work, sha: str) -> str:
    return plain_git(work.folder, "show", "--no-patch", "--format=%G? %GS", sha)


async def test_gpg_signs_with_the_key_of_the_users_own_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User(tmp_path)
    user.configure(user_name="Ada", user_email="ada@example.org")
    with gnupg(monkeypatch, "ada@example.org", "other@example.org"):
        async with user.at_work() as work:
            work.git("config", "user.email", "other@example.org")
            made = await work.commit(author=None)
            assert "U ada@example.org" == signer(work, made.sha).replace("G ", "U ")


CERTIFICATE = """\
Key-Type: RSA
Key-Length: 2048
Key-Usage: sign
Serial: random
Name-DN: CN=Ada
Name-Email: ada@example.org
"""


def certify(folder: Path) -> None:
    """Give gpgsm a key with a certificate that it trusts, of its own."""
    if shutil.which("gpgsm") is None:
        pytest.skip("no gpgsm is installed: apt-get install gpgsm")
    home = Path(os.environ["GNUPGHOME"])
    (home / "gpgsm.conf").write_text("disable-crl-checks\n", encoding="utf-8")
    (folder / "wanted").write_text(CERTIFICATE, encoding="utf-8")
    made = folder / "certificate"
    quick = ("--batch", "--pinentry-mode", "loopback", "--passphrase-fd", "0")
    gpgsm = partial(run, "gpgsm", *quick, GNUPGHOME=str(home))
    gpgsm("--generate-key", "--output", str(made), str(folder / "wanted"))
    gpgsm("--import", str(made))
    listed = gpgsm("-K", "--with-colons").splitlines()
    fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr:"))
    (home / "trustlist.txt").write_text(f"{fingerprint} S relax\n", encoding="utf-8")
    run("gpgconf", "--kill", "gpg-agent", GNUPGHOME=str(home))


@pytest.mark.parametrize("names_key", [True, False])
async def test_a_certificate_signs_with_x509(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, names_key: bool
) -> None:
    user = User(tmp_path)
    user.configure(user_name="Ada", user_email="ada@example.org", gpg_format="x509")
    if names_key:
        user.configure(user_email="other@example.org", user_signingKey="ada@example.org")
    with gnupg(monkeypatch):
        certify(tmp_path)
        async with user.at_work() as work:
            made = await work.commit()
            assert made.is_signed
            assert "G /CN=Ada" == plain_git(
                work.folder, "-c", "gpg.format=x509", "show", "-s", "--format=%G? %GS", made.sha
            )


@pytest.mark.parametrize("kind", ["openpgp", "x509"])
async def test_a_key_that_gpg_does_not_have_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    user = User(tmp_path)
    user.configure(user_name="Ada", user_email="ada@example.org", user_signingKey="0xDEADBEEF")
    user.configure(gpg_format=kind)
    with gnupg(monkeypatch):
        async with user.at_work() as work:
            assert "gpg failed to sign" in await refusal(work)

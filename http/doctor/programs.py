"""Checks of git and of Codex: where each was found, its version, its sign-in, its sandbox."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from command_center.actors.center import Center
from command_center.actors.codex.versions import INSTALL, RANGE, support_of
from command_center.actors.contracts.accounts import AccountStatus, ReadAccount, account_on
from command_center.actors.contracts.bridges import BridgeStatus, ProbeHealth, bridge_of
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.git.ports import PROGRAM
from command_center.actors.hosts.local.git.process import OLDEST
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.http.config.runner import choose_runner
from command_center.http.doctor.check import Subject, Symptom, error, in_thread, warning
from command_center.http.doctor.child import said_by, silence_of
from command_center.store.records import LOCAL

GET_CODEX: Final = (
    "Install Codex (npm install -g @openai/codex), or set CC_CODEX_COMMAND to the one you have."
)
SIGN_IN: Final = "Sign in with codex login, or in the page under Account."


def git(subject: Subject) -> Sequence[Symptom]:
    """Look for git and its version."""
    oldest = ".".join(map(str, OLDEST))
    mend = f"Install git {oldest} or newer, and see that it is on the PATH of the server."
    said = said_by([PROGRAM, "--version"], subject)
    version = None if said is None else re.search(r"(\d+)\.(\d+)", said.first_line)
    if said is None or said.code != 0 or version is None:
        found = shutil.which(PROGRAM, path=subject.environment.get("PATH"))
        return [error(silence_of(found or PROGRAM, said), mend)]
    if (int(version[1]), int(version[2])) < OLDEST:
        return [error(f"{said.first_line} is too old.", mend)]
    return [Symptom(f"{said.first_line}.")]


async def codex(subject: Subject) -> Sequence[Symptom]:
    """Look for Codex and its version."""
    settings = subject.settings
    choice = choose_runner(settings)
    runner = RUNNERS[choice.mode]
    if not runner.is_real:
        mend = f"{GET_CODEX} Leave CC_CODEX_RUNNER_MODE out."
        return [warning(choice.reason, mend)]
    seen: list[Symptom] = []
    if subject.center is not None and runner.has_threads:
        seen = await _bridge(subject)
    if settings.codex_transport == "websocket" and runner.has_threads:
        return seen or [Symptom(choice.reason)]
    return [*await _version(subject), *seen]


async def _bridge(subject: Subject) -> list[Symptom]:
    """Ask the server how it reaches Codex."""
    assert subject.center is not None  # noqa: S101 - it was looked at
    bridge = await subject.center.ask(bridge_of(LOCAL), ProbeHealth())
    if bridge.status is not BridgeStatus.CONNECTED:
        return [error(f"The server does not reach Codex: {bridge.message}", INSTALL)]
    return [Symptom(f"The server is connected to Codex {bridge.version or 'of no told version'}.")]


def version_of(subject: Subject) -> Sequence[Symptom]:
    """Ask the program for its version."""
    settings = subject.settings
    said = said_by([*settings.codex_command, "--version"], subject)
    if said is None or said.code != 0 or not said.first_line:
        return [error(silence_of(_found(subject), said), GET_CODEX)]
    version = said.first_line.rpartition(" ")[2]
    support = support_of(version)
    if support.problem is not None:
        return [error(support.problem.removesuffix(INSTALL).strip(), INSTALL)]
    if support.notice is not None:
        return [warning(support.notice, f"If something fails: {INSTALL}")]
    return [Symptom(f"Codex {version} at {_found(subject)} is supported ({RANGE}).")]


def _found(subject: Subject) -> str:
    command = subject.settings.codex_command[0]
    return shutil.which(command, path=subject.environment.get("PATH")) or command


_version = in_thread(version_of)


async def sign_in(subject: Subject) -> Sequence[Symptom]:
    """Look whether Codex is signed in, or needs no account."""
    settings = subject.settings
    runner = RUNNERS[choose_runner(settings).mode]
    if not runner.is_real:
        return [Symptom("No Codex is used that could be signed in.")]
    if subject.center is not None and runner.has_threads:
        return [await _account(subject.center)]
    if settings.codex_transport == "websocket":
        return [Symptom("Codex is elsewhere: the server says whether it is signed in.")]
    return await _login(subject)


async def _account(center: Center) -> Symptom:
    """Ask the Codex that the server is connected to."""
    try:
        account = await center.ask(account_on(LOCAL), ReadAccount())
    except (Conflict, Unavailable) as refusal:
        return warning(f"Codex could not be asked: {refusal}", SIGN_IN)
    match account.status:
        case AccountStatus.SIGNED_OUT:
            return error("Codex is not signed in.", SIGN_IN)
        case AccountStatus.NOT_NEEDED:
            return Symptom("The provider that Codex is set to takes no account.")
        case _:
            return Symptom("Codex is signed in.")


def login_of(subject: Subject) -> Sequence[Symptom]:
    """Ask the program whether it is signed in."""
    said = said_by([*subject.settings.codex_command, "login", "status"], subject)
    if said is None:
        return [error("Codex could not be asked.", GET_CODEX)]
    if said.code == 0:
        return [Symptom("Codex is signed in.")]
    if "not logged in" not in f"{said.out}{said.complaint}".lower():
        words = said.last_words or "it said nothing"
        return [warning(f"Codex does not say whether it is signed in: {words}.", SIGN_IN)]
    own = "Where its configuration names a provider of your own, that one may need no account."
    return [error("Codex is not signed in.", f"{SIGN_IN} {own}")]


_login = in_thread(login_of)


def sandbox(subject: Subject) -> Sequence[Symptom]:
    """Run something harmless in Codex's sandbox: a program that does nothing."""
    settings = subject.settings
    if not RUNNERS[choose_runner(settings).mode].is_real:
        return [Symptom("No Codex is used whose sandbox could be tried.")]
    if settings.codex_transport == "websocket":
        return [Symptom("Codex is elsewhere, and so is its sandbox.")]
    nothing = ["cmd", "/c", "ver"] if sys.platform == "win32" else ["true"]
    command = [*settings.codex_command, "sandbox", "--", *nothing]
    with tempfile.TemporaryDirectory(prefix="command-center-") as folder:
        said = said_by(command, subject, Path(folder))
    if said is not None and said.code == 0:
        return [Symptom("Commands run in Codex's sandbox here.")]
    words = "Codex was not found" if said is None else said.last_words or f"code {said.code}"
    mend = (
        f"Try {shlex.join(command)} in a terminal. On Linux the kernel must allow user namespaces "
        "(sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns) "
        "and Landlock."
    )
    return [error(f"Nothing runs in Codex's sandbox here: {words}.", mend)]

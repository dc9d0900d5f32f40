"""The other machines: their links, and what Codex and git need there, asked over those links."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import attrs
import trio

from command_center.actors.center import Center
from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.ports import CodexHost
from command_center.actors.codex.versions import INSTALL
from command_center.actors.contracts.accounts import AccountStatus, ReadAccount, account_on
from command_center.actors.contracts.bridges import BridgeStatus, ProbeHealth, bridge_of
from command_center.actors.contracts.runners import RUNNERS
from command_center.http.doctor.check import Subject, Symptom, error, warning
from command_center.http.doctor.machine import LITTLE, TOO_LITTLE, size
from command_center.runtime import ActorNotFound, Refusal

ANSWER_SECONDS: Final = 10.0
"""Seconds that a machine has for each question."""

SKEW_SECONDS: Final = 60.0
"""Seconds by which a machine's clock may differ from the server's."""


async def hosts(subject: Subject) -> Sequence[Symptom]:
    """Ask every machine that was added."""
    center = subject.center
    if center is None:
        return [Symptom("The server alone can ask its other machines.")]
    others = sorted(
        (host for host in center.hosts if host.standing is not None), key=lambda host: host.name
    )
    if not others:
        return [Symptom("No other machine was added.")]
    found: dict[str, list[Symptom]] = {}

    async def ask(host: CodexHost) -> None:
        seen = await _examine(center, host)
        found[host.name] = [
            attrs.evolve(one, message=f"{host.name}: {one.message}", host=host.name) for one in seen
        ]

    async with trio.open_nursery() as nursery:
        for host in others:
            nursery.start_soon(ask, host)
    return [one for host in others for one in found[host.name]]


async def _examine(center: Center, host: CodexHost) -> list[Symptom]:
    if host.absence is not None:
        told = f"command-center hosts retry {host.name} tries it at once."
        if host.standing is not None and host.standing.next_try_at is None:
            told = "See that command-center host runs there, and reaches this server."
        return [warning(f"it is away. {host.absence}", told)]
    looks: list[Callable[[], Awaitable[Symptom]]] = [
        lambda: _git(host),
        lambda: _disk(host),
        lambda: _clock(host),
    ]
    if RUNNERS[center.settings.runner].has_threads:
        looks += [lambda: _codex(center, host), lambda: _sign_in(center, host)]
        looks += [lambda: _sandbox(host)]
    found: dict[int, Symptom] = {}

    async def look(number: int) -> None:
        try:
            with trio.fail_after(ANSWER_SECONDS):
                found[number] = await looks[number]()
        except (ActorNotFound, Refusal, WireClosed, OSError, trio.TooSlowError) as failure:
            said = str(failure) or f"It took longer than {ANSWER_SECONDS:g} s."
            mend = "Look again; a host of an older version has to be updated."
            found[number] = warning(f"it could not be asked. {said}", mend)

    async with trio.open_nursery() as nursery:
        for number in range(len(looks)):
            nursery.start_soon(look, number)
    return [found[number] for number in range(len(looks))]


async def _git(host: CodexHost) -> Symptom:
    return Symptom(f"{await host.git.version()}.")


async def _disk(host: CodexHost) -> Symptom:
    load = await host.folders.machine_load()
    told = f"{size(load.disk_free)} are free on its disk."
    mend = "Make room there. Worktrees of sessions that are done are most of it."
    if load.disk_free < TOO_LITTLE:
        return error(f"only {told}", mend)
    return warning(f"only {told}", mend) if load.disk_free < LITTLE else Symptom(told)


async def _clock(host: CodexHost) -> Symptom:
    before = time.time()
    there = await host.folders.clock()
    after = time.time()
    skew = there - (before + after) / 2
    told = f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's"
    if abs(skew) > SKEW_SECONDS + (after - before):
        return warning(f"{told}.", "Have the system set it (timedatectl set-ntp true).")
    return Symptom("its clock is that of the server.")


async def _codex(center: Center, host: CodexHost) -> Symptom:
    bridge = await center.ask(bridge_of(host.name), ProbeHealth())
    if bridge.status is not BridgeStatus.CONNECTED:
        return error(f"Codex is not reached there. {bridge.message}", INSTALL)
    if bridge.warning is not None:
        return warning(bridge.warning, f"If something fails: {INSTALL}")
    return Symptom(f"Codex {bridge.version or 'of no told version'} is connected.")


async def _sign_in(center: Center, host: CodexHost) -> Symptom:
    account = await center.ask(account_on(host.name), ReadAccount())
    if account.status is AccountStatus.SIGNED_OUT:
        mend = "Sign in there with codex login, or in the page under Account."
        return error("Codex is not signed in there.", mend)
    needs = account.status is not AccountStatus.NOT_NEEDED
    return Symptom("Codex is signed in." if needs else "The provider of its Codex has no account.")


async def _sandbox(host: CodexHost) -> Symptom:
    """Run a program that does nothing in the sandbox of that machine's Codex."""
    is_windows = await host.codex.platform() == "win32"
    nothing = ["cmd", "/c", "ver"] if is_windows else ["true"]
    home = await host.folders.expand("~/", "cwd")
    code, words, refusal = None, "", None
    async with trio.open_nursery() as nursery:
        try:
            process = await host.codex.start(["sandbox", "--", *nothing], nursery, cwd=str(home))
        except WireClosed as refused:  # such as by the ceiling of a machine
            refusal = str(refused)
        else:
            code = await process.wait_for_end(ANSWER_SECONDS)
            words = process.last_words()
            await process.end(0.5)
        nursery.cancel_scope.cancel()
    if refusal is not None:
        return Symptom(f"its sandbox was not tried. {refusal}")
    if code == 0:
        return Symptom("commands run in the sandbox of its Codex.")
    mend = "Try codex sandbox -- true in a terminal there: the kernel must allow user namespaces."
    return error(f"nothing runs in the sandbox of its Codex: {words or f'code {code}'}.", mend)

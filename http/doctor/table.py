"""The table of all checks: the command, the API and the page have them from here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from command_center.actors.git.ports import PROGRAM
from command_center.http.doctor import channels, data, hosts, machine, programs, settings, ways
from command_center.http.doctor.check import Checkup, in_thread

CHECKS: Final[Sequence[Checkup]] = (
    Checkup(
        name=PROGRAM,
        why="Git keeps repositories, worktrees, changes and commits, and pushes them.",
        look=in_thread(programs.git),
    ),
    Checkup(
        name="codex",
        why="Codex does the work. Without a supported one, sessions fail, or a stub plays them.",
        look=programs.codex,
    ),
    Checkup(
        name="codex-sign-in",
        why="Every turn asks the model, and fails where nobody is signed in.",
        look=programs.sign_in,
    ),
    Checkup(
        name="codex-sandbox",
        why="Codex runs commands in its sandbox. If that fails, each command fails or asks.",
        look=in_thread(programs.sandbox),
    ),
    Checkup(
        name="port",
        why="The server starts only if it can listen there.",
        look=in_thread(ways.port),
    ),
    Checkup(
        name="certificate",
        why="Browsers and phones refuse a certificate that has expired or has another name.",
        look=in_thread(ways.certificate),
    ),
    Checkup(
        name="addresses",
        why="A phone opens the page by one of these. Notifications need one with https.",
        look=in_thread(ways.addresses),
    ),
    Checkup(
        name="telegram",
        why="Approvals and questions reach you by the bot only if its token and its way in work.",
        look=channels.telegram,
        seconds=30.0,
    ),
    Checkup(
        name="push",
        why="With the page closed, a browser learns of approvals only by a push service.",
        look=in_thread(channels.push),
    ),
    Checkup(
        name="data-folder",
        why="All that is acknowledged is kept there first; the server starts only with it.",
        look=in_thread(data.folder),
    ),
    Checkup(
        name="disk",
        why="Each act is on the disk before it is answered: a full disk stops all of them.",
        look=in_thread(machine.disk),
    ),
    Checkup(
        name="database",
        why="It has all sessions, approvals and events. Damage spreads if nobody sees it.",
        look=data.database,
    ),
    Checkup(
        name="database-size",
        why="What grows without a bound fills the disk, and each backup is as large.",
        look=in_thread(data.growth),
    ),
    Checkup(
        name="release",
        why="Newer versions mend faults, and an update that was cut off is to be taken back.",
        look=in_thread(data.release),
    ),
    Checkup(
        name="leftovers",
        why="What a killed server left behind may hold files and ports that the next one needs.",
        look=in_thread(data.leftovers),
    ),
    Checkup(
        name="permissions",
        why="Whoever can read these can sign in as you, or read what your agents read.",
        look=in_thread(data.permissions),
    ),
    Checkup(
        name="clock",
        why="Schedules, deadlines of approvals and sign-ins by certificates follow the clock.",
        look=in_thread(machine.clock),
    ),
    Checkup(
        name="hosts",
        why="A run on another machine needs its link, and git, Codex, a sandbox and room there.",
        look=hosts.hosts,
        seconds=30.0,
    ),
    Checkup(
        name="settings",
        why="A setting that contradicts another, or does nothing, is rarely what was meant.",
        look=in_thread(settings.settings),
    ),
)
"""Every check, in the order in which findings are told."""

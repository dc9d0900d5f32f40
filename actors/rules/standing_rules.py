"""Rules by which Codex is answered without a person: what one may allow, and what it then covers.

A person makes a rule as they approve something, out of what the approval offers (`with_offer`). It
holds in one repository, for sessions that may do at least as much as the one that asked, and for
commands in the same folder of their work. It is kept here alone: Codex's own rules
(`acceptWithExecpolicyAmendment`) would hold everywhere, for good, and be known to nobody.

What such a command does runs outside of the sandbox. So what is matched is never a text, but the
words of one plain command. A script in which a shell might see anything else (`;`, `$(…)`, a
wildcard, an assignment, a line break, a letter that cannot be seen) is no plain command, and is
asked about. So is a shell that does not lie where a system has its shells, since whoever asks
chooses it; and so is what asks for more than to run: further permissions, typing into a command.

A command is allowed to the word. Only the few `RUNNERS` are allowed with whatever is named behind
them, since an option of almost any program runs another one, or writes anywhere.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

import attrs
import msgspec

from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.policy import SANDBOXES
from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.rules.run_leave import goes_beyond_run
from command_center.store import Rule, Session
from command_center.store.records import RuleKind

MOST_WORDS: Final = 50
"""Words of a command that a rule may be about."""

LONGEST: Final = 1000
"""Characters of such a command; it may have twice as many with its shell and quotes."""

OFFER: Final = "alwaysAllow"
"""The member of an approval's details that says of what a rule can be made."""

SHELLS: Final = frozenset(
    f"{folder}/{name}"
    for folder in ("/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
    for name in ("bash", "sh", "zsh")
)
"""The shells whose scripts are read."""

_PIECE: Final = r"""(?:[A-Za-z0-9_./:,@%+=-]|'[^']*'|"[^"\\$`!]*")"""
_SCRIPT: Final = re.compile(rf" *{_PIECE}+(?: +{_PIECE}+)* *")

_PYTHON_TOOLS: Final[tuple[tuple[str, ...], ...]] = (("pytest",), ("mypy",), ("ruff", "check"))
_PYTHON_STARTS: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("uv", "run"),
    ("poetry", "run"),
    ("python", "-m"),
    ("python3", "-m"),
)
_SCRIPTS: Final = ("test", "lint", "build", "typecheck")

RUNNERS: Final[frozenset[tuple[str, ...]]] = frozenset(
    {
        *((*start, *tool) for start in _PYTHON_STARTS for tool in _PYTHON_TOOLS),
        *((tool, "run", script) for tool in ("npm", "pnpm", "yarn") for script in _SCRIPTS),
        *((tool, "test") for tool in ("npm", "pnpm", "yarn")),
        *(("cargo", does) for does in ("test", "check", "build", "clippy")),
        *(("go", does) for does in ("test", "vet", "build")),
        *(("eslint",), ("jest",), ("vitest", "run")),
    }
)
"""The commands that may be allowed whatever follows: they run the folder's own tests and checks.

What follows them only chooses which of these, and adds nothing to what the command can do without
it. So no runner of targets (`make`, `mvn`) is one: the next word there is another thing to do. And
none that writes to the files that are named (`ruff format`) is one.
"""

_CHOICE: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./:,+\[\] -]*")
"""A word that chooses: no option, no file of words (`@`), no assignment, nothing for a shell."""


class RuleOffer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The rules that can be made of an approval.

    Attributes:
        words: of the command.
        fewest: how many of the first words a rule has at least, for commands that begin with them;
            None where only this very command can be allowed.
        folder: where it runs, from the folder in which its session works.
    """

    kind: RuleKind
    words: tuple[str, ...] = ()
    fewest: int | None = None
    folder: str = ""
    host: str | None = None
    protocol: str | None = None


def with_offer(session: Session, wanted: ApprovalRequest) -> ApprovalRequest:
    """Return the request with what can be always allowed of it in its details, if anything can."""
    offer = _offer(session, wanted.details) if wanted.kind == "command" else None
    if offer is None:
        return wanted
    return attrs.evolve(wanted, details={**wanted.details, OFFER: msgspec.to_builtins(offer)})


def offer_in(details: Mapping[str, Any]) -> RuleOffer | None:
    """Read what an approval offers to allow always; None if it offers nothing."""
    found = details.get(OFFER)
    return None if found is None else msgspec.convert(found, RuleOffer)


def covers(rule: Rule, session: Session, details: Mapping[str, Any]) -> bool:
    """Tell whether a rule allows what is asked in a session, by its details with their offer.

    What asks for more than the run got is allowed by none, whatever it offers.
    """
    offer = offer_in(details)
    if offer is None or offer.kind != rule.kind or not may_as_much(session, rule):
        return False
    if goes_beyond_run("command", details):
        return False
    if rule.kind == "network":
        return (offer.host, offer.protocol) == (rule.host, rule.protocol)
    words = tuple(rule.words)
    if not words or offer.folder != rule.folder:
        return False
    if rule.is_exact:
        return offer.words == words
    runner = runner_length(offer.words)
    return runner is not None and len(words) >= runner and offer.words[: len(words)] == words


def may_as_much(session: Session, rule: Rule) -> bool:
    """Tell whether a session may do all that the one might in which the rule was agreed to."""
    return (
        SANDBOXES.index(session.sandbox) >= SANDBOXES.index(rule.sandbox)
        and session.allow_network >= rule.allow_network
        and session.allow_commit >= rule.allow_commit
    )


def check_wanted(offer: RuleOffer, words: Sequence[str], host: str | None, *, exact: bool) -> None:
    """Refuse a rule that the approval does not offer.

    Raises:
        Conflict: it says what can be allowed.
    """
    if offer.kind == "network":
        if words or host != offer.host:
            raise Conflict(f"This asks for the host {offer.host}: allow that, or nothing.")
        return
    if host is not None or tuple(words) != offer.words[: len(words)]:
        raise Conflict(f"This asks for {shlex.join(offer.words)!r}: allow that, or its beginning.")
    if exact and len(words) != len(offer.words):
        raise Conflict("Name all words of the command, or set isExact to false.")
    runner = runner_length(offer.words)
    if not exact and (offer.fewest is None or runner is None):
        raise Conflict("That would allow too much: name the very command.")
    if not exact and len(words) < (least := max(offer.fewest or 0, runner or 0)):
        raise Conflict(f"That would allow too much: name {least} words at least.")


def in_words(rule: Rule) -> str:
    """Say what a rule allows."""
    if rule.kind == "network":
        return f"{rule.host} ({rule.protocol})"
    return shlex.join(rule.words) + ("" if rule.is_exact else " …")


def plain_words(command: str) -> tuple[str, ...] | None:
    """Return the words of the one plain command that a shell is asked for; None if it is not one.

    `command` is what runs, with the shell, as a shell would spell it.
    """
    if len(command) > 2 * LONGEST:
        return None
    try:
        match shlex.split(command):
            case [shell, "-c" | "-lc", script] if shell in SHELLS and script.isprintable():
                pass
            case _:
                return None
        if _SCRIPT.fullmatch(script) is None:
            return None
        words = tuple(shlex.split(script))
    except ValueError:
        return None
    if len(words) > MOST_WORDS or not words[0] or "=" in words[0]:
        return None
    return None if any(word.startswith("=") for word in words) else words


def runner_length(words: Sequence[str]) -> int | None:
    """Return how many of the words name a runner; None if more is said than what it is to run.

    The words behind it name tests, packages or files below the folder.
    """
    found = next((runner for runner in RUNNERS if tuple(words[: len(runner)]) == runner), None)
    if found is None or not all(_chooses(word) for word in words[len(found) :]):
        return None
    return len(found)


def _chooses(word: str) -> bool:
    return _CHOICE.fullmatch(word) is not None and ".." not in word.split("/")


def _offer(session: Session, details: Mapping[str, Any]) -> RuleOffer | None:
    """Return what can be made of a command; what is not of the shape that is known offers less."""
    if goes_beyond_run("command", details) or details.get("commandKind") != "command":
        return None
    if details.get("environmentId") not in (None, "local"):
        return None
    network = details.get("network")
    if network is not None:
        return _host_offer(network, details.get("proposedNetworkRules"))
    words = plain_words(str(details.get("command") or ""))
    folder = _folder_in(session.cwd, str(details.get("cwd") or ""))
    if words is None or folder is None:
        return None
    fewest = _fewest(words, details.get("proposedRule"))
    return RuleOffer(kind="command", words=words, fewest=fewest, folder=folder)


def _host_offer(network: Mapping[str, Any], proposed: object) -> RuleOffer | None:
    """Offer the host that is asked for, if Codex proposes to allow it always."""
    host, protocol = network["host"], network["protocol"]
    if not isinstance(proposed, list) or {"host": host, "action": "allow"} not in proposed:
        return None
    return RuleOffer(kind="network", host=host, protocol=protocol)


def _fewest(words: tuple[str, ...], proposed: object) -> int | None:
    """Return how many words begin what can be allowed: those that Codex proposes, or more."""
    if not isinstance(proposed, list) or not proposed or words[: len(proposed)] != tuple(proposed):
        return None
    runner = runner_length(words)
    return None if runner is None else max(runner, len(proposed))


def _folder_in(cwd: str, folder: str) -> str | None:
    """Return where a folder lies in another, as both are spelled; None if it lies elsewhere."""
    path = PurePosixPath(folder)
    if str(path) != folder or ".." in path.parts or not path.is_relative_to(cwd):
        return None
    found = str(path.relative_to(cwd))
    return "" if found == "." else found

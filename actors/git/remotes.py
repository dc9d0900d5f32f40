"""Addresses of remotes, and what is there now.

A repository says where its remotes are, so an address is hostile input, too: it is https or ssh,
and has no password in it. The repository's `insteadOf` and `pushurl` do not count. The user's own
`insteadOf` and `pushInsteadOf` do, and are applied here, so that the address that people are shown
is the one that git is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from command_center.actors.git.errors import GitFailed, GitTimedOut
from command_center.actors.git.ports import Checkout, shown
from command_center.actors.git.settings import Setting, values
from command_center.actors.rules.errors import Conflict, Unavailable

LOOK_DEADLINE: Final = 60.0
"""Seconds that a remote may take to say what it has."""

_HOST: Final = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)"
_USER: Final = r"[A-Za-z0-9_.][^\s/@:]*"
_ADDRESS: Final = re.compile(
    rf"(?:https|ssh)://(?:{_USER}@)?{_HOST}(?::[0-9]{{1,5}})?/[!-~]+"
    rf"|(?:{_USER}@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]+):(?!:|//)[!-~]+"
)
"""A URL, or ssh's `user@host:path`. Nothing in it can be an option, or another transport's name."""

_LONGEST: Final = 2048
"""Characters of an address."""

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_KEPT_OUT: Final = re.compile(
    r"Authentication failed|could not read (Username|Password)|Permission denied|"
    r"Too many authentication failures|returned error: 40[13]|Repository not found",
    re.IGNORECASE,
)
_CHANGED_HOST_KEY: Final = "REMOTE HOST IDENTIFICATION HAS CHANGED"
_UNKNOWN_HOST_KEY: Final = re.compile(r"Host key verification failed|host key", re.IGNORECASE)
_NOT_REACHED: Final = re.compile(
    r"Could not resolve|Connection (refused|timed out|reset|closed)|Failed to connect|"
    r"Couldn't connect|No route to host|Network is unreachable|returned error: 5\d\d|"
    r"unexpectedly|hung up",
    re.IGNORECASE,
)
_BAD_CERTIFICATE: Final = re.compile(r"certificate|SSL|TLS", re.IGNORECASE)
_ASK_RIGHTS: Final = "access rights"
"""Ends whatever git says of ssh, be the reason what it may."""

_FRAME: Final = re.compile(r"[@\s]*")
"""A line of what ssh draws around a warning."""


class RemoteSilent(Unavailable):
    """The other side, or whoever lets git in, took longer than the deadline."""

    def __init__(self, address: str, seconds: float) -> None:
        """Say what may be waiting for the user."""
        waits = (
            "credential helper waits for you, sign in with it once by hand"
            if address.startswith("https:")
            else "ssh agent asks you for each use of a key, answer it, or add the key without -c"
        )
        super().__init__(
            f"{address} did not answer within {seconds:g} s. If your {waits}. Else try again later."
        )


class KeptOut(Conflict):
    """The other side did not let git in; `told` is what git says of it."""

    def __init__(self, address: str, told: str) -> None:
        """Say what to set up."""
        how = (
            "Set up a credential helper for it in your git configuration (git config --global "
            "credential.helper …), and see that the account may write there."
            if address.startswith("https:")
            else "Add your key to the ssh agent that the server was started with (ssh-add), and "
            "see that it may write there."
        )
        super().__init__(f"{address} did not let git in: {told} {how}", address=address)


def remote_of(checkout: Checkout, branch: str, wanted: str | None) -> str:
    """Return the name of the remote: the one that is wanted, or that the branch follows.

    Raises:
        Conflict: there is none of that name, or none, or nothing says which.
    """
    names = remote_names(checkout)
    if wanted is not None:
        if wanted not in names:
            known = f"It has {', '.join(names)}." if names else "It has none."
            raise Conflict(f"The repository has no remote {wanted!r}. {known}", remotes=names)
        return wanted
    if not names:
        raise Conflict(
            "The repository has no remote. Add one with your own git: git remote add origin URL"
        )
    for name in (*values(checkout.configuration, f"branch.{branch}.remote")[-1:], "origin"):
        if name in names:
            return name
    if len(names) > 1:
        raise Conflict(f"Say which remote: it has {', '.join(names)}.", remotes=names)
    return names[0]


def remote_names(checkout: Checkout) -> list[str]:
    """Return the names of the remotes that have an address."""
    keys = {key for key, _ in checkout.configuration}
    return sorted(
        key.removeprefix("remote.").removesuffix(".url")
        for key in keys
        if key.startswith("remote.") and key.endswith(".url")
    )


def push_address(checkout: Checkout, remote: str) -> str:
    """Return the address of a remote to push to, as git is given it.

    Raises:
        Conflict: it is neither https nor ssh, or has a password in it.
    """
    configured = values(checkout.configuration, f"remote.{remote}.url")[0]
    return _checked(rewritten(configured, checkout.user), remote)


def fetch_address(remote: str, user: Sequence[Setting]) -> str:
    """Return an address to fetch from, as git is given it.

    Raises:
        Conflict: it is neither https nor ssh, or has a password in it.
    """
    return _checked(rewritten(remote, user, ("insteadof",)), "the remote")


def _checked(address: str, remote: str) -> str:
    if re.match(r"[a-z+]+://[^/@]*:[^/@]*@", address):
        raise Conflict(
            f"The address of {remote} has a password in it, which does not count. Take it out "
            "(git remote set-url), and let your credential helper have it.",
            remote=remote,
        )
    if len(address) > _LONGEST or _ADDRESS.fullmatch(address) is None:
        raise Conflict(
            f"{remote} is at {address[:200]!r}, which is neither https nor ssh. Git speaks with "
            "no other.",
            remote=remote,
        )
    return address


def push_addresses(checkout: Checkout) -> list[str]:
    """Return the addresses of all remotes that can be pushed to."""
    found = set()
    for remote in remote_names(checkout):
        try:
            found.add(push_address(checkout, remote))
        except Conflict:
            continue  # nothing can be pushed there, whoever allows it
    return sorted(found)


def rewritten(
    url: str, user: Sequence[Setting], kinds: Sequence[str] = ("pushinsteadof", "insteadof")
) -> str:
    """Return an address as the user's `pushInsteadOf` or else `insteadOf` has it."""
    for kind in kinds:
        rules = [
            (value, key.removeprefix("url.").removesuffix(f".{kind}"))
            for key, value in user
            if key.startswith("url.") and key.endswith(f".{kind}") and url.startswith(value)
        ]
        if rules:
            prefix, base = max(rules, key=lambda rule: len(rule[0]))
            return base + url[len(prefix) :]
    return url


async def read_heads(checkout: Checkout, address: str) -> dict[str, str]:
    """Ask a remote for its branches, each with its commit.

    Raises:
        KeptOut: it does not let the user in.
        Unavailable: it cannot be reached, or took longer than LOOK_DEADLINE.
        Conflict: git has any other complaint.
    """
    try:
        answer = await checkout.run(
            "ls-remote", "--heads", "--", address, reaches=True, deadline=LOOK_DEADLINE
        )
    except GitFailed as error:
        raise problem_of(error.complaint, address) from error
    except GitTimedOut as error:
        raise RemoteSilent(address, error.seconds) from error
    heads = {}
    for line in shown(answer.stdout).splitlines():
        sha, _, name = line.partition("\t")
        if _OBJECT_ID.fullmatch(sha) and name.startswith("refs/heads/"):
            heads[name.removeprefix("refs/heads/")] = sha
    return heads


def problem_of(complaint: str, address: str) -> Conflict | Unavailable:
    """Make of git's complaint about another machine what a person can do about it."""
    lines = [line for line in complaint.splitlines() if not _FRAME.fullmatch(line)]
    told = (lines[0] if lines else "git does not say why")[:300].removeprefix("fatal: ")
    told = told.rstrip(".") + "."
    if _UNKNOWN_HOST_KEY.search(complaint):
        return _host_key_problem(complaint, address, told)
    if _KEPT_OUT.search(complaint):
        return KeptOut(address, told)
    if _NOT_REACHED.search(complaint):
        return Unavailable(f"{address} cannot be reached: {told} Try again later.")
    if _ASK_RIGHTS in complaint:
        return KeptOut(address, told)
    if _BAD_CERTIFICATE.search(complaint):
        return Conflict(f"The certificate of {address} is not trusted: {told}", address=address)
    return Conflict(f"Git could not speak with {address}: {told}", address=address)


def _host_key_problem(complaint: str, address: str, told: str) -> Conflict:
    by_hand, known_as = _as_ssh_says(address)
    if _CHANGED_HOST_KEY in complaint:
        return Conflict(
            f"The key of {address} is another than the one that ssh knows: somebody may be in its "
            "place. If you know that it was changed, take the old one out (ssh-keygen -R "
            f"'{known_as}'), connect once by hand ({by_hand}), and look at the key that it shows.",
            address=address,
        )
    return Conflict(
        f"ssh does not know the key of {address}: {told} Connect once by hand ({by_hand}), and "
        "look at the key that it shows.",
        address=address,
    )


def _as_ssh_says(address: str) -> tuple[str, str]:
    """Return how one connects to an address by hand, and the name of its key in known_hosts."""
    if "://" in address:
        parts = urlsplit(address)
        user, host, port = parts.username, parts.hostname or "", parts.port
    else:
        place, _, _ = address.rpartition(":") if "]" in address else address.partition(":")
        user, _, host = place.rpartition("@")
        port = None
    who = f"{user}@{host}" if user else host
    if port in {None, 22}:
        return f"ssh {who}", host
    return f"ssh -p {port} {who}", f"[{host}]:{port}"

"""Name what is risky in what Codex asks for, so that a person sees it at a glance.

A command is read by tree-sitter's grammar of bash, never run. Nothing is held here: Codex's sandbox
holds it, and a person decides. A command can hide what it does, so one without a risk is no
promise; one that cannot be read says so instead (``unreadable``).

The grammar is loaded with the first question. Text written to make it slow, such as a thousand
pipes, takes it minutes and much memory. So it reads a bounded length, for a bounded time of the
processor.
"""

from __future__ import annotations

import ntpath
import posixpath
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import attrs

from command_center.actors.git.ports import PROGRAM
from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.sessions.permission_hints import REACHING_OUT
from command_center.store.records import Risk

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser, Tree

MOST_BYTES: Final = 8000
"""The longest command that is read."""

SECONDS: Final = 0.1
"""The most time of the processor that a command's reading may take."""

MOST_RISKS: Final = 12
MOST_NODES: Final = 20_000
MOST_NESTED: Final = 3
"""The levels of scripts within scripts, as in ``sh -c``, that are read."""

LONGEST: Final = 120
"""Characters of a risk's words."""

SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish", "pwsh", "powershell"})
INTERPRETERS = SHELLS | {"python", "python3", "perl", "ruby", "node", "php"}
BEFORE = frozenset(
    {
        *("sudo", "doas", "su", "runuser", "env", "command", "builtin", "exec", "nohup", "time"),
        *("nice", "ionice", "taskset", "timeout", "setsid", "stdbuf", "script", "watch", "flock"),
        *("xargs", "parallel", "busybox", "toybox", "chroot", "unshare", "strace", "systemd-run"),
    }
)
"""Programs that run another: the rest of their words is its command."""

HIDING = frozenset({"alias", "hash", "enable", "iex", "Invoke-Expression"})
"""Commands that give a name another meaning, or run what nobody sees."""

DELETING = frozenset(
    {
        *("rm", "rmdir", "unlink", "shred", "truncate", "wipefs", "mkfs", "dd", "del", "erase"),
        *("rd", "Remove-Item"),
    }
)
DELETES_BY = {
    "find": ("-delete",),
    "rsync": ("--delete", "--delete-after", "--delete-excluded"),
    "docker": ("rm", "rmi", "prune"),
    "kubectl": ("delete",),
    PROGRAM: (
        *("clean", "rm", "restore", "drop", "-D", "--hard", "--force", "-f", "--delete"),
        *("--mirror", "--force-with-lease", "--discard-changes"),
    ),
    "mv": ("-f", "--force"),
}
"""Words of programs with which these delete, or replace what is there."""

DISCARDING = frozenset({"--", ".", ":/", ":", "*"})
"""Words with which a checkout is one of files, whose changes are gone."""

NETWORKING = frozenset(
    {
        *("curl", "wget", "nc", "ncat", "netcat", "socat", "telnet", "ftp", "sftp", "scp", "ssh"),
        *("npx", "uvx", "pipx", "ping", "dig", "nslookup", "gh", "apt", "apt-get", "brew", "dnf"),
        *("yum", "apk", "iwr", "irm", "Invoke-WebRequest", "Invoke-RestMethod"),
    }
)
NETWORKS_BY = {
    "pip": ("install", "download"),
    "pip3": ("install", "download"),
    "uv": ("add", "sync", "pip", "lock", "tool"),
    "npm": ("install", "i", "ci", "add", "publish"),
    "pnpm": ("install", "i", "add"),
    "yarn": ("install", "add"),
    "cargo": ("install", "add", "fetch", "publish"),
    "go": ("get", "install"),
    "gem": ("install",),
    "docker": ("pull", "push", "run", "login"),
    "rsync": ("-e", "--rsh"),
    PROGRAM: tuple(REACHING_OUT),
}
"""Words of programs with which these use the network."""

TEXTUAL = frozenset({"sed", "awk", "grep", "egrep", "rg", "jq", "tr", "echo", "printf", "perl"})
"""Programs whose first words are patterns or texts, however much they look like paths."""

_PATH = re.compile(r"[\w./~+@%$*-]+")
_SECRET = re.compile(
    r"(^|/)(\.env(\.(?!example|sample|template)[\w-]+)?|\.netrc|\.npmrc|\.pypirc|id_(rsa|dsa|ecdsa"
    r"|ed25519)|credentials(\.json)?|\.git-credentials|auth\.json|shadow|secrets?\.\w+|[\w.-]+\."
    r"(pem|key|p12|pfx|keystore))$|(^|/)\.(ssh|gnupg|aws|kube|azure|codex)(/|$)"
)
_HARMLESS = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/tty"})
_HOME = re.compile(r"^(~|\$HOME\b|\$\{HOME\})")


def with_risks(wanted: ApprovalRequest) -> ApprovalRequest:
    """Return the request with what is risky in it, each once."""
    found = list(dict.fromkeys(_risks(wanted.kind, wanted.details)))
    if len(found) > MOST_RISKS:
        more = _risk("unreadable", "more risks than are shown here")
        found = [*found[: MOST_RISKS - 1], more]
    return attrs.evolve(wanted, risks=tuple(found))


def _risks(kind: str, details: Mapping[str, Any]) -> Iterator[Risk]:
    folder = str(details.get("cwd") or "")
    script = str(details.get("script") or details.get("command") or "")
    network = details.get("network")
    if network:
        host = network.get("host") if isinstance(network, Mapping) else ""
        yield _risk("network", str(host or "full access"))
    if kind == "command" and script:
        yield from command_risks(script, folder)
    for file in details.get("files") or ():
        path = str(file.get("path") or "")
        if file.get("change") == "delete":
            yield _risk("deletes", path)
        if _SECRET.search(path):
            yield _risk("secrets", path)
    for path in (*(details.get("read") or ()), *(details.get("write") or ())):
        if _SECRET.search(str(path)):
            yield _risk("secrets", str(path))


def command_risks(script: str, folder: str) -> Iterator[Risk]:
    """Yield what is risky in a shell's script that would run in a folder."""
    try:
        yield from _Reader(folder, time.thread_time() + SECONDS).read(script, MOST_NESTED)
    except ImportError:
        yield _risk("unreadable", "its reader is not installed")
    except (ValueError, RecursionError):
        yield _risk("unreadable", "too involved")


@attrs.frozen
class _Reader:
    """Reads a script and those within it, all of them until one moment of the thread's time."""

    folder: str
    until: float

    def read(self, script: str, nested: int) -> Iterator[Risk]:
        text = script.encode(errors="replace")
        is_cut = len(text) > MOST_BYTES
        if is_cut:
            yield _risk("unreadable", "only its beginning was read")
            text = text[:MOST_BYTES]
        tree = self._parsed(text)
        if tree.root_node.has_error and not is_cut:
            yield _risk("unreadable", "not all of it is a shell's grammar")
        waiting, left = [tree.root_node], MOST_NODES
        while waiting and left and time.thread_time() < self.until:
            left -= 1
            node = waiting.pop()
            waiting += reversed(node.named_children)
            yield from self._node(node, nested)
        if waiting:
            yield _risk("unreadable", "only its beginning was read")

    def _node(self, node: Node, nested: int) -> Iterator[Risk]:
        match node.type:
            case "command":
                yield from self._command(_words(node), nested)
            case "pipeline":
                yield from _told(node.named_children[1:], node)
            case "heredoc_redirect":  # a pipe after its first line stands within it
                yield from _told([*_flat(node)], node)
            case "redirected_statement":
                yield from _emptied_or_told(node)
            case "herestring_redirect":
                yield from _told([node.parent or node], node.parent or node)
            case "file_redirect":
                for target in node.children_by_field_name("destination"):
                    yield from _path(_text(target), self.folder)

    def _parsed(self, text: bytes) -> Tree:
        """Parse it, within the time that is left; ValueError where that is too little."""
        tree = _parser().parse(
            lambda at, _point: text[at : at + 4096],
            progress_callback=lambda _at, _has_error: time.thread_time() > self.until,
        )
        if tree is None:
            raise ValueError
        return tree

    def _command(self, said: list[str], nested: int) -> Iterator[Risk]:
        words = _unwrapped(said)
        if not words:
            return
        name, rest = _name(words[0]), words[1:]
        yield from _acts(name, rest, " ".join(words))
        yield from _paths(name, rest, self.folder)
        if not nested:
            if name in INTERPRETERS or name == "eval":
                yield _risk("unreadable", " ".join(words))
            return
        inner = _script(said, name, rest)
        if inner is not None:
            yield from self.read(inner, nested - 1)
        if name == "find":
            starts = [at + 1 for at, word in enumerate(rest) if word in _FOR_EACH]
            for start, end in pairwise([*starts, None]):
                yield from self._command(rest[start:end], nested - 1)


def _parser() -> Parser:
    """Make a parser: the sessions' threads have one each, for none takes two texts at once."""
    from tree_sitter import Parser  # noqa: PLC0415

    return Parser(_grammar())


@cache
def _grammar() -> Language:
    """Load the grammar, with the first command that is asked about."""
    import tree_sitter_bash  # noqa: PLC0415
    from tree_sitter import Language  # noqa: PLC0415

    return Language(tree_sitter_bash.language())


def _acts(name: str, rest: Sequence[str], said: str) -> Iterator[Risk]:
    discards = name == PROGRAM and "checkout" in rest and not DISCARDING.isdisjoint(rest)
    if name in DELETING or name.startswith("mkfs.") or _any(DELETES_BY, name, rest) or discards:
        yield _risk("deletes", said)
    if (
        name in NETWORKING
        or _any(NETWORKS_BY, name, rest)
        or any("://" in word and not word.startswith("file:") for word in rest)
    ):
        yield _risk("network", said)
    is_hidden = (
        not _PLAIN.fullmatch(name)
        or name in HIDING
        or (name == PROGRAM and any("alias." in word for word in rest))
        or (name in INTERPRETERS - SHELLS and any(_CODE.fullmatch(word) for word in rest))
        or (name in SHELLS and any(word.lower().startswith("-enc") for word in rest))
    )
    if is_hidden:
        yield _risk("unreadable", said)
    if name in INTERPRETERS | {"eval", "source", "."} and ("$(" in said or "<(" in said):
        yield _risk("pipes_into_shell", said)


def _paths(name: str, rest: Sequence[str], folder: str) -> Iterator[Risk]:
    plain = [word for word in rest if not word.startswith("-")]
    for word in plain[1:] if name in TEXTUAL else rest:
        value = word.rpartition("=")[2]
        yield from _path(value.removeprefix("@"), folder)  # as curl names a file that it sends


def _told(parts: Sequence[Node], whole: Node) -> Iterator[Risk]:
    """Find a shell, or another interpreter, that is told by what it reads what to do."""
    for part in parts:
        command = part.named_children[0] if part.type == "redirected_statement" else part
        words = _unwrapped(_words(command))
        scripts = [word for word in words[1:] if not word.startswith("-")]
        is_told = not scripts and not {"-c", "-e", "-m"} & set(words)
        if words and _name(words[0]) in INTERPRETERS and (is_told or "-s" in words):
            yield _risk("pipes_into_shell", (whole.text or b"").decode(errors="replace"))


def _flat(node: Node) -> Iterator[Node]:
    """Yield what stands in it, and in its pipes."""
    for child in node.named_children:
        yield child
        if child.type == "pipeline":
            yield from child.named_children


def _emptied_or_told(node: Node) -> Iterator[Risk]:
    yield from _emptied(node)
    if any(one.type == "heredoc_redirect" for one in node.named_children):
        yield from _told(node.named_children[:1], node)


def _emptied(node: Node) -> Iterator[Risk]:
    """Find a file that is emptied: nothing, or a command that says nothing, is written to it."""
    body = node.child_by_field_name("body")
    if body is not None and _words(body) not in ([":"], ["true"]):
        return
    for redirect in node.named_children:
        target = redirect.child_by_field_name("destination")
        is_new = any(child.type in {">", ">|", "&>"} for child in redirect.children)
        if target is not None and is_new and _text(target) not in _HARMLESS:
            yield _risk("deletes", (node.text or b"").decode(errors="replace"))


def _script(said: Sequence[str], name: str, rest: Sequence[str]) -> str | None:
    """Return the script that a command gives to a shell in its words."""
    if name in {"eval", "trap"}:
        return " ".join(rest if name == "eval" else rest[:1])
    for at, word in enumerate(said):
        split = word.removeprefix("-S") if word.startswith("-S") else word.partition("=")[2]
        if _name(said[0]) == "env" and word.startswith(("-S", "--split-string")):
            return split or " ".join(said[at + 1 :])
        if _name(said[0]) in {"su", "runuser"} and word in {"-c", "--command"}:
            return " ".join(said[at + 1 : at + 2])
    for at, word in enumerate(rest[:-1]):
        is_cmd = name == "cmd" and word.lower() in {"/c", "/k"}
        if is_cmd or (name in SHELLS and _SCRIPT.fullmatch(word)):
            return " ".join(rest[at + 1 :] if is_cmd else rest[at + 1 : at + 2])
    return None


def _path(word: str, folder: str) -> Iterator[Risk]:
    if not _PATH.fullmatch(word) or word in _HARMLESS:
        return
    if _SECRET.search(word):
        yield _risk("secrets", word)
    is_far = bool(_HOME.match(word))
    if not is_far and posixpath.isabs(word):
        is_far = not _lies_in(posixpath.normpath(word), posixpath.normpath(folder or "/nowhere"))
    elif not is_far:
        is_far = posixpath.normpath(word).startswith("..")
    if is_far:
        yield _risk("outside_folder", word)


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _any(words_of: Mapping[str, Sequence[str]], name: str, rest: Sequence[str]) -> bool:
    return any(word in words_of.get(name, ()) for word in rest)


def _name(word: str) -> str:
    """Return a program's name without its folder."""
    return ntpath.basename(posixpath.basename(word)).removesuffix(".exe")


def _words(node: Node) -> list[str]:
    """Return the words of a command, without what is set before it and its redirections."""
    if node.type != "command":
        return []
    return [_text(child) for child in node.named_children if child.type not in _NO_WORDS]


def _unwrapped(words: list[str]) -> list[str]:
    """Return the command that programs such as ``sudo`` run, with its words."""
    while len(words) > 1 and _name(words[0]) in BEFORE:
        words = words[1:]
        has_options = words[0].startswith("-")
        while len(words) > 1 and _OPTION.match(words[0]):
            words = words[1:]
        if has_options and _name(words[0]) not in _KNOWN:  # the value of an option, it may be
            words = words[next((n for n, word in enumerate(words) if _name(word) in _KNOWN), 0) :]
    return words


_KNOWN = frozenset(
    {*DELETING, *DELETES_BY, *INTERPRETERS, *BEFORE, *NETWORKING, *NETWORKS_BY, *TEXTUAL, "eval"}
)
_OPTION = re.compile(r"-|\w+=|[\d.]+[smhd]?$")
_PLAIN = re.compile(r"[\w.+:@%\[\]!-]+", re.ASCII)
"""A program's name that is what it seems: no variable, no pattern, no letter that looks alike."""

_CODE = re.compile(r"-\w*[cer]|--eval|--print")
"""Options after which an interpreter that is no shell takes its program's text."""

_SCRIPT = re.compile(r"-\w*c|-Command|--command", re.ASCII)
_FOR_EACH = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_NO_WORDS = frozenset(
    {
        *("variable_assignment", "file_redirect", "heredoc_redirect", "herestring_redirect"),
        "comment",
    }
)


def _text(node: Node) -> str:
    """Return a word as the shell takes it, as far as that is known before it runs."""
    if node.type == "concatenation" or (node.type == "command_name" and node.named_children):
        return "".join(_text(child) for child in node.children)
    text = (node.text or b"").decode(errors="replace")
    if node.type in {"string", "raw_string"} and len(text) > 1:
        return text[1:-1]
    return text.replace("\\", "") if node.type in {"word", "command_name"} else text


def _risk(kind: Any, words: str) -> Risk:
    line = " ".join(words.split())
    return Risk(kind, line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…")

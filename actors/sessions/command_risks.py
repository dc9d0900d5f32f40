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
from typing import TYPE_CHECKING, Any, Final

import attrs

from command_center.actors.git.ports import PROGRAM
from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.sessions.permission_hints import REACHING_OUT
from command_center.store.records import Risk

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

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
BEFORE = frozenset({"sudo", "doas", "env", "command", "exec", "nohup", "time", "nice", "xargs"})
"""Programs that run another: the rest of their words is its command."""

DELETING = frozenset({"rm", "rmdir", "unlink", "shred", "truncate", "wipefs", "mkfs", "dd", "del"})
DELETES_BY = {
    "find": ("-delete",),
    "rsync": ("--delete", "--delete-after", "--delete-excluded"),
    "docker": ("rm", "rmi", "prune"),
    "kubectl": ("delete",),
    PROGRAM: ("clean", "-D", "--hard", "--force", "-f", "--delete", "--mirror"),
}
"""Words of programs with which these delete, or replace what is there."""

NETWORKING = frozenset(
    {
        *("curl", "wget", "nc", "ncat", "netcat", "socat", "telnet", "ftp", "sftp", "scp", "ssh"),
        *("npx", "uvx", "pipx", "ping", "dig", "nslookup", "gh", "apt", "apt-get", "brew", "dnf"),
        *("yum", "apk"),
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
    return attrs.evolve(wanted, risks=tuple(found[:MOST_RISKS]))


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
        while waiting and left:
            left -= 1
            node = waiting.pop()
            waiting += reversed(node.named_children)
            match node.type:
                case "command":
                    yield from self._command(node, nested)
                case "pipeline":
                    yield from _pipeline(node)
                case "file_redirect":
                    target = node.child_by_field_name("destination")
                    if target is not None:
                        yield from _path(_text(target), self.folder)
        if waiting:
            yield _risk("unreadable", "only its beginning was read")

    def _parsed(self, text: bytes) -> Tree:
        """Parse it, within the time that is left; ValueError where that is too little."""
        parser = _parser()
        parser.reset()
        tree = parser.parse(
            lambda at, _point: text[at : at + 4096],
            progress_callback=lambda _at, _has_error: time.thread_time() > self.until,
        )
        if tree is None:
            raise ValueError
        return tree

    def _command(self, node: Node, nested: int) -> Iterator[Risk]:
        words = _unwrapped(_words(node))
        if not words:
            return
        name, rest = _name(words[0]), words[1:]
        yield from _acts(name, rest, " ".join(words))
        if name in SHELLS and "-c" in rest[:-1] and nested:
            yield from self.read(rest[rest.index("-c") + 1], nested - 1)
        yield from _paths(name, rest, self.folder)


@cache
def _parser() -> Parser:
    """Load the grammar, with the first command that is asked about."""
    import tree_sitter_bash  # noqa: PLC0415
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_bash.language()))


def _acts(name: str, rest: Sequence[str], said: str) -> Iterator[Risk]:
    if name in DELETING or name.startswith("mkfs.") or _any(DELETES_BY, name, rest):
        yield _risk("deletes", said)
    if (
        name in NETWORKING
        or _any(NETWORKS_BY, name, rest)
        or any("://" in word and not word.startswith("file:") for word in rest)
    ):
        yield _risk("network", said)
    if name in INTERPRETERS | {"eval", "source", "."} and ("$(" in said or "<(" in said):
        yield _risk("pipes_into_shell", said)


def _paths(name: str, rest: Sequence[str], folder: str) -> Iterator[Risk]:
    plain = [word for word in rest if not word.startswith("-")]
    for word in plain[1:] if name in TEXTUAL else rest:
        value = word.rpartition("=")[2]
        yield from _path(value.removeprefix("@"), folder)  # as curl names a file that it sends


def _pipeline(node: Node) -> Iterator[Risk]:
    """Find a shell, or another interpreter, that is told by a pipe what to do."""
    for part in node.named_children[1:]:
        command = part.named_children[0] if part.type == "redirected_statement" else part
        words = _unwrapped(_words(command))
        scripts = [word for word in words[1:] if not word.startswith("-")]
        is_told = not scripts and not {"-c", "-e", "-m"} & set(words)
        if words and _name(words[0]) in INTERPRETERS and (is_told or "-s" in words):
            yield _risk("pipes_into_shell", _text(node))


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
        named = (n for n, word in enumerate(words) if _name(word) in INTERPRETERS)
        words = words[next(named, 1) :]
        while len(words) > 1 and (words[0].startswith("-") or "=" in words[0]):
            words = words[1:]
    return words


_NO_WORDS = frozenset({"variable_assignment", "file_redirect", "heredoc_redirect", "comment"})


def _text(node: Node) -> str:
    """Return a word as the shell takes it, as far as that is known before it runs."""
    text = (node.text or b"").decode(errors="replace")
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text.replace("\\", "") if node.type in {"word", "command_name"} else text


def _risk(kind: Any, words: str) -> Risk:
    line = " ".join(words.split())
    return Risk(kind, line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…")

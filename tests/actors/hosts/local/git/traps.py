"""Ways in which a repository makes an unwary git run a program.

Each trap is planted in a fresh repository and leaves a canary file behind when it fires. It names
the commands that set it off in a git that is not held: a trap that does not fire there would prove
nothing of the git that is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs

from tests.actors.git.repository import commit, plain_git


@attrs.frozen
class Trap:
    """A trap and what sets it off; `{side}` and `{fork}` are beside the repository."""

    name: str
    plant: Callable[[Path, Path], None]
    set_off: tuple[tuple[str, ...], ...]

    def fire(self, repository: Path) -> None:
        """Do what an unwary user does."""
        places = {"{side}": str(repository.parent / "unwary"), "{fork}": str(_fork(repository))}
        for command in self.set_off:
            arguments = [places.get(part, part) for part in command]
            plain_git(repository, *arguments, check=False)


def traps() -> tuple[Trap, ...]:
    """All of them."""
    status, diff = (("status",),), (("diff",),)
    add = (("worktree", "add", "-b", "unwary", "{side}"),)
    merge = (("merge", "--no-ff", "--no-edit", "work"),)
    return (
        Trap("fsmonitor", _fsmonitor, status),
        Trap("fsmonitor of a submodule", _submodule_fsmonitor, status),
        Trap("hooks", _hooks, add),
        Trap("hooks in another folder", _hooks_path, add),
        Trap("hooks of an included configuration", _included_hooks, add),
        Trap("hook of every change of a ref", _reference_hook, add),
        Trap("external diff", _external_diff, diff),
        Trap("diff driver", _diff_driver, diff),
        Trap("text converter", _textconv, diff),
        Trap("text converter by info/attributes", _textconv_by_info, diff),
        Trap("clean filter", _clean, diff),
        Trap("clean filter by info/attributes", _clean_by_info, diff),
        Trap("clean filter by core.attributesFile", _clean_by_file, diff),
        Trap("clean filter with an odd name", _clean_odd, diff),
        Trap("filter process", _filter_process, diff),
        Trap("required clean filter", _required_clean, diff),
        Trap("smudge filter", _smudge, add),
        Trap("smudge filter by info/attributes", _smudge_by_info, add),
        Trap("smudge filter in worktrees only", _smudge_in_worktrees, add),
        Trap("merge driver", _merge_driver, merge),
        Trap("merge driver by info/attributes", _merge_driver_by_info, merge),
        Trap("signature of a commit made", _signing, merge),
        Trap("signature of a commit shown", _signature_shown, (("log",),)),
        Trap("update command of a submodule", _submodule_update, (("submodule", "update"),)),
        Trap("refs of an alternate", _alternate_refs, (("fetch", "{fork}"),)),
        Trap("configuration of worktrees", _worktree_configuration, status),
        Trap("lazy fetch over ext", _lazy_fetch_ext, add),
        Trap("lazy fetch over ssh", _lazy_fetch_ssh, add),
        Trap("lazy fetch by a program of the remote", _lazy_fetch_upload_pack, add),
    )


GROUPED = (
    (
        "fsmonitor",
        "hooks",
        "hook of every change of a ref",
        "merge driver",
        "signature of a commit made",
        "refs of an alternate",
    ),
    (
        "configuration of worktrees",
        "hooks in another folder",
        "signature of a commit shown",
        "merge driver by info/attributes",
    ),
    ("fsmonitor of a submodule", "diff driver", "clean filter with an odd name"),
    (
        "update command of a submodule",
        "external diff",
        "clean filter by info/attributes",
        "smudge filter by info/attributes",
    ),
    (
        "text converter by info/attributes",
        "clean filter by core.attributesFile",
        "hooks of an included configuration",
    ),
    ("smudge filter", "clean filter"),
    ("required clean filter", "smudge filter in worktrees only"),
)
"""The names of traps that can lie in one repository, as none of them keeps another from firing.

Those that need a clean checkout to merge in are with none that changes a file, and those for which
less can be put back are by themselves. In a group, what commits is before what changes a file.
"""


def groups() -> tuple[tuple[Trap, ...], ...]:
    """All traps, those together that do not clash."""
    found = {trap.name: trap for trap in traps()}
    together = [tuple(found.pop(name) for name in names) for names in GROUPED]
    return (*together, *((trap,) for trap in found.values()))


def names_of(chosen: Iterable[Trap]) -> str:
    """Name a group of traps as a test's parameter."""
    return ", ".join(trap.name for trap in chosen)


def plant_all(chosen: Iterable[Trap], repository: Path, canaries: Path) -> dict[str, Path]:
    """Plant traps in one repository; return the canary of each, in one folder, by its name."""
    canaries.mkdir()
    planted = {trap: canaries / re.sub(r"\W", "-", trap.name) for trap in chosen}
    for trap, canary in planted.items():
        trap.plant(repository, canary)
    for canary in planted.values():
        canary.unlink(missing_ok=True)
    return {trap.name: canary for trap, canary in planted.items()}


def push_traps() -> tuple[Trap, ...]:
    """Those that a push to `origin` sets off, which is at an https address and wants a password."""
    push = (("push", "origin", "main"),)
    return (
        Trap("hook before a push", _push_hook, push),
        Trap("hook before a push in another folder", _push_hook_elsewhere, push),
        Trap("credential helper", _credential_helper, push),
        Trap("program that asks for a password", _ask_pass, push),
        Trap("address over ext", _pushed_over_ext, push),
        Trap("address over ext by insteadOf", _instead_over_ext, push),
        Trap("ssh command", _ssh_command, push),
        Trap("program of the other side", _receive_pack, push),
        Trap("signature of a push", _signed_push, push),
    )


def _script(path: Path, canary: Path, then: str = "") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n: > '{canary.as_posix()}'\n{then}\n", encoding="utf-8")
    path.chmod(0o755)
    return path.as_posix()


def _program(repository: Path, canary: Path, then: str = "") -> str:
    """A program in the repository's own git directory that fires, and goes on as `then` says."""
    return _script(repository / ".git" / f"evil-{canary.name}.sh", canary, then)


def _touch(repository: Path) -> None:
    """Change a tracked file, so that git has to look at it."""
    (repository / "readme.txt").write_text("changed\n", encoding="utf-8")


def _info(repository: Path, text: str) -> None:
    folder = repository / ".git" / "info"
    folder.mkdir(exist_ok=True)
    (folder / "attributes").write_text(text, encoding="utf-8")


def _fsmonitor(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "core.fsmonitor", _program(repository, canary))


def _submodule_fsmonitor(repository: Path, canary: Path) -> None:
    inner = repository / "inner"
    inner.mkdir()
    plain_git(inner, "init", "--quiet")
    commit(inner, {"file.txt": "1\n"})
    plain_git(repository, "add", "inner")
    plain_git(repository, "commit", "--quiet", "-m", "A submodule")
    plain_git(inner, "config", "core.fsmonitor", _program(repository, canary))
    plain_git(repository, "config", "status.submoduleSummary", "true")
    plain_git(repository, "config", "diff.ignoreSubmodules", "none")
    plain_git(repository, "config", "submodule.recurse", "true")


def _submodule_update(repository: Path, canary: Path) -> None:
    inner = repository / "inner"
    inner.mkdir()
    plain_git(inner, "init", "--quiet")
    commit(inner, {"file.txt": "1\n"})
    commit(repository, {".gitmodules": '[submodule "i"]\n\tpath = inner\n\turl = ./inner\n'})
    commit(inner, {"file.txt": "2\n"})
    plain_git(repository, "config", "submodule.i.url", inner.as_posix())
    plain_git(repository, "config", "submodule.i.update", f"!{_program(repository, canary)}")
    plain_git(repository, "config", "submodule.recurse", "true")


def _fork(repository: Path) -> Path:
    return repository.parent / "fork"


def _alternate_refs(repository: Path, canary: Path) -> None:
    fork = _fork(repository)
    plain_git(repository.parent, "clone", "--quiet", str(repository), str(fork))
    commit(fork, {"more.txt": "1\n"})
    (repository / ".git" / "objects" / "info" / "alternates").write_text(
        f"{(fork / '.git' / 'objects').as_posix()}\n", encoding="utf-8"
    )
    plain_git(repository, "config", "core.alternateRefsCommand", _program(repository, canary))


def _worktree_configuration(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "extensions.worktreeConfig", "true")
    plain_git(repository, "config", "--worktree", "core.fsmonitor", _program(repository, canary))


def _hooks(repository: Path, canary: Path) -> None:
    for name in ("post-checkout", "post-index-change", "post-merge", "pre-merge-commit"):
        _script(repository / ".git" / "hooks" / name, canary)


def _hooks_path(repository: Path, canary: Path) -> None:
    for name in ("post-checkout", "post-index-change"):
        _script(repository / "hooks" / name, canary)
    plain_git(repository, "config", "core.hooksPath", "hooks")


def _included_hooks(repository: Path, canary: Path) -> None:
    _script(repository / ".git" / "more" / "post-checkout", canary)
    (repository / ".git" / "more.cfg").write_text(
        f"[core]\n\thooksPath = {(repository / '.git' / 'more').as_posix()}\n", encoding="utf-8"
    )
    plain_git(repository, "config", "include.path", "more.cfg")


def _reference_hook(repository: Path, canary: Path) -> None:
    _script(repository / ".git" / "hooks" / "reference-transaction", canary)


def _external_diff(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "diff.external", _program(repository, canary))
    _touch(repository)


def _diff_driver(repository: Path, canary: Path) -> None:
    commit(repository, {".gitattributes": "* diff=evil\n"})
    plain_git(repository, "config", "diff.evil.command", _program(repository, canary))
    _touch(repository)


def _textconv(repository: Path, canary: Path) -> None:
    commit(repository, {".gitattributes": "* diff=evil\n"})
    plain_git(repository, "config", "diff.evil.textconv", _program(repository, canary))
    _touch(repository)


def _textconv_by_info(repository: Path, canary: Path) -> None:
    _info(repository, "* diff=evil\n")
    plain_git(repository, "config", "diff.evil.textconv", _program(repository, canary))
    _touch(repository)


def _clean(repository: Path, canary: Path) -> None:
    commit(repository, {".gitattributes": "*.txt filter=evil\n"})
    plain_git(repository, "config", "filter.evil.clean", _program(repository, canary, "cat"))
    _touch(repository)


def _clean_by_info(repository: Path, canary: Path) -> None:
    _info(repository, "* filter=evil\n")
    plain_git(repository, "config", "filter.evil.clean", _program(repository, canary, "cat"))
    _touch(repository)


def _clean_by_file(repository: Path, canary: Path) -> None:
    attributes = repository / ".git" / "attributes"
    attributes.write_text("* filter=evil\n", encoding="utf-8")
    plain_git(repository, "config", "core.attributesFile", attributes.as_posix())
    plain_git(repository, "config", "filter.evil.clean", _program(repository, canary, "cat"))
    _touch(repository)


def _clean_odd(repository: Path, canary: Path) -> None:
    _info(repository, "* filter=a.b=c\n")
    plain_git(repository, "config", "filter.a.b=c.clean", _program(repository, canary, "cat"))
    _touch(repository)


def _filter_process(repository: Path, canary: Path) -> None:
    _info(repository, "* filter=evil\n")
    plain_git(repository, "config", "filter.evil.process", _program(repository, canary))
    _touch(repository)


def _required_clean(repository: Path, canary: Path) -> None:
    _clean_by_info(repository, canary)
    plain_git(repository, "config", "filter.evil.required", "true")


def _smudge(repository: Path, canary: Path) -> None:
    commit(repository, {".gitattributes": "* filter=evil\n"})
    plain_git(repository, "config", "filter.evil.smudge", _program(repository, canary, "cat"))


def _smudge_by_info(repository: Path, canary: Path) -> None:
    _info(repository, "* filter=evil\n")
    plain_git(repository, "config", "filter.evil.smudge", _program(repository, canary, "cat"))


def _smudge_in_worktrees(repository: Path, canary: Path) -> None:
    _info(repository, "* filter=evil\n")
    program = _program(repository, canary, "cat")
    (repository / ".git" / "more.cfg").write_text(
        f'[filter "evil"]\n\tsmudge = {program}\n', encoding="utf-8"
    )
    plain_git(repository, "config", "includeIf.gitdir:**/worktrees/**.path", "more.cfg")


def _push_hook(repository: Path, canary: Path) -> None:
    for name in ("pre-push", "reference-transaction"):
        _script(repository / ".git" / "hooks" / name, canary)


def _push_hook_elsewhere(repository: Path, canary: Path) -> None:
    _script(repository / "hooks" / "pre-push", canary)
    plain_git(repository, "config", "core.hooksPath", "hooks")


def _credential_helper(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "credential.helper", f"!{_program(repository, canary)}")


def _ask_pass(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "core.askPass", _program(repository, canary))


def _pushed_over_ext(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "protocol.ext.allow", "always")
    address = f"ext::sh {_program(repository, canary)}"
    plain_git(repository, "config", "remote.origin.pushurl", address)


def _instead(repository: Path, address: str) -> None:
    """Have git push elsewhere than its `origin` says."""
    for kind in ("insteadOf", "pushInsteadOf"):
        plain_git(repository, "config", f"url.{address}.{kind}", "https:")


def _instead_over_ext(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "protocol.ext.allow", "always")
    _instead(repository, f"ext::sh {_program(repository, canary)} ")


def _ssh_command(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "core.sshCommand", _program(repository, canary))
    _instead(repository, "ssh:")


def _receive_pack(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "remote.origin.receivepack", _program(repository, canary))
    plain_git(repository, "config", "remote.origin.pushurl", repository.as_posix())


def _signed_push(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "push.gpgSign", "true")
    plain_git(repository, "config", "gpg.program", _program(repository, canary))


def _diverge(repository: Path) -> None:
    """Give `work` and `main` different ends of one file, unless another trap has."""
    if plain_git(repository, "branch", "--list", "work"):
        return
    commit(repository, {"both.txt": "1\n2\n3\n4\n5\n6\n7\n"})
    plain_git(repository, "switch", "--quiet", "-c", "work")
    commit(repository, {"both.txt": "one\n2\n3\n4\n5\n6\n7\n"})
    plain_git(repository, "switch", "--quiet", "main")
    commit(repository, {"both.txt": "1\n2\n3\n4\n5\n6\nseven\n"})


def _merge_driver(repository: Path, canary: Path) -> None:
    commit(repository, {".gitattributes": "* merge=evil\n"})
    _diverge(repository)
    plain_git(repository, "config", "merge.evil.driver", _program(repository, canary))


def _merge_driver_by_info(repository: Path, canary: Path) -> None:
    _info(repository, "* merge=evil\n")
    _diverge(repository)
    plain_git(repository, "config", "merge.evil.driver", _program(repository, canary))


def _signing(repository: Path, canary: Path) -> None:
    _diverge(repository)
    plain_git(repository, "config", "commit.gpgSign", "true")
    plain_git(repository, "config", "gpg.program", _program(repository, canary, "exit 1"))


def _signature_shown(repository: Path, canary: Path) -> None:
    raw = plain_git(repository, "cat-file", "commit", "HEAD")
    head, _, message = raw.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----"
    signed = plain_git(
        repository,
        "hash-object",
        "-t",
        "commit",
        "-w",
        "--stdin",
        sent=f"{head}\n{signature}\n\n{message}\n".encode(),
    )
    plain_git(repository, "reset", "--quiet", "--hard", signed)
    plain_git(repository, "config", "log.showSignature", "true")
    plain_git(repository, "config", "gpg.program", _program(repository, canary))


def _lose_an_object(repository: Path, url: str) -> None:
    """Make a partial clone of it that lacks a file's content."""
    lost = plain_git(repository, "rev-parse", "HEAD:source.py")
    for key, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", url),
        ("protocol.allow", "always"),
        ("protocol.ext.allow", "always"),
    ):
        plain_git(repository, "config", key, value)
    (repository / ".git" / "objects" / lost[:2] / lost[2:]).unlink()


def _lazy_fetch_ext(repository: Path, canary: Path) -> None:
    _lose_an_object(repository, f"ext::sh {_program(repository, canary)}")


def _lazy_fetch_ssh(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "core.sshCommand", _program(repository, canary))
    _lose_an_object(repository, "ssh://host.invalid/repository")


def _lazy_fetch_upload_pack(repository: Path, canary: Path) -> None:
    plain_git(repository, "config", "remote.origin.uploadpack", _program(repository, canary))
    _lose_an_object(repository, repository.as_posix())

"""The first words to the other machine, by which its Python takes the program and starts it.

That machine keeps the program in `~/.cache/command-center/DIGEST`, for its user alone. What comes
is held against the digest before anything of it is run.

Whatever runs out of such a folder holds the lock of its file `in-use`, shared: a link, and the
keeper of an app-server that outlives it. A program whose lock nobody holds is removed when
another one starts.
"""

from __future__ import annotations

import base64
import inspect
from typing import Any, Final

OLDEST: Final = (3, 11)

HAVE: Final = b"command-center: have\n"
NEED: Final = b"command-center: need\n"
OLD: Final = b"command-center: old "
BROKEN: Final = b"command-center: broken\n"


def boot_command(digest: str, data_dir: str) -> str:
    """Return the command for the other machine's shell, whichever that is.

    Nothing in it means anything to a shell: the program is written in letters and digits.
    """
    call = f"_boot({digest!r}, {data_dir!r}, {OLDEST!r})"
    parts = "\n".join(inspect.getsource(part) for part in (_keep, _hold, _sweep, _boot))
    program = f"from __future__ import annotations\n{parts}\n{call}\n"
    coded = base64.b64encode(program.encode()).decode()
    return f"""exec python3 -IS -c 'import base64;exec(base64.b64decode("{coded}"))'"""


def _boot(digest: str, data_dir: str, oldest: tuple[int, int]) -> None:
    """Run over there: take the program if it is not there, and start it."""
    import os  # noqa: PLC0415 - it is sent alone
    import sys  # noqa: PLC0415 - the same

    def say(text: str) -> None:
        os.write(1, ("command-center: " + text + "\n").encode())

    def read(size: int) -> bytes:
        found = b""
        while len(found) < size:
            piece = os.read(0, min(1 << 16, size - len(found)))
            if not piece:
                sys.exit(1)
            found += piece
        return found

    if sys.version_info < oldest:
        say("old %d.%d" % sys.version_info[:2])  # noqa: UP031 - an old Python reads it
        sys.exit(1)
    import hashlib  # noqa: PLC0415 - the same
    import pathlib  # noqa: PLC0415 - the same

    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    cache = pathlib.Path(base).expanduser() / "command-center"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32" and cache.lstat().st_uid != os.getuid():
        sys.exit(f"{cache} is another user's.")
    cache.chmod(0o700)
    folder = cache / digest
    while not _hold(folder):
        say("need")
        content = read(int.from_bytes(read(8), "big"))
        if hashlib.sha256(content).hexdigest() != digest:
            say("broken")
            sys.exit(1)
        _keep(content, folder)
    _sweep(folder)
    sys.path.insert(0, str(folder))
    say("have")
    from command_center.actors.hosts.far.main import main  # noqa: PLC0415 - it is there now

    main(data_dir)


def _keep(content: bytes, folder: Any) -> None:
    """Run over there: have the program in its folder, which is whole or is not there."""
    import io  # noqa: PLC0415 - it is sent alone
    import os  # noqa: PLC0415 - the same
    import pathlib  # noqa: PLC0415 - the same
    import shutil  # noqa: PLC0415 - the same
    import tempfile  # noqa: PLC0415 - the same
    import zipfile  # noqa: PLC0415 - the same

    made = pathlib.Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(made)
        for path in made.rglob("*.py"):
            with path.open("rb") as file:
                os.fsync(file.fileno())
        (made / "in-use").touch()
        made.rename(folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not folder.is_dir():  # no other one was faster
            raise


def _hold(folder: Any) -> bool:
    """Run over there: hold a program while this process lives; False if it is not there."""
    import contextlib  # noqa: PLC0415 - it is sent alone
    import fcntl  # noqa: PLC0415 - the same
    import os  # noqa: PLC0415 - the same
    import sys  # noqa: PLC0415 - the same

    if sys.platform == "win32":
        return False
    else:  # noqa: RET505 - mypy knows the platform only so
        try:
            lock = os.open(folder / "in-use", os.O_RDWR | os.O_CREAT, 0o600)
            with contextlib.suppress(OSError):  # a disk without locks, on which nothing is swept
                fcntl.flock(lock, fcntl.LOCK_SH)
            held, found = os.fstat(lock), (folder / "in-use").stat()
        except OSError:
            return False
        # It may have been removed between the two, and brought again.
        return (held.st_dev, held.st_ino) == (found.st_dev, found.st_ino)


def _sweep(folder: Any) -> None:
    """Run over there: remove the programs beside this one that no process holds."""
    import contextlib  # noqa: PLC0415 - it is sent alone
    import fcntl  # noqa: PLC0415 - the same
    import os  # noqa: PLC0415 - the same
    import shutil  # noqa: PLC0415 - the same
    import sys  # noqa: PLC0415 - the same
    import time  # noqa: PLC0415 - the same

    if sys.platform != "win32":
        for left in folder.parent.glob("*"):
            with contextlib.suppress(OSError):  # another one removes it just now
                name, hour = left.name, 3600
                is_old = name.startswith("tmp") and left.stat().st_mtime < time.time() - hour
                if name.endswith(".gone") or is_old:
                    shutil.rmtree(left, ignore_errors=True)
        for other in folder.parent.glob("[0-9a-f]" * 64):
            if other == folder:
                continue
            with contextlib.suppress(OSError):  # somebody holds it, or removes it too
                lock = os.open(other / "in-use", os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    gone = other.with_name(other.name + ".gone")
                    other.rename(gone)
                    shutil.rmtree(gone, ignore_errors=True)
                finally:
                    os.close(lock)

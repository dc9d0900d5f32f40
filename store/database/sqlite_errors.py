"""SQLite's result codes, told apart: the machine's faults, damage, and refusals of the schema.

The codes are those of https://www.sqlite.org/rescode.html; the low byte is the primary one.
"""

import re
import sqlite3

FAULTS = (sqlite3.Error, MemoryError)
"""Errors that SQLite's calls raise; Python makes one of its own of a lack of memory."""

_OF_THE_MACHINE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)
_REFUSED_WHOLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CONSTRAINT,
    }
)
_OF_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNREAD = re.compile(r"unable to get the page\. error code=(\d+)")


def is_of_the_machine(error: BaseException) -> bool:
    """Tell whether disk, memory, rights or another process is at fault, not the statement."""
    return isinstance(error, MemoryError) or _primary_code(error) in _OF_THE_MACHINE


def is_of_the_machine_to_read(error: BaseException) -> bool:
    """Tell the same of a connection that only reads, where a write is the statement's fault."""
    return is_of_the_machine(error) and _primary_code(error) != sqlite3.SQLITE_READONLY


def is_held(error: BaseException) -> bool:
    """Tell whether another process holds the file."""
    return _primary_code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def is_interruption(error: BaseException) -> bool:
    """Tell whether it was stopped from our side."""
    return _primary_code(error) == sqlite3.SQLITE_INTERRUPT


def may_have_been_kept(error: BaseException) -> bool:
    """Tell whether a commit that raised this may have been written, such as one not flushed.

    What could not be written lacks its end, by which a commit is known.
    """
    is_cut = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_WRITE
    return not is_cut and _primary_code(error) not in _REFUSED_WHOLE


def is_corruption(error: BaseException) -> bool:
    """Tell whether the file is damaged or is no database; a text that is none says so, too."""
    is_no_text = isinstance(error, UnicodeError) or "Could not decode to UTF-8" in str(error)
    return is_no_text or _primary_code(error) in _OF_DAMAGE


def raise_unread(line: str) -> None:
    """Raise the machine's fault that a check of a file tells in this line as if it were damage.

    A check calls a page wrong, too, that it had no memory for, or that the disk did not give.

    Raises:
        MemoryError: there is no memory left.
        sqlite3.OperationalError: the system does not let a page be read.
    """
    found = _UNREAD.search(line)
    if found is None:
        return
    code = int(found[1])
    if code & 0xFF == sqlite3.SQLITE_NOMEM:
        raise MemoryError
    if code & 0xFF in _OF_THE_MACHINE - _OF_DAMAGE:
        fault = sqlite3.OperationalError(f"a page cannot be read (SQLite's error {code})")
        fault.sqlite_errorcode = code
        raise fault


def words_of(error: BaseException) -> str:
    """Give SQLite's words for the fault; a lack of memory comes without any."""
    return str(error) or "there is no memory left"


def code_name(error: BaseException) -> str | None:
    """Give SQLite's name of the fault, such as ``SQLITE_IOERR_WRITE``; None if it has none."""
    name = getattr(error, "sqlite_errorname", None)
    return name if isinstance(name, str) else None


def _primary_code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None

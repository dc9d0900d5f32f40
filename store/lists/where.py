"""The WHERE of a query, from column names that the program wrote and values that it did not.

Values are always bound. One that SQLite could not hold (an integer beyond 64 bits, text that is
no Unicode) equals nothing that is stored, so its condition is simply never met.
"""

import json
from collections.abc import Sequence
from typing import Final

Scalar = str | int | float | bool | None

FEW: Final = 8
"""Values that have a place each. More have one together: a connection keeps the memory of each
statement, and so lists of a hundred lengths are no hundred statements."""


class Conditions:
    """Conditions that must all be met; none at all is met by every row."""

    def __init__(self) -> None:
        self._terms: list[str] = []
        self._arguments: list[Scalar] = []

    @property
    def sql(self) -> str:
        """Return ``WHERE …`` with a place for each argument, or nothing."""
        return f" WHERE {' AND '.join(self._terms)}" if self._terms else ""

    @property
    def term(self) -> str:
        """Return the conditions as one term, true where there are none."""
        return f"({' AND '.join(self._terms)})" if self._terms else "TRUE"

    @property
    def arguments(self) -> tuple[Scalar, ...]:
        """Return the values for the places of ``sql``."""
        return tuple(self._arguments)

    def true(self, term: str) -> None:
        """Ask for what this term says."""
        self._terms.append(term)

    def any_of(self, asked: tuple[str, Sequence[Scalar]]) -> None:
        """Ask for what this term says, in which places stand for the values."""
        term, values = asked
        self._terms.append(term)
        self._arguments.extend(values)

    def equal(self, column: str, value: Scalar) -> None:
        """Ask for this value; None asks for no value."""
        if value is None:
            self._terms.append(f"{column} IS NULL")
        else:
            self.meets(f"{column} = ?", value)

    def among(self, column: str, values: Sequence[Scalar]) -> None:
        """Ask for one of these values; none of them is met by no row."""
        holdable = [value for value in values if is_holdable(value) and value is not None]
        if len(holdable) > FEW:
            terms = [f"{column} IN (SELECT value FROM json_each(?))"]  # noqa: S608 - of the program
            self._arguments.append(json.dumps(holdable))
        else:
            terms = [f"{column} IN ({', '.join('?' * len(holdable))})"] if holdable else []
            self._arguments.extend(holdable)
        if None in values:
            terms.append(f"{column} IS NULL")
        self._terms.append(f"({' OR '.join(terms)})" if terms else "FALSE")

    def above(self, column: str, value: Scalar) -> None:
        """Ask for more than this value."""
        self.meets(f"{column} > ?", value)

    def below(self, column: str, value: Scalar) -> None:
        """Ask for less than this value."""
        self.meets(f"{column} < ?", value)

    def meets(self, term: str, *values: Scalar) -> None:
        """Ask for what this term says, in which a place stands for each value."""
        if all(map(is_holdable, values)):
            self._terms.append(term)
            self._arguments.extend(values)
        else:
            self._terms.append("FALSE")


def is_holdable(value: Scalar) -> bool:
    """Return whether SQLite could hold the value."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return True

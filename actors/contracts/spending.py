"""The messages about what runs use in a day: the caps, the price table, and what is used."""

from __future__ import annotations

from typing import Annotated

import msgspec

from command_center.actors.rules.caps import Caps, Currency, Price, Spent
from command_center.actors.rules.lengths import Name
from command_center.runtime import Request

Prices = Annotated[list[Price], msgspec.Meta(max_length=200)]


class SpentByRepository(Spent, frozen=True, kw_only=True):
    """The things that one repository's runs used today."""

    repository_id: int


class Spending(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The rules of spending, and what is used today.

    Attributes:
        caps: of all repositories together; each has its own beside them.
        since: when the day began, by the clock of the server's machine.
    """

    caps: Caps
    prices: list[Price]
    currency: str
    since: str
    today: Spent
    repositories: list[SpentByRepository]


class SpendingChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Changes to the rules of spending; what is left out stays."""

    caps: Caps | msgspec.UnsetType = msgspec.UNSET
    prices: Prices | msgspec.UnsetType = msgspec.UNSET
    currency: Currency | msgspec.UnsetType = msgspec.UNSET
    requested_by: Name = "api"


class ChangeSpending(msgspec.Struct, Request[Spending], frozen=True):
    """Change the rules of spending."""

    changes: SpendingChanges

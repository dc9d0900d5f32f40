"""/api/spending: the caps of all repositories, the price table, and what is used today."""

from __future__ import annotations

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import TASKS
from command_center.actors.contracts.spending import ChangeSpending, Spending, SpendingChanges
from command_center.actors.ledger.spending import spending
from command_center.http.wire.operation import Api

api = Api[Center]("Spending")


@api.operation("GET", "/api/spending")
async def read_spending(center: Center) -> Spending:
    """Show the caps of all repositories, the price table, and what is used today."""
    return await center.storage.read(spending)


@api.operation("PATCH", "/api/spending", scope="admin")
async def change_spending(center: Center, body: SpendingChanges) -> Spending:
    """Change the caps of all repositories, or the price table."""
    return await center.ask(TASKS, ChangeSpending(body))

"""Scripts that the demo's stand-in for Codex plays, and the sample repositories for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs

DEMO = "*This is the demo: no Codex is asked, and no command runs.*\n\n"


@attrs.frozen
class Say:
    """A message, written word by word."""

    text: str


@attrs.frozen
class Think:
    """A summary of what is thought."""

    text: str


@attrs.frozen
class Plan:
    """The plan as it is now: steps and how each stands."""

    steps: Sequence[tuple[str, str]]


@attrs.frozen
class ScriptedCommand:
    """A command with what it would print; with a `reason` a person is asked first."""

    command: str
    output: str
    exit_code: int = 0
    seconds: float = 2.0
    reason: str | None = None


@attrs.frozen
class Change:
    """A change of a file: `old` becomes `new`, or a new file where there is no `old`."""

    path: str
    old: str
    new: str


@attrs.frozen
class Ask:
    """A question with its options."""

    header: str
    question: str
    options: Sequence[tuple[str, str]]


Step: TypeAlias = Say | Think | Plan | ScriptedCommand | Change | Ask
Play: TypeAlias = Sequence[Step]

TOTALS = '''"""Totals of a cart."""


def total(items: list[tuple[float, int]], discount: float = 0.0) -> float:
    """The price of all items, less the discount."""
    subtotal = 0.0
    for price, quantity in items:
        subtotal += price * quantity
    return round(subtotal * (1 - discount), 2)
'''

REPOSITORIES: Mapping[str, Mapping[str, str]] = {
    "storefront-demo": {
        "README.md": "# Storefront\n\nA sample repository of the demo.\n",
        "cart/totals.py": TOTALS,
        "cart/__init__.py": "",
        "tests/test_totals.py": "from cart.totals import total\n\n\ndef test_total() -> None:\n"
        "    assert total([(1.0, 2)]) == 2.0\n",
    },
    "billing-demo": {
        "README.md": "# Billing\n\nA sample repository of the demo.\n",
        "billing/client.py": "TIMEOUT = 30\nRETRIES = 0\n",
    },
}
"""The files of each sample repository."""

_STEPS = ("Find where the total is rounded", "Use decimals for prices", "Cover it with tests")


def _plan(done: int) -> Plan:
    states = ["completed"] * done + ["inProgress"] + ["pending"] * len(_STEPS)
    return Plan(tuple(zip(_STEPS, states, strict=False)))


_CART: Play = (
    Say(f"{DEMO}I look at how the cart adds up its prices before I change anything."),
    _plan(0),
    ScriptedCommand(
        'rg -n "round\\(" cart',
        "cart/totals.py:9:    return round(subtotal * (1 - discount), 2)\n",
        seconds=0.6,
    ),
    Think("Floats lose cents before the rounding. Decimals from the first sum on would not."),
    Say(
        "The total is a **float** until the very end, so `0.1 + 0.2` already costs a fraction of "
        "a cent. I use `Decimal` from the first sum on:\n\n- prices are parsed from text\n"
        "- the discount is applied before the one rounding\n- half cents are rounded up, as the "
        "invoices do"
    ),
    _plan(1),
    Change(
        "cart/totals.py",
        '"""Totals of a cart."""\n',
        '"""Totals of a cart, exact to the cent."""\n\n'
        'from decimal import ROUND_HALF_UP, Decimal\n\nCENT = Decimal("0.01")\n',
    ),
    Change(
        "cart/totals.py",
        "    subtotal = 0.0\n    for price, quantity in items:\n"
        "        subtotal += price * quantity\n"
        "    return round(subtotal * (1 - discount), 2)\n",
        "    subtotal = sum((Decimal(str(price)) * count for price, count in items), Decimal(0))\n"
        "    reduced = subtotal * (1 - Decimal(str(discount)))\n"
        "    return float(reduced.quantize(CENT, rounding=ROUND_HALF_UP))\n",
    ),
    _plan(2),
    Change(
        "tests/test_totals.py",
        "    assert total([(1.0, 2)]) == 2.0\n",
        "    assert total([(1.0, 2)]) == 2.0\n\n\ndef test_no_cent_is_lost() -> None:\n"
        "    assert total([(0.1, 1), (0.2, 1)]) == 0.3\n"
        "    assert total([(19.99, 3)], discount=0.15) == 50.97\n",
    ),
    ScriptedCommand(
        "python -m pytest -q",
        "..                                                             [100%]\n"
        "2 passed in 0.04s\n",
        seconds=1.5,
    ),
    ScriptedCommand(
        "git push origin HEAD",
        "To example.org:shop/storefront.git\n * [new branch]      HEAD -> cc/cart-totals\n",
        reason="The tests pass. May I push the branch? That needs the network.",
    ),
    Plan(tuple((step, "completed") for step in _STEPS)),
    Say("Done: totals are exact to the cent, and **two tests** hold that."),
)

_UPGRADE: Play = (
    Say(f"{DEMO}I see what the payment client's new version changes."),
    ScriptedCommand(
        "pip index versions payment-client",
        "payment-client (4.1.0)\nAvailable versions: 4.1.0, 4.0.2, 3.9.1\n",
        seconds=0.8,
    ),
    ScriptedCommand(
        "pip install payment-client==4.1.0",
        "Collecting payment-client==4.1.0\nSuccessfully installed payment-client-4.1.0\n",
        reason="Installing the new version needs the network, which this run does not have.",
    ),
    Change(
        "billing/client.py", "TIMEOUT = 30\nRETRIES = 0\n", "TIMEOUT_SECONDS = 30\nRETRIES = 2\n"
    ),
    Say("The client is at **4.1.0**. It counts its timeout in seconds now, and retries twice."),
)

_CHOICE: Play = (
    Say(f"{DEMO}The slow query filters orders by customer and sorts them by date."),
    ScriptedCommand(
        "python scripts/explain.py orders_of_customer",
        "Seq Scan on orders  (cost=0.00..18334.00 rows=1000000)\n"
        "  Filter: (customer_id = 42)\nExecution time: 412.3 ms\n",
        seconds=1.2,
    ),
    Ask(
        "Index",
        "Which index shall I add for the orders of a customer?",
        (
            ("customer_id, created_at", "Serves the filter and the order; 40 MB"),
            ("customer_id", "Smaller, but it still sorts; 22 MB"),
        ),
    ),
    Say("The migration adds it without locking the table. The query takes **3 ms** now."),
)

_ANY: Play = (
    Say(f"{DEMO}I look around in the repository first."),
    ScriptedCommand("git log --oneline -3", "3f2a9c1 Begin\n", seconds=0.5),
    Think("The repository is small and tidy."),
    Say(
        "It is a small repository in good order. What I would look at next:\n\n"
        "1. the tests cover the totals, and little else\n2. the README does not say how to run it\n"
        "3. there is no check of types"
    ),
)

_PLAYS: Sequence[tuple[str, Play]] = (("cart", _CART), ("payment", _UPGRADE), ("index", _CHOICE))


def play_for(prompt: str) -> Play:
    """Return what is played for a prompt: by a word that it holds, else a look around."""
    return next((play for word, play in _PLAYS if word in prompt.lower()), _ANY)

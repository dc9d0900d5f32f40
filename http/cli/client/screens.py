"""One thing over the whole of a terminal, with all that is known of it and what may be done.

No single key does anything: a key says what is meant, and `y` right after it says yes. What is
longer than the terminal is approved once its end was seen, since an agent may write what it means
to do below a hundred empty lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

MOST_PARTS: Final = 200
"""Parts of a story that are kept below what it is of; each more makes all of it slower."""

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult


class ScreenAct(NamedTuple):
    """Something that a key does: how it is called, and whether all must have been seen before."""

    name: str
    do: Callable[[], None]
    wants_reading: bool = False


class ThingScreen(ModalScreen[None]):
    """Show one thing; `acts` are by their keys what may be done about it.

    Attributes:
        approval: the number of the approval that it is; None for another thing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]
    CSS = """
    ThingScreen { align: center middle; }
    VerticalScroll { width: 100%; height: 1fr; border: round $accent; padding: 0 1; }
    #asked { height: auto; padding: 0 1; text-style: bold; }
    """

    def __init__(
        self, title: str, text: str, acts: Mapping[str, ScreenAct], *, approval: int | None = None
    ) -> None:
        super().__init__()
        self.approval = approval
        self._heading = title
        self._text = text
        self._acts = acts
        self._meant: str | None = None
        self._was_shown = False
        self._was_read = False
        self._place = 0

    def compose(self) -> ComposeResult:
        """Show it whole, and below what may be done."""
        body = VerticalScroll(Static(Text.from_ansi(self._text)))
        body.border_title = Content(self._heading)
        yield body
        yield Static(id="asked")

    def on_mount(self) -> None:
        """Look where its end is, now and whenever it moves."""
        body = self.query_one(VerticalScroll)
        for moved in ("scroll_y", "virtual_size", "size"):
            self.watch(body, moved, self._look, init=False)
        self.call_after_refresh(self._begin)

    def add(self, lines: str) -> None:
        """Show more lines below, and go along with them where the end was in sight.

        The oldest of what was added goes, so that a long story is not slower than a short one.
        """
        body = self.query_one(VerticalScroll)
        was_at_end = body.is_vertical_scroll_end
        body.mount(Static(Text.from_ansi(lines), classes="part"))
        for part in [*body.query(".part")][:-MOST_PARTS]:
            part.remove()
        if was_at_end:
            body.scroll_end(animate=False)

    def head(self, title: str, *, has_ended: bool) -> None:
        """Say anew what it is; with what has ended nothing may be done, but it can be read."""
        self.query_one(VerticalScroll).border_title = Content(title)
        if has_ended and self._acts:
            self._acts, self._meant = {}, None
            self._ask()

    def on_key(self, event: events.Key) -> None:
        """Take what is meant, and then the yes to it; any other key takes it back."""
        meant, self._meant = self._meant, None
        act = self._acts.get(event.key)
        if meant is not None and meant in self._acts and event.key == "y":
            event.stop()
            self.dismiss()
            self._acts[meant].do()
        elif act is not None:
            event.stop()
            if act.wants_reading and not self._was_read:
                self._ask(f"{act.name}: read it to its end first. Press PgDn or End.")
            else:
                self._meant = event.key
                self._ask(f"{act.name}: really? Press y.")
        else:
            self._ask()

    def action_leave(self) -> None:
        """Go back, and leave it as it is."""
        self.dismiss()

    def _begin(self) -> None:
        self._was_shown = True  # before that, nothing knows how long it is
        self._look()

    def _look(self) -> None:
        """Note that the end was seen; what was meant before it moved is meant no more."""
        body = self.query_one(VerticalScroll)
        is_at_end = self._was_shown and bool(body.size) and body.is_vertical_scroll_end
        self._was_read = self._was_read or is_at_end
        if body.scroll_offset.y != self._place:
            self._place, self._meant = body.scroll_offset.y, None
        if self._meant is None:
            self._ask()

    def _ask(self, said: str | None = None) -> None:
        more = "" if self.query_one(VerticalScroll).is_vertical_scroll_end else "[PgDn] More   "
        choices = "   ".join(f"[{key}] {act.name}" for key, act in self._acts.items())
        told = f"{more}{choices}{'   ' if choices else ''}[Esc] Back"
        self.query_one("#asked", Static).update(Content(told if said is None else said))

"""`tui`: what waits on a person and what runs, in the terminal, decided by key.

It is a program of its own in its own process, with textual, which needs asyncio. The client is
asked by threads: one follows the events, and one asks what is seen next. What agents and
repositories say is shown as plain text, with its controls spelled out.

No single key decides anything: who chose an approval sees all of it, says what is meant, and then
says yes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from command_center.http.cli.client.decisions import ASKING, decide, how_to_decide
from command_center.http.cli.client.terminal import cleaned, line_of, said
from command_center_client import calls
from command_center_client.errors import ClientError

if TYPE_CHECKING:
    from textual import events

    from command_center_client.connection import CommandCenter

LIVE: Final = ("running", "waiting_approval", "starting", "queued", "blocked", "waiting_limit")
"""The statuses of sessions that are shown, those that work first."""

MOST: Final = 100
"""Sessions that are shown of each status."""

PAUSE_SECONDS: Final = 0.2
"""Between two looks, so that a burst of events is one look."""

SESSION_FIELDS: Final = (
    *("id", "status", "waitReason", "branchName", "model", "prompt", "lastMessage", "exitReason"),
)


class DecisionScreen(ModalScreen[None]):
    """One thing with all that is known of it, and what may be done about it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]
    CSS = """
    DecisionScreen { align: center middle; }
    VerticalScroll { width: 100%; height: 1fr; border: round $accent; padding: 0 1; }
    #asked { height: auto; padding: 0 1; text-style: bold; }
    """

    def __init__(
        self, of: str, title: str, text: str, acts: Mapping[str, tuple[str, Callable[[], None]]]
    ) -> None:
        """Show the text; `acts` are by their keys what they are called, and what they do."""
        super().__init__(name=of)
        self._heading = title
        self._text = text
        self._acts = acts
        self._meant: str | None = None

    def compose(self) -> ComposeResult:
        """Show it whole, and below what may be done."""
        body = VerticalScroll(Static(Content(self._text)))
        body.border_title = Content(self._heading)
        yield body
        yield Static(Content(self._choices()), id="asked")

    def on_key(self, event: events.Key) -> None:
        """Take what is meant, and then the yes to it; any other key takes it back."""
        meant, self._meant = self._meant, None
        asked = self.query_one("#asked", Static)
        if meant is not None and event.key == "y":
            event.stop()
            self.dismiss()
            self._acts[meant][1]()
            return
        if event.key in self._acts:
            event.stop()
            self._meant = event.key
            asked.update(Content(f"{self._acts[event.key][0]}: really? Press y."))
            return
        asked.update(Content(self._choices()))

    def action_leave(self) -> None:
        """Go back, and leave it as it is."""
        self.dismiss()

    def _choices(self) -> str:
        return "   ".join(
            [*(f"[{key}] {name}" for key, (name, _) in self._acts.items()), "[esc] Back"]
        )


class TerminalDesk(App[None]):
    """Show what needs a person, and what runs."""

    TITLE = "Command Center"
    ENABLE_COMMAND_PALETTE = False

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "Quit")]
    CSS = """
    #state { height: 1; text-style: bold; }
    OptionList { height: 1fr; border: round $primary; }
    """

    def __init__(self, center: CommandCenter) -> None:
        """Show what that server has."""
        super().__init__()
        self._center = center
        self._asking = Lock()
        self._news = Event()
        self._is_over = Event()
        self._approvals: dict[int, Any] = {}
        self._sessions: dict[int, Any] = {}

    def compose(self) -> ComposeResult:
        """Show the two lists, one below the other."""
        yield Static(Content(line_of(self._center.url)), id="state")
        for name, title in (("approvals", "Needs you"), ("sessions", "Sessions")):
            listed = OptionList(id=name)
            listed.border_title = title
            yield listed
        yield Footer()

    def on_mount(self) -> None:
        """Follow the server from now on."""
        self._news.set()
        for work in (self._follow, self._look):
            Thread(target=work, daemon=True).start()

    def on_unmount(self) -> None:
        """Look no more."""
        self._is_over.set()
        self._news.set()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Show what was chosen."""
        number = int(event.option.id or 0)
        if event.option_list.id == "approvals":
            approval = self._approvals[number]
            acts = {"r": ("Reject", lambda: self._act(self._decide, number, "rejected"))}
            text = _details(approval)
            if approval["kind"] in ASKING:
                text = f"{text}\n\n{how_to_decide(approval)}"
            else:
                approve = ("Approve", lambda: self._act(self._decide, number, "approved"))
                acts = {"a": approve, **acts}
            title = f"Approval {number}"
        else:
            session = self._sessions[number]
            acts = {"s": ("Stop", lambda: self._act(self._stop, number))}
            text = "\n".join(
                f"{name}: {cleaned(said(session[name]))}"
                for name in SESSION_FIELDS
                if session.get(name) not in (None, "")
            )
            title = f"Session {number}"
        self.push_screen(DecisionScreen(f"{event.option_list.id} {number}", title, text, acts))

    # ── in threads ───────────────────────────────────────────────────────────────────────────

    def _follow(self) -> None:
        """Have it looked anew at each event; an outage is told of, and waited for."""
        try:
            for _ in self._center.events(on_open=self._back, on_loss=self._away):
                self._news.set()
        except ClientError as error:
            self._say(line_of(error))

    def _back(self) -> None:
        self._say(line_of(self._center.url))
        self._news.set()

    def _away(self, error: ClientError, seconds: float) -> None:
        self._say(f"{line_of(error)} Trying again in {seconds:.0f} s.")

    def _look(self) -> None:
        while self._news.wait() and not self._is_over.wait(PAUSE_SECONDS):
            self._news.clear()
            try:
                with self._asking:
                    found = self._found()
            except ClientError as error:
                self._say(line_of(error))
            else:
                self._tell(self._show, *found)

    def _found(self) -> tuple[dict[int, Any], dict[int, Any]]:
        pending = self._center.every(calls.list_approvals(status="pending", limit=500))
        live: list[Any] = []
        for status in LIVE:
            page = self._center.send(calls.list_sessions(status=[status], limit=MOST, diff=False))
            live += [one for one in page["items"] if not one["finishedAt"]]
        return {one["id"]: one for one in pending}, {one["id"]: one for one in live}

    def _decide(self, number: int, status: str) -> str:
        settled = decide(self._center, number, status)
        return f"Approval {number} is {line_of(settled['status'])}."

    def _stop(self, number: int) -> str:
        self._center.send(calls.stop_session(number, requestedBy="command-center"))
        return f"Session {number} is to stop."

    def _act(self, act: Callable[..., str], *arguments: Any) -> None:
        """Do it in a thread, and say what came of it."""

        def work() -> None:
            try:
                with self._asking:
                    done = act(*arguments)
            except ClientError as error:
                done = line_of(error)
            self._say(done)
            self._news.set()

        Thread(target=work, daemon=True).start()

    def _say(self, text: str) -> None:
        self._tell(lambda: self.query_one("#state", Static).update(Content(text)))

    def _tell(self, show: Callable[..., None], *arguments: Any) -> None:
        if not self._is_over.is_set():
            self.call_from_thread(show, *arguments)

    # ── what is seen ─────────────────────────────────────────────────────────────────────────

    def _show(self, approvals: dict[int, Any], sessions: dict[int, Any]) -> None:
        self._approvals, self._sessions = approvals, sessions
        self._fill("approvals", {key: line_of(one["title"]) for key, one in approvals.items()})
        self._fill(
            "sessions",
            {
                key: f"{line_of(one['status']):<17}{line_of(one['prompt'])}"
                for key, one in sessions.items()
            },
        )
        seen = self.screen
        there = {f"approvals {key}" for key in approvals} | {f"sessions {key}" for key in sessions}
        if isinstance(seen, DecisionScreen) and seen.name not in there:
            seen.dismiss()
            self.notify("Somebody else has decided, or it has ended.", markup=False)

    def _fill(self, name: str, told: Mapping[int, str]) -> None:
        """Fill a list anew, and keep what was marked in it."""
        listed = self.query_one(f"#{name}", OptionList)
        marked = listed.highlighted_option
        listed.clear_options()
        listed.add_options(
            Option(Content(f"{key:>5}  {text}"), id=str(key)) for key, text in told.items()
        )
        was = int(marked.id or 0) if marked is not None else 0
        if told:
            listed.highlighted = [*told].index(was) if was in told else 0


def _details(approval: Mapping[str, Any]) -> str:
    """Return all that an approval says, each text whole."""
    lines = [cleaned(approval["title"]), f"kind: {line_of(approval['kind'])}"]
    for name, value in approval["details"].items():
        if value not in (None, "", [], {}):
            body = cleaned(said(value)).replace("\n", "\n    ")
            lines.append(f"{line_of(name)}: {body}")
    return "\n".join(lines)

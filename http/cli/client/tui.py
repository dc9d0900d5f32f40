"""`tui`: what waits on a person and what runs, in the terminal, decided by key.

It is a program of its own in its own process, with textual, which needs asyncio. The client is
asked by threads: one follows the events, and one asks what is seen next. What agents and
repositories say is shown as plain text, with its controls spelled out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from itertools import islice
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from command_center.http.cli.client.decisions import (
    ASKING,
    FOR_SESSION,
    LATER,
    decide,
    details_of,
    how_to_decide,
    whole_approval,
)
from command_center.http.cli.client.screens import ScreenAct, ThingScreen
from command_center.http.cli.client.terminal import cleaned, line_of
from command_center.http.cli.client.transcript import event_lines
from command_center_client import calls
from command_center_client.errors import ClientError, LogChanged, NotReachable, lasting
from command_center_client.place import LogPlace

if TYPE_CHECKING:
    from rich.console import RenderableType

    from command_center_client.connection import CommandCenter

WORKING: Final = ("running", "waiting_approval", "starting")
WAITING: Final = ("queued", "blocked", "waiting_limit")
"""The statuses of sessions that are shown, those that work first."""

MOST: Final = 100
"""Things that are shown in each list; the head counts all approvals."""

PAUSE_SECONDS: Final = 0.2
"""Between two looks, so that a burst of events is one look."""

AGAIN_SECONDS: Final = 5.0
"""Before another look where one has failed."""

PAST: Final = 100
"""Events of a session that are shown from before."""

SESSION_FIELDS: Final = ("repositoryId", "taskId", "branchName", "model", "prompt")


class Glance(NamedTuple):
    """The findings of one look.

    Attributes:
        approvals: those that wait, by their ids.
        sessions: those that are not over, by their ids.
        waiting: how many approvals wait.
        settled: the approval that is read, and its status, if it waits no more.
    """

    approvals: dict[int, Any]
    sessions: dict[int, Any]
    waiting: int
    settled: tuple[int, str] | None = None


class Things(OptionList):
    """A list of things, each on one line; Enter shows one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Show"),
        Binding("tab", "app.focus_next", "Other list"),
    ]


class Story:
    """A session whose story is shown, and the last event that was shown of it."""

    def __init__(self, number: int, screen: ThingScreen) -> None:
        self.number = number
        self.screen = screen
        self.after: int | None = None


class TerminalDesk(App[None]):
    """Show what needs a person, and what runs.

    Attributes:
        failure: what it ended with, where the server lets it see no more.
    """

    TITLE = "Command Center"
    ENABLE_COMMAND_PALETTE = False

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "Quit")]
    CSS = """
    #state { height: 1; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
    #state.away { color: $error; }
    Things { height: 1fr; border: round $primary; text-wrap: nowrap; text-overflow: ellipsis; }
    Things:nocolor:focus > .option-list--option-highlighted { text-style: bold underline; }
    """

    def __init__(self, center: CommandCenter) -> None:
        """Show what that server has."""
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"  # the terminal's own colours, be it light or dark
        self.failure: BaseException | None = None
        self._center = center
        self._asking = Lock()
        self._news = Event()
        self._is_over = Event()
        self._found = Glance({}, {}, 0)
        self._following: Story | None = None
        self._read: int | None = None

    def compose(self) -> ComposeResult:
        """Show the two lists, one below the other."""
        yield Static(Content(line_of(self._center.url)), id="state")
        yield Things(id="approvals")
        yield Things(id="sessions")
        yield Footer()

    def on_mount(self) -> None:
        """Follow the server from now on."""
        self._news.set()
        for work in (self._follow, self._look):
            Thread(target=self._guarded, args=(work,), daemon=True).start()

    def exit(
        self, result: None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Show no more, also of what is on its way, and end."""
        self._is_over.set()
        super().exit(result, return_code, message)

    def on_unmount(self) -> None:
        """Look no more."""
        self._is_over.set()
        self._news.set()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Show what was chosen, unless it went away under the key."""
        number = int(event.option.id or 0)
        if event.option_list.id == "approvals" and number in self._found.approvals:
            self._work(partial(self._show_approval, number))
        elif number in self._found.sessions:
            self._show_session(number, self._found.sessions[number])

    def _show_session(self, number: int, session: Mapping[str, Any]) -> None:
        text = "\n".join(details_of({"details": session}, {*SESSION_FIELDS}))
        stop = ScreenAct("Stop", lambda: self._work(partial(self._stop, number)))
        screen = ThingScreen(f"Session {number}", f"{text}\n", {"s": stop})
        self._following = Story(number, screen)
        self._news.set()
        self.push_screen(screen)

    # ── in threads ───────────────────────────────────────────────────────────────────────────

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do it; what nobody foresaw ends the program, which else showed old things."""
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised again by who began the program
            self._end_with(error)

    def _end_with(self, failure: BaseException) -> None:
        self.failure = failure
        self._tell(self.exit)

    def _follow(self) -> None:
        """Have it looked anew at each event; an outage is told of, and waited for."""
        place = LogPlace()
        while True:
            try:
                for event in self._center.events(place, on_open=self._back, on_loss=self._away):
                    if event["type"] != "session.output.delta":  # it changes nothing that is shown
                        self._news.set()
            except LogChanged as error:
                place = LogPlace(error.last_id, error.log_id)
                self._news.set()

    def _back(self) -> None:
        self._say(line_of(self._center.url))
        self._news.set()

    def _away(self, error: ClientError, seconds: float) -> None:
        problem = f"{self._center.url} does not answer."
        told = problem if isinstance(error, NotReachable) else str(error)
        self._say(f"{line_of(told)} Trying again within {seconds:.0f} s.", is_away=True)

    def _look(self) -> None:
        has_failed = False
        while self._news.wait() and not self._is_over.wait(PAUSE_SECONDS):
            self._news.clear()
            try:
                with self._asking:
                    found = self._all()
                    told = self._story()
            except ClientError as error:
                if lasting(error) is not None:
                    raise
                has_failed = True
                self._say(line_of(error), is_away=True)
                self._is_over.wait(AGAIN_SECONDS)
                self._news.set()
            else:
                if has_failed:
                    self._say(line_of(self._center.url))
                has_failed = False
                self._tell(self._show, found, *told)

    def _all(self) -> Glance:
        pending = self._center.every(calls.list_approvals(status="pending", limit=MOST))
        approvals = {one["id"]: one for one in islice(pending, MOST)}
        waiting = len(approvals)
        if waiting == MOST:
            counts = self._center.send(calls.count_approvals())["byStatus"]
            waiting = counts.get("pending", waiting)
        live: list[Any] = []
        for status in (WORKING, WAITING):
            query: dict[str, Any] = {"status": [*status], "limit": MOST, "diff": False}
            page = self._center.send(calls.list_sessions(**query))["items"]
            live += [one for one in page if not one["finishedAt"]]
        settled = self._settled(approvals)
        return Glance(approvals, {one["id"]: one for one in live}, waiting, settled)

    def _settled(self, waiting: Collection[int]) -> tuple[int, str] | None:
        """Return the approval that is read, and its status, if it waits no more.

        It may wait although it is not among those that are listed.
        """
        read = self._read
        if read is None or read in waiting:
            return None
        status = line_of(self._center.send(calls.get_approval(read))["status"])
        return None if status == "pending" else (read, status)

    def _story(self) -> tuple[Story | None, str]:
        """Return the session that is shown, and what it has said since the last look, as lines."""
        one = self._following
        if one is None:
            return None, ""
        if one.after is None:
            newest = calls.list_session_events(one.number, newestFirst=True, limit=PAST)
            events: Iterable[Any] = self._center.send(newest)["items"][::-1]
            one.after = 0
        else:
            events = self._center.every(
                calls.list_session_events(one.number, after=one.after, limit=500)
            )
        lines: list[str] = []
        for event in events:
            one.after = event["id"]
            lines += event_lines(event)
        return one, "\n".join(lines)

    def _show_approval(self, number: int) -> None:
        approval = whole_approval(self._center, number)

        def settled(status: str, *, for_session: bool = False) -> Callable[[], None]:
            return lambda: self._work(
                partial(self._decide, number, status, for_session=for_session)
            )

        acts = {"r": ScreenAct("Reject", settled("rejected"))}
        text = _details(approval)
        if approval["kind"] in ASKING:
            text = f"{text}\n\n{how_to_decide(approval)}"
        else:
            acts = {"a": ScreenAct("Approve", settled("approved"), wants_reading=True), **acts}
            if approval["kind"] in FOR_SESSION:
                act = settled("approved", for_session=True)
                acts["s"] = ScreenAct("Approve for the session", act, wants_reading=True)
        screen = ThingScreen(f"Approval {number}", text, acts, approval=number)

        def show() -> None:
            self._read = number
            self.push_screen(screen, self._forget)

        self._tell(show)

    def _decide(self, number: int, status: str, *, for_session: bool) -> None:
        settled = decide(self._center, number, status, for_session=for_session)
        self._say(f"Approval {number} is {line_of(settled['status'])}.")

    def _stop(self, number: int) -> None:
        self._center.send(calls.stop_session(number, requestedBy="command-center"))
        self._say(f"Session {number} is to stop.")

    def _work(self, act: Callable[[], None]) -> None:
        """Do it in a thread; a refusal is said."""

        def work() -> None:
            try:
                with self._asking:
                    act()
            except ClientError as error:
                self._say(line_of(error))
            self._news.set()

        Thread(target=self._guarded, args=(work,), daemon=True).start()

    def _say(self, text: str, *, is_away: bool = False) -> None:
        def show() -> None:
            state = self.screen_stack[0].query_one("#state", Static)
            state.update(Content(text))
            state.set_class(is_away, "away")

        self._tell(show)

    def _tell(self, show: Callable[..., Any], *arguments: Any) -> None:
        if self._is_over.is_set():
            return

        def show_if_any() -> None:  # what it is shown in may have gone meanwhile
            if not self._is_over.is_set():
                show(*arguments)

        try:
            self.call_from_thread(show_if_any)
        except RuntimeError:
            if self.is_running:
                raise

    # ── what is seen ─────────────────────────────────────────────────────────────────────────

    def _show(self, found: Glance, story: Story | None, lines: str) -> None:
        self._found = found
        shown = len(found.approvals)
        count = f"{shown} of {found.waiting}" if shown < found.waiting else str(shown)
        self._fill(
            "approvals",
            f"Needs you: {count if shown else 'nothing'}",
            {
                key: f"{line_of(one['kind']):<12}  {line_of(one['title'])}"
                for key, one in found.approvals.items()
            },
        )
        self._fill(
            "sessions",
            f"Sessions: {len(found.sessions) or 'none runs'}",
            {
                key: f"{line_of(one['status']):<16}  {line_of(one['prompt'])}"
                for key, one in found.sessions.items()
            },
        )
        if story is not None and story is self._following and story.screen.is_attached:
            if lines:
                story.screen.add(lines)
            now = found.sessions.get(story.number)
            status = "ended" if now is None else line_of(now["status"])
            story.screen.head(f"Session {story.number}: {status}", has_ended=now is None)
        seen = self.screen
        if isinstance(seen, ThingScreen) and found.settled and seen.approval == found.settled[0]:
            seen.dismiss()
            has_expired = found.settled[1] == "expired"
            said = "It has expired." if has_expired else "Somebody else has decided."
            self.notify(said, markup=False)

    def _forget(self, _result: None) -> None:
        self._read = None

    def _fill(self, name: str, head: str, told: Mapping[int, str]) -> None:
        """Fill a list anew, if it is another one now, and keep what was marked in it."""
        listed = self.query_one(f"#{name}", Things)
        listed.border_title = Content(head)
        rows = {str(key): f"{key:>5}  {text}" for key, text in told.items()}
        if rows == {option.id: str(option.prompt) for option in listed.options}:
            return
        marked, row = listed.highlighted_option, listed.highlighted or 0
        listed.clear_options()
        listed.add_options(Option(Content(text), id=key) for key, text in rows.items())
        if rows:
            was = None if marked is None else marked.id
            keys = [*rows]
            listed.highlighted = keys.index(was) if was in rows else min(row, len(keys) - 1)


def _details(approval: Mapping[str, Any]) -> str:
    """Return all that an approval says, each text whole; at last what says the same again."""
    title = cleaned(approval["title"]).replace("\n", "\n    ")
    about = {"kind": approval["kind"], "session": approval["sessionId"]}
    details = approval["details"].keys()
    lines = [title]
    lines += details_of({"details": about}, about.keys())
    lines += details_of(approval, details - LATER)
    lines += details_of(approval, details & LATER)
    return "\n".join(lines)

"""/api/codex: the threads, models and account of a host's Codex, and how the bridge to it is."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import attrs
import msgspec

from command_center.actors.center import Center
from command_center.actors.codex import requests
from command_center.actors.codex.messages import (
    BridgeMessage,
    Call,
    codex_on,
)
from command_center.actors.codex.versions import RANGE
from command_center.actors.contracts.accounts import (
    AccountMessage,
    AccountOrder,
    AgentAccount,
    BeginSignIn,
    CancelSignIn,
    NewSignIn,
    ReadAccount,
    SignIn,
    SignOut,
    account_on,
)
from command_center.actors.contracts.addresses import TASKS
from command_center.actors.contracts.bridges import (
    BridgeHealth,
    BridgeStatus,
    ProbeHealth,
)
from command_center.actors.contracts.fields import NotBlank
from command_center.actors.contracts.runners import RUNNERS, needs_threads
from command_center.actors.contracts.tasks import (
    Compaction,
    PromptThread,
    RunOutcome,
    ThreadPrompt,
)
from command_center.actors.contracts.threads import (
    DeleteThread,
    EndTerminal,
    ForkThread,
    ImportThreads,
    ListTerminals,
    NewFork,
    PatchThread,
    ReadThread,
    Reversion,
    RevertThread,
    ShownThread,
    Terminals,
    ThreadAct,
    ThreadChanges,
    ThreadDeleted,
    ThreadOrder,
    ThreadsImported,
    threads_on,
)
from command_center.actors.contracts.usage_limits import ReadLimits, UsageLimits, limits_on
from command_center.actors.rules.errors import Invalid, NotFound, Unavailable
from command_center.actors.rules.lengths import Name, Note
from command_center.actors.sessions.runners.codex.threads import ask_codex
from command_center.http.wire.codec import PageLimit, PageQuery, within_page
from command_center.http.wire.operation import Api
from command_center.http.wire.responses import run_status
from command_center.runtime import ActorNotFound, Address, Asked, Status
from command_center.store import Page
from command_center.store.queries import stored_threads
from command_center.store.queries.stored_threads import FoundThread
from command_center.store.records import LOCAL

R = TypeVar("R")

api = Api[Center]("Codex")

COMPACTS = "Make the history of this thread shorter."
"""The prompt of a session that says none."""

LOOK_SECONDS = 10.0
"""Seconds that Codex may take for a list, since somebody waits to see it."""

IMPORT_SECONDS = 600.0
"""Seconds that a look at all stored threads may take."""

ACT_SECONDS = 150.0
"""Seconds that what is done with a thread may take, which may have to be loaded first."""


class HostQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The host whose Codex is asked."""

    host: Name = LOCAL


class CodexPageQuery(PageQuery, frozen=True, kw_only=True, rename="camel"):
    """The query of a list of Codex's; the cursor is Codex's own.

    Attributes:
        host: the host whose Codex is asked.
    """

    host: Name = LOCAL


class ThreadsQuery(CodexPageQuery, frozen=True, kw_only=True, rename="camel"):
    """The query of the stored threads.

    Attributes:
        query: what the thread's title or preview is to hold.
        archived: whether those are listed that were archived, or the others.
        limit: the most items to give; Codex may give fewer.
    """

    limit: PageLimit = 20
    query: Note | None = None
    archived: bool = False


class ThreadSearchQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of a search in stored threads.

    Attributes:
        q: words that a text has to have; those in double quotes are a phrase.
        host: the host whose threads are meant; all, if left out.
    """

    q: Annotated[NotBlank, msgspec.Meta(max_length=500)]
    host: Name | None = None


class TurnsQuery(CodexPageQuery, frozen=True, kw_only=True, rename="camel"):
    """The query of a thread's turns.

    Attributes:
        items: whether each turn comes with all that was said and done in it.
        limit: the most turns to give; Codex may give fewer.
    """

    limit: PageLimit = 10
    items: bool = True


class DeletionQuery(HostQuery, frozen=True, kw_only=True, rename="camel"):
    """The query of a deletion."""

    requested_by: Name = "api"


@api.operation("GET", "/api/codex/bridge/health", refuses=(404,))
async def bridge_health(center: Center, query: HostQuery) -> BridgeHealth:
    """Tell how the bridge to the Codex of a host is."""
    bridge = _codex_of(center, query.host)
    suspended = _suspension_of(center, bridge)
    if suspended is None:
        return await center.ask(bridge, ProbeHealth())
    settings = center.hosts.named(query.host).codex.settings
    return BridgeHealth(
        status=BridgeStatus.UNAVAILABLE,
        command=settings.described,
        transport=settings.transport.value,
        message=suspended,
        supported=RANGE,
    )


@api.operation("GET", "/api/codex/threads/loaded", refuses=(404, 409))
async def list_loaded_threads(center: Center, query: CodexPageQuery) -> Page[str]:
    """List the threads that the app-server has in memory."""
    call = requests.threads_loaded(cursor=query.cursor, limit=query.limit)
    return await _list_of(center, query.host, call)


@api.operation("GET", "/api/codex/threads/search")
async def search_threads(center: Center, query: ThreadSearchQuery) -> Page[FoundThread]:
    """Find what was said in stored threads that nobody began here, by its words."""
    if not query.q.strip():
        raise Invalid.field("q", "Expected some text.")
    return await center.storage.read_long(
        lambda db: stored_threads.search_threads(
            db, query.q, limit=query.limit, cursor=query.cursor, host=query.host
        )
    )


@api.operation(
    "POST",
    "/api/codex/threads/import",
    refuses=(404, 409),
    scope="operate",
    is_done_once=False,
)
async def import_threads(center: Center, body: ThreadOrder) -> ThreadsImported:
    """Copy now what was said in stored threads, so that it can be searched."""
    return await _ask_threads(center, body.host, ImportThreads(), seconds=IMPORT_SECONDS)


@api.operation("GET", "/api/codex/threads", refuses=(404, 409))
async def list_threads(center: Center, query: ThreadsQuery) -> Page[Any]:
    """List the threads that Codex has stored."""
    call = requests.threads_stored(
        query=query.query,
        cursor=query.cursor,
        limit=query.limit,
        archived=query.archived or None,
    )
    page = await _list_of(center, query.host, call)
    # Codex lists an archived thread twice that was taken back.
    return Page(
        items=[*{thread["id"]: thread for thread in page.items}.values()],
        next_cursor=page.next_cursor,
    )


@api.operation("GET", "/api/codex/threads/<thread:thread_id>", refuses=(404, 409))
async def get_thread(center: Center, thread_id: str, query: HostQuery) -> ShownThread:
    """Show a thread."""
    return await _ask_threads(center, query.host, ReadThread(thread_id))


@api.operation("GET", "/api/codex/threads/<thread:thread_id>/turns", refuses=(404, 409))
async def list_thread_turns(center: Center, thread_id: str, query: TurnsQuery) -> Page[Any]:
    """List the turns of a thread, the newest first; nothing is loaded or prompted."""
    call = requests.turns_list(thread_id, cursor=query.cursor, limit=query.limit, items=query.items)
    return await _list_of(center, query.host, call)


@api.operation("PATCH", "/api/codex/threads/<thread:thread_id>", refuses=(404, 409))
async def patch_thread(center: Center, thread_id: str, body: ThreadChanges) -> ShownThread:
    """Name a thread, archive it, or bring it back."""
    return await _ask_threads(center, body.host, PatchThread(thread_id, body))


@api.operation(
    "POST", "/api/codex/threads/<thread:thread_id>/fork", answers=201, refuses=(404, 409)
)
async def fork_thread(center: Center, thread_id: str, body: NewFork) -> ShownThread:
    """Make another thread of a thread's past."""
    return await _ask_threads(center, body.host, ForkThread(thread_id, body))


@api.operation("POST", "/api/codex/threads/<thread:thread_id>/revert", refuses=(404, 409))
async def revert_thread(center: Center, thread_id: str, body: Reversion) -> ShownThread:
    """Have a thread forget its last turns; files stay as they are."""
    return await _ask_threads(center, body.host, RevertThread(thread_id, body))


@api.operation("DELETE", "/api/codex/threads/<thread:thread_id>", refuses=(404, 409), scope="admin")
async def delete_thread(center: Center, thread_id: str, query: DeletionQuery) -> ThreadDeleted:
    """Delete a thread for good."""
    return await _ask_threads(center, query.host, DeleteThread(thread_id, query.requested_by))


@api.operation("GET", "/api/codex/threads/<thread:thread_id>/terminals", refuses=(404, 409))
async def list_terminals(center: Center, thread_id: str, query: HostQuery) -> Terminals:
    """List the commands that a thread's turns have left running."""
    return await _ask_threads(center, query.host, ListTerminals(thread_id))


@api.operation(
    "DELETE",
    "/api/codex/threads/<thread:thread_id>/terminals/<process_id>",
    refuses=(404, 409),
)
async def end_terminal(
    center: Center, thread_id: str, process_id: str, query: DeletionQuery
) -> Terminals:
    """End a command that a thread's turns have left running."""
    message = EndTerminal(thread_id, process_id, query.requested_by)
    return await _ask_threads(center, query.host, message)


@api.operation("GET", "/api/codex/models", refuses=(404, 409))
async def list_models(center: Center, query: CodexPageQuery) -> Page[Any]:
    """List the models that Codex offers."""
    call = requests.models_list(cursor=query.cursor, limit=query.limit)
    return await _list_of(center, query.host, call)


@api.operation(
    "POST",
    "/api/codex/threads/<thread:thread_id>/prompt",
    answers=(201, 202),
    status=run_status,
    refuses=(404, 409),
    location="/api/sessions/{session.id}",
)
async def prompt_thread(center: Center, thread_id: str, body: ThreadPrompt) -> RunOutcome:
    """Start a turn in a thread."""
    return await center.ask(TASKS, PromptThread(thread_id, body))


@api.operation(
    "POST",
    "/api/codex/threads/<thread:thread_id>/compact",
    answers=(201, 202),
    status=run_status,
    refuses=(404, 409),
    location="/api/sessions/{session.id}",
)
async def compact_thread(center: Center, thread_id: str, body: Compaction) -> RunOutcome:
    """Have a thread's history made shorter, in a session of its own."""
    wanted = ThreadPrompt(
        repository_id=body.repository_id,
        prompt=COMPACTS,
        cwd=body.cwd,
        sandbox="read-only",
        requested_by=body.requested_by,
    )
    return await center.ask(TASKS, PromptThread(thread_id, wanted, compacts=True))


@api.operation("GET", "/api/codex/account", refuses=(404, 409))
async def read_account(center: Center, query: HostQuery) -> AgentAccount:
    """Tell who is signed in to the Codex of a host."""
    return await _ask_account(center, query.host, ReadAccount())


@api.operation("GET", "/api/codex/limits", refuses=(404, 409))
async def read_limits(center: Center, query: HostQuery) -> UsageLimits:
    """Tell how much of the account's plan is used, and when it resets."""
    reachable_codex(center, query.host)
    return await center.ask(limits_on(query.host), ReadLimits())


@api.operation(
    "POST",
    "/api/codex/account/sign-ins",
    answers=201,
    refuses=(404, 409),
    scope="admin",
    is_done_once=False,
)
async def begin_sign_in(center: Center, body: NewSignIn) -> SignIn:
    """Sign the Codex of a host in, with a code to enter elsewhere or with a key."""
    return await _ask_account(center, body.host, BeginSignIn(body))


@api.operation(
    "POST",
    "/api/codex/account/sign-ins/<sign_in_id>/cancel",
    refuses=(404, 409),
    scope="admin",
    is_done_once=False,
)
async def cancel_sign_in(center: Center, sign_in_id: str, body: AccountOrder) -> SignIn:
    """Give up a sign-in that waits for its code."""
    return await _ask_account(center, body.host, CancelSignIn(sign_in_id))


@api.operation(
    "POST",
    "/api/codex/account/sign-out",
    refuses=(404, 409),
    scope="admin",
    is_done_once=False,
)
async def sign_out_of_codex(center: Center, body: AccountOrder) -> AgentAccount:
    """Sign the Codex of a host out."""
    return await _ask_account(center, body.host, SignOut())


async def _ask_account(center: Center, host: str, message: Asked[AccountMessage, R]) -> R:
    reachable_codex(center, host)
    return await center.ask(account_on(host), message)


async def _ask_threads(
    center: Center, host: str, message: Asked[ThreadAct, R], *, seconds: float = ACT_SECONDS
) -> R:
    reachable_codex(center, host)
    return await center.ask(threads_on(host), message, timeout=seconds)


def _codex_of(center: Center, host: str) -> Address[BridgeMessage]:
    """Give the address of the bridge to a host's Codex; raise `NotFound` if there is no host."""
    if host not in center.hosts:
        raise NotFound("Host", host)
    return codex_on(host)


def _suspension_of(center: Center, bridge: Address[BridgeMessage]) -> str | None:
    """Return what to do about a bridge that an operator has suspended; None if nobody has."""
    try:
        status = center.system.snapshot_of(bridge).status
    except ActorNotFound:
        return None
    if status is not Status.SUSPENDED:
        return None
    resume = f"POST /api/runtime/actors{bridge}/resume"
    return f"The bridge to Codex is suspended. Resume it with {resume}."


def reachable_codex(center: Center, host: str) -> Address[BridgeMessage]:
    """Give the address of a bridge that can be asked; only the runner app-server has one."""
    if not RUNNERS[center.settings.runner].has_threads:
        raise needs_threads(center.settings.runner)
    address = _codex_of(center, host)
    suspended = _suspension_of(center, address)
    if suspended is not None:
        raise Unavailable(suspended)
    return address


async def _list_of(center: Center, host: str, call: Call) -> Page[Any]:
    bridge = center.system.lookup(reachable_codex(center, host))
    answer = await ask_codex(bridge, attrs.evolve(call, timeout=LOOK_SECONDS))
    items, cursor = answer.get("data"), answer.get("nextCursor")
    if not isinstance(items, list) or not isinstance(cursor, str | None):
        raise Unavailable(f"Codex on host {host} has answered {call.method} with no list.")
    return Page(items=within_page(items), next_cursor=cursor)

"""The requests that Command Center sends to Codex, each as a `Call` with its parameters spelled.

The shapes are those of `ClientRequest.json` as `codex app-server generate-json-schema` prints
it; a test checks every one against the installed binary. Parameters that are None are left out,
so that Codex's own configuration decides.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.messages import Call

SHELL = (
    "sh",
    "-c",
    """shell="${SHELL:-/bin/sh}" name="$1"
case "$(uname)" in
    Darwin) set -- -q /dev/null "$shell" -i;;
    *) set -- -qec "$shell -i" /dev/null;;
esac
exec 3<&0
( (
    old=$(stty size)
    while sleep 1 && kill -0 $$; do
        new=$(stty size)
        [ "$new" = "$old" ] || { old=$new; kill -WINCH $$; }
    done
) <&3 2>/dev/null &)
printf '\\033_%s\\033\\\\' "$name"
exec script "$@" 3<&-
""",
    "sh",
)
"""The command that gives the shell of Codex's user a terminal, as the system spells it.

No signal of the terminal that Codex gives reaches what is in its sandbox, so its size is looked at,
by no child of `script`, which would wait for it.
"""

NO_FOLDER = 97
"""The exit code of a shell whose folder is not there."""

IN_FOLDER = (
    "sh",
    "-c",
    f"""cd -P -- "$1" 2>/dev/null && [ "$(pwd -P)" = "$1" ] || exit {NO_FOLDER}
shift
exec "$@"
""",
    "sh",
)
"""The beginning of a command that runs in the folder that follows, and in no other.

Where there is no such folder, Codex begins a terminal at home without a word, and the sandbox would
be that of its home. A link has no say, nor has a folder that is moved meanwhile.
"""

SHELL_SECONDS = 12 * 3600.0
"""Seconds that a shell may run."""

START_SECONDS = 60.0
"""For requests that load a thread, which may start tools of its configuration first."""


def thread_start(
    confinement: Confinement,
    *,
    model: str | None = None,
    beside: Mapping[str, Any] = MappingProxyType({}),
    ephemeral: bool | None = None,
) -> Call:
    """Begin a thread. It is not kept by Codex before its first turn begins; `ephemeral`, never.

    `beside` are settings that it has besides those by which it is confined.
    """
    params = {**confinement.start_params(), "model": model, "ephemeral": ephemeral}
    params["config"] = {**beside, **params["config"]}
    return Call("thread/start", _given(params), timeout=START_SECONDS)


def thread_resume(thread_id: str, confinement: Confinement, *, model: str | None = None) -> Call:
    """Load a thread and subscribe to it; its open requests are asked again. Without its turns."""
    params = {
        "threadId": thread_id,
        "excludeTurns": True,
        **confinement.resume_params(),
        "model": model,
    }
    return Call("thread/resume", _given(params), timeout=START_SECONDS)


def thread_read(thread_id: str) -> Call:
    """Ask what Codex knows of a thread, loaded or not: its status, cwd, preview."""
    return Call("thread/read", {"threadId": thread_id})


def thread_join(thread_id: str) -> Call:
    """Subscribe to a thread that is loaded, as it is; answers what it lets its turns do."""
    return Call(
        "thread/resume", {"threadId": thread_id, "excludeTurns": True}, timeout=START_SECONDS
    )


def thread_unsubscribe(thread_id: str) -> Call:
    """No longer be told of a thread."""
    return Call("thread/unsubscribe", {"threadId": thread_id})


def thread_fork(thread_id: str, confinement: Confinement, *, last_turn_id: str | None) -> Call:
    """Make another thread of its past, up to that turn; loaded as tight as can be."""
    params = {
        "threadId": thread_id,
        "lastTurnId": last_turn_id,
        "excludeTurns": True,
        **confinement.resume_params(),
    }
    return Call("thread/fork", _given(params), timeout=START_SECONDS)


def thread_revert(thread_id: str, before_turn_id: str) -> Call:
    """Take a turn and all that follow it out of a thread that is loaded; files stay."""
    return Call("thread/revert", {"threadId": thread_id, "beforeTurnId": before_turn_id})


def thread_name(thread_id: str, name: str) -> Call:
    """Give a thread a name."""
    return Call("thread/name/set", {"threadId": thread_id, "name": name})


def thread_archive(thread_id: str) -> Call:
    """Put a thread away: it is listed among the archived alone, and takes no turn."""
    return Call("thread/archive", {"threadId": thread_id})


def thread_unarchive(thread_id: str) -> Call:
    """Bring an archived thread back."""
    return Call("thread/unarchive", {"threadId": thread_id})


def thread_delete(thread_id: str) -> Call:
    """Delete a thread for good."""
    return Call("thread/delete", {"threadId": thread_id})


def threads_loaded(*, cursor: str | None = None, limit: int | None = None) -> Call:
    """Ask for the ids of the threads that the app-server holds in memory."""
    return Call("thread/loaded/list", _given({"cursor": cursor, "limit": limit}))


def threads_stored(
    *,
    query: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    archived: bool | None = None,
) -> Call:
    """Ask for the threads on disk, the newest first: also of `codex exec`, not of sub-agents.

    Those that were archived are listed alone, if they are wanted.
    """
    params = {
        "archived": archived,
        "sourceKinds": ["cli", "vscode", "exec", "appServer", "unknown"],
        "searchTerm": query,
        "cursor": cursor,
        "limit": limit,
        "sortKey": "updated_at",
    }
    return Call("thread/list", _given(params))


def agents_list(thread_id: str) -> Call:
    """Ask for the threads of a thread's sub-agents, and of theirs, oldest first.

    A Codex that does not know `ancestorThreadId` lists all: look at their `parentThreadId`. From
    Codex's database alone, which has all that are loaded, without a look at every thread's file.
    """
    params = {
        "ancestorThreadId": thread_id,
        "sourceKinds": ["subAgentThreadSpawn"],
        "sortDirection": "asc",
        "useStateDbOnly": True,
    }
    return Call("thread/list", params)


def turns_list(
    thread_id: str, *, cursor: str | None = None, limit: int | None = None, items: bool = True
) -> Call:
    """Ask for the turns of a thread, newest first, with all finished items; resumes nothing."""
    view = "full" if items else "notLoaded"
    params = {"threadId": thread_id, "itemsView": view, "cursor": cursor, "limit": limit}
    return Call("thread/turns/list", _given(params))


def model_choices(chosen: Mapping[str, Any], *, thread_model: str | None = None) -> dict[str, Any]:
    """Spell the choices about a turn's model, by the names of `rules.choices`.

    A mode outweighs the model and the effort that are named beside it, and so names them again.
    `thread_model` is that of the thread, for a turn that names none.
    """
    mode, model, effort = chosen["collaboration_mode"], chosen["model"], chosen["effort"]
    settings = {
        "model": model or thread_model or "",
        "reasoning_effort": effort,
        "developer_instructions": None,
    }
    return {
        "model": model,
        "effort": effort,
        "serviceTier": chosen["service_tier"],
        "personality": chosen["personality"],
        "collaborationMode": None if mode is None else {"mode": mode, "settings": settings},
    }


def turn_start(
    thread_id: str,
    prompt: str,
    confinement: Confinement,
    *,
    client_message_id: str,
    images: Sequence[str] = (),
    choices: Mapping[str, Any] | None = None,
    output_schema: Mapping[str, Any] | None = None,
) -> Call:
    """Begin a turn. On a thread whose turn runs it does not: it steers, and answers that turn.

    `client_message_id` comes back as the `clientId` of the turn's `userMessage` item, which
    tells after a crash whether the turn began. `images` are files that Codex reads; `choices` are
    those that `model_choices` spells; `output_schema` asks for a JSON answer.
    """
    params = {
        "threadId": thread_id,
        "input": _input(prompt, images),
        "clientUserMessageId": client_message_id,
        **confinement.turn_params(),
        **(choices or {}),
        "outputSchema": output_schema,
    }
    return Call("turn/start", _given(params), timeout=START_SECONDS)


def turn_steer(
    thread_id: str,
    turn_id: str,
    message: str,
    *,
    client_message_id: str,
    images: Sequence[str] = (),
) -> Call:
    """Say something to the running turn; refused if another turn runs, or none."""
    params = {
        "threadId": thread_id,
        "expectedTurnId": turn_id,
        "input": _input(message, images),
        "clientUserMessageId": client_message_id,
    }
    return Call("turn/steer", params)


def turn_interrupt(thread_id: str, turn_id: str) -> Call:
    """End the running turn. A command that it runs goes on: see `terminals_clean`."""
    return Call("turn/interrupt", {"threadId": thread_id, "turnId": turn_id})


def terminals_clean(thread_id: str) -> Call:
    """End the commands that the thread's turns have left running."""
    return Call("thread/backgroundTerminals/clean", {"threadId": thread_id})


def terminals_list(thread_id: str) -> Call:
    """List the commands that the thread's turns have left running."""
    return Call("thread/backgroundTerminals/list", {"threadId": thread_id})


def terminal_end(thread_id: str, process_id: str) -> Call:
    """End one of the commands that the thread's turns have left running."""
    params = {"threadId": thread_id, "processId": process_id}
    return Call("thread/backgroundTerminals/terminate", params)


def shell_start(
    name: str,
    program: Sequence[str],
    confinement: Confinement,
    *,
    columns: int,
    rows: int,
) -> Call:
    """Run the shell of Codex's user in a terminal; the answer comes when it has ended.

    Codex gives a terminal to nothing that it holds itself. So what it runs is its own `program`,
    which holds the shell. That puts the shell into a session without a terminal, where no Ctrl-C
    would reach it, so `script` gives it another one there. Without `disableOutputCap` nothing
    would come after the first megabyte. It ends with `NO_FOLDER` where the confinement's folder is
    not there, which may be no link.

    Once the sandbox holds it, it writes `shell_mark`. Ended before, it can leave the sandbox's own
    process behind for ever: bubblewrap's waits for its parent before it would end with it.
    """
    params = {
        "command": [
            *IN_FOLDER,
            confinement.cwd,
            *program,
            *confinement.sandbox_options(),
            *SHELL,
            name,
        ],
        "cwd": "/",
        "processId": name,
        "tty": True,
        "disableTimeout": True,
        "disableOutputCap": True,
        "size": {"cols": columns, "rows": rows},
        "env": {"TERM": "xterm-256color"},
        "sandboxPolicy": {"type": "dangerFullAccess"},
    }
    return Call("command/exec", params, timeout=SHELL_SECONDS)


def shell_mark(name: str) -> bytes:
    """Return what a shell writes as soon as the sandbox holds it, which no terminal shows."""
    return f"\x1b_{name}\x1b\\".encode()


def shell_write(name: str, data: bytes) -> Call:
    """Type something in the terminal of a shell."""
    encoded = base64.b64encode(data).decode()
    return Call("command/exec/write", {"processId": name, "deltaBase64": encoded})


def shell_resize(name: str, *, columns: int, rows: int) -> Call:
    """Give the terminal of a shell another size."""
    size = {"cols": columns, "rows": rows}
    return Call("command/exec/resize", {"processId": name, "size": size})


def shell_end(name: str) -> Call:
    """End a shell with all that runs in its terminal."""
    return Call("command/exec/terminate", {"processId": name})


def review_start(thread_id: str, *, instructions: str, of: Mapping[str, Any] | None = None) -> Call:
    """Begin a review as a turn of the thread; it follows the instructions, unless it is `of` more.

    That is what a session's `review` has.
    """
    target: dict[str, Any]
    match of:
        case {"type": "uncommitted"}:
            target = {"type": "uncommittedChanges"}
        case {"type": "base", "base": branch}:
            target = {"type": "baseBranch", "branch": branch}
        case {"type": "commit", "commit": sha}:
            target = {"type": "commit", "sha": sha, "title": None}
        case _:
            target = {"type": "custom", "instructions": instructions}
    params = {"threadId": thread_id, "target": target, "delivery": "inline"}
    return Call("review/start", params, timeout=START_SECONDS)


def compact_start(thread_id: str) -> Call:
    """Begin a turn in which the thread's history is made shorter; its answer does not name it."""
    return Call("thread/compact/start", {"threadId": thread_id}, timeout=START_SECONDS)


def goal_get(thread_id: str) -> Call:
    """Ask for the thread's goal, if it has one; loads nothing."""
    return Call("thread/goal/get", {"threadId": thread_id})


def goal_set(
    thread_id: str,
    *,
    objective: str | None = None,
    status: str | None = None,
    token_budget: int | None = None,
) -> Call:
    """Give the thread a goal, or change the one that it has; what is None stays.

    In a loaded thread that is idle and has the feature, an active goal begins a turn.
    """
    params = {
        "threadId": thread_id,
        "objective": objective,
        "status": status,
        "tokenBudget": token_budget,
    }
    return Call("thread/goal/set", _given(params))


def goal_clear(thread_id: str) -> Call:
    """Take the thread's goal away."""
    return Call("thread/goal/clear", {"threadId": thread_id})


def queue_list(thread_id: str) -> Call:
    """Ask what waits in Codex's own queue; the first message's turn begins with the thread."""
    return Call("thread/queue/list", {"threadId": thread_id})


def config_read() -> Call:
    """Ask what Codex is configured by, and in which files: `layers`, each with its `name`."""
    return Call("config/read", {"includeLayers": True})


def directory_read(path: str) -> Call:
    """Ask for the names in a folder of the machine that Codex runs on."""
    return Call("fs/readDirectory", {"path": path})


def file_read(path: str) -> Call:
    """Ask for a file of the machine that Codex runs on, in base64."""
    return Call("fs/readFile", {"path": path})


def models_list(*, cursor: str | None = None, limit: int | None = None) -> Call:
    """Ask for the models that Codex offers."""
    return Call("model/list", _given({"cursor": cursor, "limit": limit}))


def account_read() -> Call:
    """Ask who is signed in."""
    return Call("account/read", {})


def limits_read() -> Call:
    """Ask how much of the account's plan is used; Codex asks its provider."""
    return Call("account/rateLimits/read")


def sign_in_by_code() -> Call:
    """Begin to sign in: answers a code, and the page that takes it. One that waits is given up."""
    return Call("account/login/start", {"type": "chatgptDeviceCode"})


def sign_in_by_key(api_key: str) -> Call:
    """Sign in by a key of the provider, which Codex keeps."""
    return Call("account/login/start", {"type": "apiKey", "apiKey": api_key})


def sign_in_cancel(login_id: str) -> Call:
    """Give an attempt to sign in up."""
    return Call("account/login/cancel", {"loginId": login_id})


def sign_out() -> Call:
    """Have Codex forget its account."""
    return Call("account/logout")


def servers_list(*, cursor: str | None = None, limit: int | None = None) -> Call:
    """Ask for the MCP servers and their tools; Codex starts those that no thread has started."""
    params = {"detail": "toolsAndAuthOnly", "cursor": cursor, "limit": limit}
    return Call("mcpServerStatus/list", _given(params), timeout=START_SECONDS)


def server_sign_in(server: str) -> Call:
    """Begin to sign an MCP server in: answers the page to open on Codex's machine."""
    return Call("mcpServer/oauth/login", {"name": server}, timeout=START_SECONDS)


def skills_list(cwd: str | None) -> Call:
    """Ask for the skills, also those of a folder, as they are on the disk now."""
    return Call("skills/list", {"cwds": _folders(cwd), "forceReload": True})


def skill_switch(path: str, *, is_enabled: bool) -> Call:
    """Have a skill followed or not; Codex writes it into its user's configuration."""
    return Call("skills/config/write", {"path": path, "enabled": is_enabled})


def plugins_installed(cwd: str | None) -> Call:
    """Ask for the plugins that are installed, also of a folder's own market."""
    return Call("plugin/installed", _given({"cwds": _folders(cwd) or None}))


def hooks_list(cwd: str | None) -> Call:
    """Ask for the hooks, also those of a folder."""
    return Call("hooks/list", {"cwds": _folders(cwd)})


def profiles_list(cwd: str | None) -> Call:
    """Ask for the permission profiles, also those of a folder's own configuration."""
    return Call("permissionProfile/list", _given({"cwd": cwd}))


def _folders(cwd: str | None) -> list[str]:
    return [] if cwd is None else [cwd]


def _input(text: str, images: Sequence[str]) -> list[dict[str, Any]]:
    shown = [{"type": "localImage", "path": path} for path in images]
    return [{"type": "text", "text": text}, *shown]


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in params.items() if value is not None}

"""All that sessions do with Codex, and what reads and answers it in its own words.

`app_server` is the runner of a turn of a thread over the bridge, and `cli` that of a run of `codex
exec`; `making` makes them, and `set_up` runs for both the script of a new worktree. `threads` is
asked about threads before there is a session.
`turn_events` reads what Codex tells, and makes of it what a session hears from any runner.

The runner for the app-server has parts: `turn_start` begins the turn, `session_thread` opens and
joins the thread, `thread_goal` gives it its goal, `turns` finds a turn in it, `agent_threads` finds
its sub-agents' threads, `read_ahead` asks before an answer is needed, `user_rules` reads what
Codex's user lets it do unasked, `reports` tells what is read from the thread, `left_commands`
follows what a turn left running, and `errors` says what may be done after which error.

Two actors look after turns that no session's actor has: `orphaned_turns` ends those that outlive
their sessions, and `foreign_turns` finds those that never had one; `missed_turns` lists for it
those that are over. `account` signs a host's Codex in and out, `usage_limits` follows the limits of
its account, `thread_acts` names, archives, forks, reverts and deletes its threads,
`thread_import` copies what was said in them,
`extensions` shows its MCP servers, skills, plugins and hooks, and `commit_messages` asks it for the
messages of commits. Those that hear of connections are a
`watcher`.
`shells` are terminals that people have where sessions work, each a `shell`.
"""

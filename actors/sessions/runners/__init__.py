"""The ways to carry out a session, each of them a `Runner`.

`app_server` is a turn of a Codex thread over the bridge, `cli` a run of `codex exec`, `stub` plays
a session without Codex, and `unavailable` stands for a runner that this server was not started
with. `registry` has them by name, and makes them. `turn_events` reads what Codex tells.

The runner for the app-server has parts: `session_thread` opens and joins the thread, `thread_goal`
gives it its goal, `reports` tells what is read from it, `left_commands` follows what a turn left
running, and `errors` says what may be done after which error.
"""

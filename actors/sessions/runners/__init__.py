"""The ways to carry out a session, each of them a `Runner`.

`app_server` is a turn of a Codex thread over the bridge, `cli` a run of `codex exec`, `stub` plays
a session without Codex, and `unavailable` stands for a runner that this server was not started
with. `registry` has them by name, and makes them.
"""

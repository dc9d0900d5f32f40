"""The ways to carry out a session, each of them a `Runner`.

`codex` has the runners for Codex and all that is Codex's own. `stub` plays a session without Codex,
and `unavailable` stands for a runner that this server was not started with. `registry` has them by
name, and makes them with what is in the `workshop`.
"""

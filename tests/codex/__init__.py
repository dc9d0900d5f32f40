"""The kit that drives a real Codex without an account, and the tests of `actors/codex/`."""

"""`command-center demo`: the server with made-up work, and no model asked.

`run` starts it on a fresh database, which `history` fills. `fake_codex` stands in for Codex and
plays what `scripts` has for a prompt.
"""

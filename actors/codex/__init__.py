"""Everything that knows Codex: its app-server's protocol, and the processes that speak it.

`Bridge` is the actor that holds a connection; `messages` says what it is asked and what it tells.
`approvals` and `requests` translate between Codex's shapes and ours, and `exec_runner` runs
`codex exec` where no app-server is wanted.
"""

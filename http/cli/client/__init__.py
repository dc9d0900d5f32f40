"""Commands that ask a server over its API, from wherever they are typed.

They import nothing of the server, so that each begins at once. `server` says which server is asked
and `logins` keeps how to sign in to it, which `login` does; `listening` sees whose process it is.
`running` has `run`, `watching` has `tail`, `lists` has `ls`, `show` and `search`, `decisions` has
what settles approvals, `sessions` has what is said to a session and becomes of its work, `sharing`
has `export-session`, `forgetting` has `forget`, and `requests` has `api`. `nouns` are the kinds of
things that there are, `known` completes their ids, and `completing` has `completion`. `hosts` has
the command of that name, and `placement` the options that choose one for a run. `repositories`
finds the repository that is meant. `transcript` puts what a session says into lines, `terminal`
keeps foreign text from the terminal's controls, `whole` asks for what an answer leaves out,
`console` asks a person for a line, and `outage` tells of lost connections. `desk` is the command
`tui`, the module `tui` its lists, and `screens` one thing and what may be done about it.
"""

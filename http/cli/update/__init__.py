"""`command-center update` and `rollback`: another version in the place of this one, and back.

`commands` are what a user types: they look for a release, show what is to be done and ask. `folder`
is what an update keeps in the data folder. `installers` have the words for each installer, and
`rehearsal` tries the new version beside the running one. `switching` does what touches it: it runs
in the kept copy of the environment, whose files nobody replaces. `in_use` waits for programs whose
files Windows keeps. `health` asks a server which version it is, and `telling` has what a user is
told.
"""

"""Backups: all that an installation has to keep, in one file, and the way back.

`contents` says what that is, and of what each backup tells; `making` writes one beside a server
that runs, and `restoring` puts one in the place of what is there. `encryption` closes one with a
passphrase. `places` are where they lie, and `errors` what can go wrong.
"""

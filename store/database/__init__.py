"""The database file, and what every connection to it has.

`opening` checks the file, migrates it by the steps of `migrations`, and keeps a copy from before,
as `copies` makes them; `rehearsal` does it on a copy alone. `readers` lends connections that
only read. `checksums` tells rows that the disk has changed, `text_match` is a function that SQL may
call, `word_indexes` can be made anew, and `sqlite_errors` tells SQLite's result codes apart.
"""

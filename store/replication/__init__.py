"""Pages of the database, on their way to a copy elsewhere.

`wal` reads what each commit changed from SQLite's log, and `base` makes the copy with which that
begins. `pieces` are what is sent: changed pages, cut to a length that fits, with a checksum.
`encryption` closes them with a key that all ends have. `page_sender` sends them before a commit is
acknowledged: it is the writer's `Replica`. `read_lease` holds reads back until what they saw
was sent. `database_copy` is the other end: a database
again, whenever the process or the machine ends. `sealed_file` has a whole file sent in pieces,
and `centre_folder` the files of a centre that follows or leads. `errors` has what can go wrong.
"""

"""Releases of the program: what is installed here and how, and what a package index offers.

`installation` finds out what installed the program, and `index_settings` which package indexes that
asks. `simple_index` asks them, within bounds, and chooses the newest release that can be taken.
`newest` is the whole question. `last_look`
and `record` are files of the data folder, about the last look and the last update.
`actor` is `/release-watch`, which asks once a day where people want to be told.
"""

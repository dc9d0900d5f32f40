"""An installation's history as JSON Lines, to be read anywhere and taken into another one.

`contents` declares what of each table is in such a file, and what is not and why. `exporting`
writes one, `importing` reads one into a data folder, and `errors` are what keeps them from it.
"""

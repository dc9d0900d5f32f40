"""Texts that are too long for a row.

`shortening` makes what the row shows of them, and `whole_values` has all of it.
"""

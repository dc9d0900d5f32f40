"""Ownership: one process at a time works with a data folder and its database.

`kept_secret` keeps the folder's own secrets. `lock` keeps a second process away from the folder,
and `claim` from the database, whatever folder it is reached from.
"""

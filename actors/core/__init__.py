"""The services that every actor uses: the store, the event log, the wall clock, and locks.

`storage` reads and writes through the one writer, `events` follows the log and tells subscribers,
`store_probe` finds out whether both work now. `clock` waits by the wall clock, and `locks` does
work on one thing a piece at a time.
"""

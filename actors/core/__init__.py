"""The services that every actor uses: the store, the event log, the wall clock, and locks.

`writer` is `/store`, the one writer, and `storage` the way to it and to what it wrote. `events`
follows the log and tells subscribers, `store_probe` finds out whether reading and writing work now.
`clock` waits by the wall clock, and `boot_clock` is a clock that nobody sets. `locks` does work on
one thing a piece at a time, and `turns` lets repositories take turns at work of which little may
be done at once. `sent_body` is the body of an HTTP request that may be cancelled, and
`cancellable` has httpx send it. `message_stream` makes a stream of bytes of messages. `leadership`
asks the leader of a cluster to step down, and `shared_files` are those that its centres have.
"""

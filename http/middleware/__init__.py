"""Middleware: the parts that every request passes, around its route.

`gate` lets a request in: by its host (`hosts`), its token or cookie (`authentication`, `signin`),
and how often its client was wrong (`throttle`), whom a trusted proxy may name (`proxies`).
`authorization` holds each operation to what a device may do, and `revocation` ends its streams.
`idempotency` does a POST once, `location` says where what it made is, and `request_log` gives each
request its id, its log line and its count in `metrics`.
"""

"""Devices: who else may use this server, each with what it may do.

`roster` is what the gate asks of each request: the devices that are let in, in memory. `actor` is
`/devices`, which changes them, durably first and in the roster after that; `pairing` are the codes
by which it lets a device in. `passkeys` reads what a browser's authenticator proves, in no form but
that of `cbor`. What it writes is in `ledger.devices` and `ledger.passkeys`.
"""

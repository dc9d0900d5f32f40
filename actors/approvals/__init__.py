"""Approvals: what waits for a person, settled exactly once.

`actor` is `/approvals`. What it writes is in `ledger.approvals` and `ledger.deadlines`.
"""

"""Hashes of devices' tokens."""

from __future__ import annotations

from command_center.store import Device, Transaction, Writer, device_tokens, devices
from tests.store.units import run


def add(tx: Transaction) -> Device:
    return devices.insert(tx, name="Phone", scopes=["read"])


def test_a_hash_is_kept_until_its_device_is_removed(writer: Writer) -> None:
    for token_hash in ("a", "b"):
        device = run(writer, add)
        run(writer, lambda tx: device_tokens.keep(tx, device.id, token_hash))  # noqa: B023 - it runs at once
    assert {1: "a", 2: "b"} == run(writer, lambda tx: device_tokens.every(tx.db))
    run(writer, lambda tx: device_tokens.remove_device(tx, 2))
    assert {1: "a"} == run(writer, lambda tx: device_tokens.every(tx.db))
    assert [1] == [one.id for one in run(writer, lambda tx: devices.every(tx.db, {}))]
    assert 3 == run(writer, add).id

"""The sign-in of a host, as it is stored."""

from command_center.store import StoredHost, Transaction, Writer, host_keys, stored_hosts
from command_center.store.host_life import HostLife
from tests.store.units import run


def host(tx: Transaction) -> StoredHost:
    return stored_hosts.insert(
        tx, name="box", kind="dial", address="", host_key="", data_dir="", requested_by="a"
    )


def test_a_code_is_spent_for_a_key_which_voids_the_one_before(writer: Writer) -> None:
    made = run(writer, host)
    run(writer, lambda tx: host_keys.offer(tx, made.id, "code", "2999-01-01T00:00:00Z"))
    found = run(writer, lambda tx: host_keys.offered(tx.db, "code"))
    assert (made.id, "2999-01-01T00:00:00Z", False, HostLife(0, "")) == found
    run(writer, lambda tx: host_keys.enrol(tx, made.id, "first"))
    assert None is run(writer, lambda tx: host_keys.offered(tx.db, "code"))
    run(writer, lambda tx: host_keys.begin_life(tx, made.id, HostLife(7, "ab")))
    assert "box" == run(writer, lambda tx: host_keys.name_of(tx.db, "first"))
    run(writer, lambda tx: host_keys.offer(tx, made.id, "again", "2999-01-01T00:00:00Z"))
    kept = run(writer, lambda tx: host_keys.by_host(tx.db, made.id))
    assert kept is not None
    assert (True, HostLife(7, "ab")) == (kept.has_key, kept.life)
    run(writer, lambda tx: host_keys.enrol(tx, made.id, "second"))
    assert None is run(writer, lambda tx: host_keys.name_of(tx.db, "first"))
    found = run(writer, lambda tx: host_keys.by_key(tx.db, "second"))
    assert (made.id, None, True, HostLife(0, "")) == found


def test_a_key_that_the_disk_has_changed_lets_nobody_in(writer: Writer) -> None:
    made = run(writer, host)
    run(writer, lambda tx: host_keys.offer(tx, made.id, "code", "2999-01-01T00:00:00Z"))
    run(writer, lambda tx: host_keys.enrol(tx, made.id, "key"))

    def spoil(tx: Transaction) -> None:
        tx.db.execute("UPDATE host_keys SET checksum = checksum + 1")

    run(writer, spoil)
    assert None is run(writer, lambda tx: host_keys.name_of(tx.db, "key"))
    assert None is run(writer, lambda tx: host_keys.by_key(tx.db, "key"))

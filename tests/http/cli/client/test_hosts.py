"""`hosts add` asks for the key of a machine that nobody knows yet."""

from __future__ import annotations

from typing import Any

import attrs
import click
import pytest

from command_center.http.cli.client import hosts
from command_center_client.call import ApiCall
from command_center_client.errors import CallRefused

KEY = "SHA256:abc"


@attrs.define
class Center:
    """A server that wants to be told the key of a machine."""

    bodies: list[Any] = attrs.field(factory=list)

    def send(self, call: ApiCall[Any]) -> Any:
        """Refuse what does not name the key."""
        body: Any = call.body
        self.bodies.append(body)
        if body.get("hostKey") != KEY:
            raise CallRefused(409, "Nobody has accepted it.", {"facts": {"hostKey": KEY}})
        return {"name": body["name"]}


@attrs.define
class Person:
    """Somebody at a terminal who always gives the same answer."""

    is_sure: bool
    read: list[str] = attrs.field(factory=list)

    def say(self, text: str, colour: str = "") -> None:
        """Read it."""
        del colour
        self.read.append(text.strip())

    def agrees(self, question: str) -> bool:
        """Answer."""
        self.read.append(question)
        return self.is_sure


def add(center: Center, *, host_key: str | None = None) -> None:
    command: Any = hosts.add.callback
    command.__wrapped__(center, host="box", address="ada@box", host_key=host_key, as_json=False)


def test_a_person_is_asked_with_the_fingerprint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person, center = Person(is_sure=True), Center()
    monkeypatch.setattr(hosts, "console", lambda: person)
    add(center)
    assert [None, KEY] == [body.get("hostKey") for body in center.bodies]
    assert KEY in person.read
    assert "box is a host now.\n" == capsys.readouterr().out


def test_nothing_is_sent_to_a_machine_whose_key_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    center = Center()
    monkeypatch.setattr(hosts, "console", lambda: Person(is_sure=False))
    with pytest.raises(click.UsageError, match="Nothing was sent"):
        add(center)
    assert 1 == len(center.bodies)


@pytest.mark.parametrize("host_key", [None, "SHA256:other"])
def test_where_nobody_can_be_asked_the_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch, host_key: str | None
) -> None:
    center = Center()
    person = None if host_key is None else Person(is_sure=True)
    monkeypatch.setattr(hosts, "console", lambda: person)
    with pytest.raises(CallRefused):
        add(center, host_key=host_key)
    assert 1 == len(center.bodies)

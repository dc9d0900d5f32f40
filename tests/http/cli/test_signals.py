"""Signals of a command: what they come to while it works, and that nothing of it stays."""

from __future__ import annotations

import signal

import pytest

from command_center.http.cli.signals import TERMINATED, ending_in_order, ignoring_ends


def test_sigterm_ends_the_work_and_stays_what_it_was_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, ending_in_order():
        signal.raise_signal(signal.SIGTERM)
    assert TERMINATED == ended.value.code
    assert before == signal.getsignal(signal.SIGTERM)


def test_nobody_ends_what_goes_on_to_its_end() -> None:
    asked = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in asked]
    with ignoring_ends():
        for number in asked:
            signal.raise_signal(number)
    assert before == [signal.getsignal(number) for number in asked]

"""URLs that messages may go to, by what their text tells."""

from __future__ import annotations

import ipaddress

import pytest

from command_center.actors.channels.addresses import is_public, problem_with


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://push.example:8443/abc",
        "https://8.8.8.8/abc",
        "https://[2001:4860:4860::8888]/abc",
        "https://push.example./abc",
        "https://xn--bcher-kva.example/abc",
        f"https://{'a' * 63}.example/abc",
    ],
)
def test_messages_may_go_to_a_public_address(endpoint: str) -> None:
    assert problem_with(endpoint, allows_private=False) is None


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/abc",
        "https://localhost/abc",
        "https://LOCALHOST./abc",
        "https://a.localhost/abc",
        "https://127.0.0.1/abc",
        "https://127.1/abc",
        "https://0x7f000001/abc",
        "https://2130706433/abc",
        "https://10.0.0.1/abc",
        "https://169.254.169.254/latest",
        "https://192.168.1.1:8443/abc",
        "https://100.64.0.1/abc",
        "https://224.0.0.1/abc",
        "https://[::1]/abc",
        "https://[::ffff:127.0.0.1]/abc",
        "https://[fd00::1]/abc",
        "https://[fe80::1]/abc",
        "https://[64:ff9b::7f00:1]/abc",
        "https://[2002:7f00:1::]/abc",
        "https://user:secret@push.example/abc",
        "https://push.example:port/abc",
        "https://[push.example/abc",
        "https:///abc",
        f"https://{'a' * 64}.example/abc",
        f"https://{'a.' * 127}example/abc",
        "https://push..example/abc",
        "https://.push.example/abc",
        "https://push.example../abc",
        "https://./abc",
        "https://-push.example/abc",
        "https://push_service.example/abc",
        "https://push%2eexample/abc",
        "https://push\\service.example/abc",
        "https://push*.example/abc",
        "https://xn--zz.example/abc",
        "https://xn--.example/abc",
        "https://[2001:4860:4860::8888.example]/abc",
        "https://push.example/abc\n",
    ],
)
def test_one_that_is_not_public_is_refused(endpoint: str) -> None:
    assert problem_with(endpoint, allows_private=False) is not None


def test_they_may_go_to_this_machine_where_the_settings_allow_it() -> None:
    assert problem_with("http://127.0.0.1:9/abc", allows_private=True) is None
    assert problem_with("http://localhost:9/abc", allows_private=True) is None
    assert problem_with("http://a:b@127.0.0.1:9/abc", allows_private=True) is not None
    assert problem_with("http://a..b:9/abc", allows_private=True) is not None
    assert problem_with("ftp://127.0.0.1:9/abc", allows_private=True) is not None


@pytest.mark.parametrize("address", ["::ffff:8.8.8.8", "2002:808:808::", "64:ff9b::808:808"])
def test_what_leads_to_a_public_address_is_as_good(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))

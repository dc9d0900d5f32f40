"""A refusal says what to do about it."""

from __future__ import annotations

from typing import Any

import pytest

from command_center_client.errors import (
    CallRefused,
    NotCommandCenter,
    NotReachable,
    lasting,
    refusal,
)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            {"statusCode": 401, "message": "The bearer token is missing."},
            "The bearer token is missing. Sign in with `command-center login`, or set CC_TOKEN.",
        ),
        (
            {"statusCode": 403, "message": "No.", "facts": {"scope": "work"}},
            "No. Have the owner of the server change what it may do, or use another token.",
        ),
        (
            {
                "statusCode": 400,
                "message": "The field a is wrong.",
                "details": [{"path": "a", "message": "x"}, {"path": "bc", "message": "y"}],
            },
            "The field a is wrong. (bc: y)",
        ),
        ({"statusCode": 404, "message": "Task 9 not found."}, "Task 9 not found."),
    ],
)
def test_a_refusal_says_what_to_do(error: dict[str, Any], line: str) -> None:
    told = refusal("http://x", error["statusCode"], {"error": error})
    assert isinstance(told, CallRefused)
    assert (line, error["statusCode"]) == (str(told), told.status)


@pytest.mark.parametrize("body", [None, [], {}, {"error": "no"}, {"error": {"message": "x"}}])
def test_what_has_another_shape_is_no_command_center(body: object) -> None:
    assert isinstance(refusal("http://x", 500, body), NotCommandCenter)


@pytest.mark.parametrize("status", [502, 503, 504, 530])
def test_a_proxy_that_reaches_nobody_is_waited_for(status: int) -> None:
    told = refusal("http://x", status, None)
    assert isinstance(told, NotReachable)
    assert None is lasting(told)
    assert f"a proxy answers {status}" in str(told)

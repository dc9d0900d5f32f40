"""Conditional requests, as RFC 9110 has them: ask again cheaply, and change only what was seen.

Every JSON answer of a GET below `/api/` has an `ETag`, made of the answer's own bytes, and a GET
that names it in `If-None-Match` is answered with 304 and no body as long as it would get the same
again. So a phone may ask often. What is sent compressed are other bytes, with a tag of their own.

A PATCH or DELETE that names the resource's tag in `If-Match` is carried out only if a GET would
still give what the tag stands for, else it is 412. That is checked in the transaction which makes
the change: whatever else changes the resource meanwhile, with a condition or without one, comes
wholly before it or wholly after. The other way round each header counts as well: a GET with an
`If-Match` that does not hold, and a change with an `If-None-Match` that does not, are 412.

That a rule has answered, or that a device was seen, is no change of it. Such a tag has two parts:
of all that the answer says, and of it without that. `If-Match` holds by either.

A POST that acts on a branch takes the branch's commit as its tag: `If-Match: "<headSha>"`. It is
the `headSha` of its body, and 412 where that would be 409.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec
from quart import Quart, Request, Response, request
from quart.wrappers.response import DataBody
from sqlite_utils import Database
from werkzeug.datastructures import ETags

from command_center.actors.rules.errors import HeadMoved, Invalid, PreconditionFailed
from command_center.actors.rules.preconditions import Condition, always
from command_center.http.wire.codec import LONGEST_AT_ONCE, aside, encode
from command_center.http.wire.compression import GZIP, coding_of
from command_center.http.wire.problems import JSON, error_response, problem_of

_TEXT = rb'"(?:[^"\\]|\\.)*"'
_USE = re.compile(rb'"(?:uses|lastUsedAt|lastSeenAt|lastSeenFrom)":(?:%b|[^,}"]*),?' % _TEXT)
"""The fields that tell of a record's use, as they are written."""
_WRITTEN = re.compile(rb'"updatedAt":%b,?' % _TEXT)
"""The time when a record was written, which its use changes, too."""
_OF_STATE = "."

B = TypeVar("B", bound=msgspec.Struct)

IF_MATCH = "If-Match"
IF_NONE_MATCH = "If-None-Match"


def install_etags(app: Quart) -> None:
    """Tag what `app`'s GETs answer, and answer those that have it already with 304."""
    app.after_request(_tag)


def etag_of(body: bytes, coding: str | None = None) -> str:
    """Return the tag of an answer that is sent in that coding: equal for equal bytes."""
    tag = _digest(body)
    state = _USE.sub(b"", body)
    if state != body:
        tag = f"{tag}{_OF_STATE}{_digest(_WRITTEN.sub(b'', state))}"
    return tag if coding is None else f"{tag}-{coding}"


def _digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=12).hexdigest()


def condition(asked: Request, look: Callable[[Database], object]) -> Condition:
    """Return the condition of a request's headers; `look` reads what a GET would answer."""
    if IF_MATCH not in asked.headers and IF_NONE_MATCH not in asked.headers:
        return always
    path, wanted, unwanted = asked.path, _wanted(asked), asked.if_none_match

    def check(db: Database) -> None:
        tags = _tags_of(encode(look(db)))
        if not _is_among(wanted, tags) or any(map(unwanted.contains_weak, tags)):
            raise PreconditionFailed(path)

    return check


@contextmanager
def head_condition(asked: Request, body: B) -> Iterator[B]:
    """Lend the body with the commit that `If-Match` names as its `head_sha`.

    Raises:
        Invalid: it names several commits.
        PreconditionFailed: the branch is at another commit.
    """
    if IF_MATCH not in asked.headers or asked.if_match.star_tag:
        yield body
        return
    tags = asked.if_match.as_set()
    if len(tags) > 1:
        raise Invalid.field(IF_MATCH, "Expected one commit.")
    wanted = next(iter(tags), "")
    if getattr(body, "head_sha", None) not in {None, wanted}:
        raise PreconditionFailed(asked.path)
    try:
        yield msgspec.structs.replace(body, head_sha=wanted)
    except HeadMoved as error:
        raise PreconditionFailed(asked.path, **error.facts) from error


def _wanted(asked: Request) -> ETags:
    """Return the tags of `If-Match`; any, where there is none."""
    return asked.if_match if IF_MATCH in asked.headers else ETags(star_tag=True)


def _is_among(wanted: ETags, tags: tuple[str, str]) -> bool:
    """Return True if one of the tags is wanted, or one of the same state before it was used."""
    states = {_state_of(tag) for tag in tags} - {""}
    return any(map(wanted.contains, tags)) or not states.isdisjoint(map(_state_of, wanted.as_set()))


def _state_of(tag: str) -> str:
    """Return the part of a tag that stays while what it stands for is only used; else nothing."""
    return tag.removesuffix(f"-{GZIP}").partition(_OF_STATE)[2]


def _tags_of(body: bytes) -> tuple[str, str]:
    """Return the tags of an answer, in either form."""
    return etag_of(body), etag_of(body, GZIP)


async def _tag(response: Response) -> Response:
    body = response.response
    if (
        request.method not in {"GET", "HEAD"}
        or response.status_code != 200  # noqa: PLR2004 - the status is the clearest name for it
        or response.content_type != JSON
        or not request.path.startswith("/api/")
        or not isinstance(body, DataBody)
        or "ETag" in response.headers
    ):
        return response
    if IF_MATCH in request.headers and not _is_among(request.if_match, _tags_of(body.data)):
        return error_response(problem_of(PreconditionFailed(request.path)))
    coding = coding_of(response)
    if len(body.data) > LONGEST_AT_ONCE:
        tag = await aside(etag_of, body.data, coding)
    else:
        tag = etag_of(body.data, coding)
    if IF_NONE_MATCH in request.headers and request.if_none_match.contains_weak(tag):
        response.status_code = 304
        response.set_data(b"")
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
    response.headers["ETag"] = f'"{tag}"'
    return response

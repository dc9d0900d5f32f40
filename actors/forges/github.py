"""GitHub's REST API (https://docs.github.com/rest): pull requests, their checks and reviews.

An answer is kept with its ETag, so that asking again costs nothing of the rate limit where nothing
has changed. Each is bounded in its time, its size and its redirects, and `wire` reads it: whatever
else comes is one refusal. Where GitHub says that it has had enough, nothing more is sent until the
time that it names. The token is in a header of each request, and in nothing that is raised or
logged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

import attrs
import httpx
import trio

from command_center.actors.core.cancellable import cancellable
from command_center.actors.forges.ports import Check, FoundIssue, Proposal, Remark, Seen
from command_center.actors.forges.settings import GitHubSettings
from command_center.actors.forges.wire import (
    ChecksShown,
    CommentShown,
    IssueShown,
    PullShown,
    ReviewShown,
    Shape,
    StatusesShown,
    decode,
    problem_in,
)
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.actors.rules.retry_after import retry_after

Entry = TypeVar("Entry")

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes of the largest answer that is read."""

PAGE: Final = 100
"""Entries of one page of a list."""

PAGES: Final = 10
"""Pages of one list that are read at most."""

KEPT: Final = 16 * 1024 * 1024
"""Bytes of the answers that are kept with their ETags, the newest ones."""

REDIRECTS: Final = 5
"""Redirects of one request that are followed, as of a project that has moved."""

LONGEST_PAUSE: Final = 3600.0
"""Seconds for which GitHub is left in peace at most."""

LOG_LENGTH: Final = 4000
"""Characters of a log that are read, the last ones."""


@attrs.frozen
class _Answer:
    status: int
    headers: httpx.Headers
    content: bytes


@attrs.define(eq=False)
class GitHub:
    """GitHub, or a GitHub Enterprise server. To be closed by whoever made it."""

    settings: GitHubSettings
    _client: httpx.AsyncClient = attrs.field(init=False)
    _token: str | None = attrs.field(default=None, init=False)
    _kept: dict[str, tuple[str, bytes]] = attrs.field(factory=dict, init=False)
    _silent_until: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        """Make the client; nothing is sent yet."""
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(self.settings.call_seconds),
            max_redirects=REDIRECTS,
            event_hooks={"request": [self._stay, cancellable]},
            headers={
                "Accept": "application/vnd.github+json",
                "User-Agent": "command-center",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def is_known(self) -> bool:
        """Say whether there is a token."""
        if self._token is None:
            self._token = self.settings.token or await self.settings.find_token(self.settings.host)
        return self._token is not None

    async def find(self, project: str, branch: str, base: str) -> Seen | None:
        """Find the open pull request of a branch."""
        owner = project.partition("/")[0]
        head, onto = quote(f"{owner}:{branch}", safe=""), quote(base, safe="")
        found = await self._get(
            f"/repos/{project}/pulls?state=open&head={head}&base={onto}",
            list[PullShown],
            cached=False,
        )
        return next(
            (pull.seen() for pull in found if (pull.head.ref, pull.base.ref) == (branch, base)),
            None,
        )

    async def propose(self, proposal: Proposal) -> Seen:
        """Open a pull request; one that is open already is that one."""
        known = await self.find(proposal.project, proposal.branch, proposal.base)
        if known is not None:
            return known
        wanted = {
            "title": proposal.title,
            "body": proposal.body,
            "head": proposal.branch,
            "base": proposal.base,
            "draft": proposal.is_draft,
        }
        try:
            answer = await self._send("POST", f"/repos/{proposal.project}/pulls", wanted)
        except Conflict:
            known = await self.find(proposal.project, proposal.branch, proposal.base)
            if known is None:
                raise
            return known
        return decode(answer.content, PullShown).seen()

    async def look(self, project: str, number: int) -> Seen:
        """Read a pull request with its checks and reviews, the first thousand of each.

        Beyond them, checks count as running: what nobody has read cannot pass.
        """
        pull = await self._get(f"/repos/{project}/pulls/{number}", PullShown)
        commit = f"/repos/{project}/commits/{pull.seen().head_sha}"
        runs, has_more_runs = await self._list(
            f"{commit}/check-runs", ChecksShown, lambda shown: shown.check_runs
        )
        statuses, has_more = await self._list(
            f"{commit}/status", StatusesShown, lambda shown: shown.statuses
        )
        reviews, _ = await self._list(
            f"/repos/{project}/pulls/{number}/reviews", list[ReviewShown], list
        )
        unread = [_UNREAD] if has_more_runs or has_more else []
        return pull.seen(
            [*(one.seen() for one in runs), *(one.seen() for one in statuses), *unread],
            [review.seen() for review in reviews if review.is_said],
        )

    async def read_log(self, project: str, job: int) -> str:
        """Read the end of the log of a check."""
        answer = await self._send(
            "GET", f"/repos/{project}/actions/jobs/{job}/logs", leads_away=True
        )
        return answer.content.decode("utf-8", "replace")[-LOG_LENGTH:]

    async def read_remarks(self, project: str, number: int) -> Mapping[int, Sequence[Remark]]:
        """Read what reviews say of lines, by the review; the first thousand of all."""
        found, _ = await self._list(
            f"/repos/{project}/pulls/{number}/comments", list[CommentShown], list
        )
        remarks: dict[int, list[Remark]] = {}
        for comment in found:
            remarks.setdefault(comment.pull_request_review_id or 0, []).append(comment.seen())
        return remarks

    async def merge(self, project: str, number: int, sha: str, method: str) -> None:
        """Merge a pull request, if it still ends with that commit."""
        wanted = {"sha": sha, "merge_method": method}
        await self._send("PUT", f"/repos/{project}/pulls/{number}/merge", wanted)

    async def list_issues(
        self, project: str, label: str | None, *, page: int, limit: int
    ) -> tuple[list[FoundIssue], bool]:
        """List a page of open issues, the newest first; say whether there are more."""
        labelled = "" if label is None else f"&labels={quote(label, safe='')}"
        found = await self._get(
            f"/repos/{project}/issues?state=open&per_page={limit}&page={page}{labelled}",
            list[IssueShown],
        )
        return [one.seen() for one in found[:limit] if one.is_open], len(found) >= limit

    async def read_issue(self, project: str, number: int) -> FoundIssue | None:
        """Read an issue; None where it is not open, or is a pull request."""
        found = await self._get(f"/repos/{project}/issues/{number}", IssueShown)
        return found.seen() if found.is_open else None

    async def _list(
        self, path: str, shape: type[Shape], entries: Callable[[Shape], list[Entry]]
    ) -> tuple[list[Entry], bool]:
        """Read a list page by page; say whether it goes on behind the last page that is read.

        Args:
            path: of the list, without a query.
            shape: an answer's.
            entries: takes them out of an answer.
        """
        found: list[Entry] = []
        for page in range(1, PAGES + 1):
            shown = entries(await self._get(f"{path}?per_page={PAGE}&page={page}", shape))
            found += shown[:PAGE]
            if len(shown) < PAGE:
                return found, False
        return found, True

    async def _get(self, path: str, shape: type[Shape], *, cached: bool = True) -> Shape:
        """Read something; what has not changed comes from what is kept."""
        etag, known = self._kept.get(path, ("", b"")) if cached else ("", b"")
        answer = await self._send("GET", path, etag=etag)
        if answer.status == httpx.codes.NOT_MODIFIED:
            return decode(known, shape)
        found = decode(answer.content, shape)
        if cached and "ETag" in answer.headers:
            self._keep(path, answer.headers["ETag"], answer.content)
        return found

    def _keep(self, path: str, etag: str, content: bytes) -> None:
        self._kept.pop(path, None)
        self._kept[path] = (etag, content)
        size = sum(len(known) for _, known in self._kept.values())
        while size > KEPT:
            _, dropped = self._kept.pop(next(iter(self._kept)))
            size -= len(dropped)

    async def _stay(self, request: httpx.Request) -> None:
        """Follow no redirect to another server, unless it is to be expected."""
        mine = httpx.URL(self.settings.api_base)
        theirs = request.url
        same = (mine.scheme, mine.host, mine.port) == (theirs.scheme, theirs.host, theirs.port)
        if not same and not request.extensions.get("leads_away"):
            raise httpx.UnsupportedProtocol(f"it leads to {theirs.host[:100]}", request=request)

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        etag: str = "",
        leads_away: bool = False,
    ) -> _Answer:
        """Send a request.

        Raises:
            Unavailable: GitHub is not reached, fails, or has had enough for now.
            Conflict: it refuses; the message says what to do.
        """
        left = self._silent_until - trio.current_time()
        if left > 0:
            raise _enough(left)
        if not await self.is_known():
            raise Conflict(
                "There is no token for GitHub. Set CC_GITHUB_TOKEN, or sign in with: gh auth login"
            )
        token = self._token or ""
        if not (token.isascii() and token.isprintable()):
            raise self._other_token()
        headers = {"Authorization": f"Bearer {token}"}
        if etag:
            headers["If-None-Match"] = etag
        answer = await self._exchange(method, path, body, headers, leads_away=leads_away)
        self._heed(answer)
        is_as_known = answer.status == httpx.codes.NOT_MODIFIED
        if not (httpx.codes.is_success(answer.status) or is_as_known):
            raise self._refusal(answer, path)
        return answer

    async def _exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
        *,
        leads_away: bool,
    ) -> _Answer:
        """Send and receive within a deadline. Nothing that httpx raises gets out of here."""
        url = self.settings.api_base.rstrip("/") + path
        reason = f"it took longer than {self.settings.call_seconds:g} s"
        with trio.move_on_after(self.settings.call_seconds) as call:
            try:
                async with self._client.stream(
                    method,
                    url,
                    json=body,
                    headers=headers,
                    follow_redirects=method == "GET",
                    extensions={"leads_away": leads_away},
                ) as response:
                    content = bytearray()
                    async for chunk in response.aiter_bytes():
                        content += chunk
                        if len(content) > LARGEST_ANSWER:
                            reason = "the answer is too large"
                            call.cancel()  # to break off here would leave httpx's generators open
                    if len(content) <= LARGEST_ANSWER:
                        return _Answer(response.status_code, response.headers, bytes(content))
            except httpx.TooManyRedirects:
                reason = f"it redirects more than {REDIRECTS} times"
            except httpx.UnsupportedProtocol as error:
                reason = str(error)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = type(error).__name__
        raise Unavailable(f"GitHub cannot be reached ({reason}). Try again later.")

    def _heed(self, answer: _Answer) -> None:
        """Keep silent for as long as GitHub says."""
        headers = answer.headers
        seconds = retry_after(headers.get("Retry-After"), longest=LONGEST_PAUSE)
        if seconds is None and headers.get("X-RateLimit-Remaining") == "0":
            reset = headers.get("X-RateLimit-Reset", "")
            is_number = reset.isascii() and reset.isdigit()
            seconds = float(reset) - time.time() if is_number else 60.0
        if seconds is not None and seconds > 0:
            self._silent_until = trio.current_time() + min(seconds, LONGEST_PAUSE)

    def _refusal(self, answer: _Answer, path: str) -> Exception:
        told = problem_in(answer.content)
        status = answer.status
        left = self._silent_until - trio.current_time()
        if status in {403, 429} and left > 0:
            return _enough(left)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return Unavailable(f"GitHub answers {status}. Try again later.")
        if status == httpx.codes.UNAUTHORIZED:
            return self._other_token()
        needed = answer.headers.get("X-Accepted-GitHub-Permissions", "")[:200]
        right = f" It needs: {needed}." if needed else ""
        place = "/".join(path.split("?", maxsplit=1)[0].split("/")[2:4])
        reason = f"GitHub refuses it ({status}): {told}"
        if httpx.codes.is_redirect(status):
            reason = f"GitHub has moved {place}. Set its new address with: git remote set-url"
        elif status == httpx.codes.FORBIDDEN:
            reason = f"The token lacks a right: {told}.{right}"
        elif status == httpx.codes.NOT_FOUND:
            reason = (
                f"GitHub has no {place}, or none that the token may see. Give the token access to "
                "that repository."
            )
        return Conflict(reason)

    def _other_token(self) -> Conflict:
        """Forget the token, so that a new one is asked for."""
        self._token = None
        return Conflict(
            "GitHub does not take the token. Set another CC_GITHUB_TOKEN, or sign in with: "
            "gh auth login"
        )


def _enough(seconds: float) -> Unavailable:
    return Unavailable(
        f"GitHub's rate limit is used up. It takes requests again in {seconds:.0f} s.",
        retry_after=max(1.0, seconds),
    )


_UNREAD: Final = Check(
    name=f"Those after the first {PAGE * PAGES}",
    state="pending",
    summary="They are not read.",
)
"""Stands for all checks that are too many to be read."""

"""GitHub's REST API (https://docs.github.com/rest): pull requests, their checks and reviews.

An answer is kept with its ETag, so that asking again costs nothing of the rate limit where nothing
has changed. Where GitHub says that it has had enough, nothing more is sent until the time that it
names. The token is in a header of each request and in nothing that is raised or logged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal
from urllib.parse import quote

import attrs
import httpx
import trio

from command_center.actors.forges.ports import Check, FoundIssue, Proposal, Remark, Review, Seen
from command_center.actors.forges.settings import GitHubSettings
from command_center.actors.rules.errors import Conflict, Unavailable

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes of the largest answer that is read."""

PAGE: Final = 100
"""Entries of one page of a list."""

PAGES: Final = 10
"""Pages of one list that are read at most."""

KEPT: Final = 512
"""Answers that are kept with their ETags."""

LONGEST_PAUSE: Final = 3600.0
"""Seconds for which GitHub is left in peace at most."""

LOG_LENGTH: Final = 4000
"""Characters of a log that are read, the last ones."""

_TRUSTED: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_SUMMARY: Final = 2000
_TITLE, _BODY = 300, 60_000
_SAID: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"})
_PASSING: Final = frozenset({"success", "neutral", "skipped"})


@attrs.frozen
class _Answer:
    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def body(self) -> Any:
        """Return the JSON; None where it is none."""
        try:
            return json.loads(self.content) if self.content else None
        except (ValueError, RecursionError):
            return None


@attrs.define(eq=False)
class GitHub:
    """GitHub, or a GitHub Enterprise server. To be closed by whoever made it."""

    settings: GitHubSettings
    _client: httpx.AsyncClient = attrs.field(init=False)
    _token: str | None = attrs.field(default=None, init=False)
    _kept: dict[str, tuple[str, Any]] = attrs.field(factory=dict, init=False)
    _silent_until: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        """Make the client; nothing is sent yet."""
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(self.settings.call_seconds),
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
            f"/repos/{project}/pulls?state=open&head={head}&base={onto}", cached=False
        )
        with _understood():
            return next(
                (_seen(pull) for pull in found if pull["head"]["ref"] == branch), None
            )  # the filter is GitHub's; that it was heeded is seen to here

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
        with _understood():
            return _seen(answer.body)

    async def look(self, project: str, number: int) -> Seen:
        """Read a pull request with its checks and reviews, the first thousand of each.

        Beyond them, checks count as running: what nobody has read cannot pass.
        """
        pull = await self._get(f"/repos/{project}/pulls/{number}")
        with _understood():
            seen = _seen(pull)
        commit = f"/repos/{project}/commits/{seen.head_sha}"
        runs, has_more_runs = await self._list(f"{commit}/check-runs", within="check_runs")
        statuses, has_more = await self._list(f"{commit}/status", within="statuses")
        reviews, _ = await self._list(f"/repos/{project}/pulls/{number}/reviews")
        unread = [_UNREAD] if has_more_runs or has_more else []
        with _understood():
            return attrs.evolve(
                seen,
                checks=[
                    *(_check(run) for run in runs),
                    *(_status(status) for status in statuses),
                    *unread,
                ],
                reviews=[_review(review) for review in reviews if review["state"] in _SAID],
            )

    async def read_log(self, project: str, job: int) -> str:
        """Read the end of the log of a check."""
        answer = await self._send("GET", f"/repos/{project}/actions/jobs/{job}/logs")
        return answer.content.decode("utf-8", "replace")[-LOG_LENGTH:]

    async def read_remarks(self, project: str, number: int) -> Mapping[int, Sequence[Remark]]:
        """Read what reviews say of lines, by the review; the first thousand of all."""
        found, _ = await self._list(f"/repos/{project}/pulls/{number}/comments")
        remarks: dict[int, list[Remark]] = {}
        with _understood():
            for comment in found:
                line = comment.get("line") or comment.get("original_line")
                remark = Remark(
                    path=str(comment["path"]),
                    line=line if isinstance(line, int) else None,
                    text=str(comment.get("body") or "")[:_SUMMARY],
                )
                remarks.setdefault(comment.get("pull_request_review_id") or 0, []).append(remark)
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
            f"/repos/{project}/issues?state=open&per_page={limit}&page={page}{labelled}"
        )
        with _understood():
            issues = [_issue(one) for one in found if "pull_request" not in one]
            return issues, len(found) == limit

    async def read_issue(self, project: str, number: int) -> FoundIssue | None:
        """Read an issue; None where it is not open, or is a pull request."""
        found = await self._get(f"/repos/{project}/issues/{number}")
        with _understood():
            if found["state"] != "open" or "pull_request" in found:
                return None
            return _issue(found)

    async def _list(self, path: str, *, within: str | None = None) -> tuple[list[Any], bool]:
        """Read a list page by page; say whether it goes on behind the last page that is read.

        Args:
            path: of the list, without a query.
            within: the name that the entries have in an answer that is more than them.
        """
        found: list[Any] = []
        for page in range(1, PAGES + 1):
            answer = await self._get(f"{path}?per_page={PAGE}&page={page}")
            with _understood():
                entries = answer if within is None else answer[within]
                if not isinstance(entries, list):
                    raise TypeError(path)
            found += entries
            if len(entries) < PAGE:
                return found, False
        return found, True

    async def _get(self, path: str, *, cached: bool = True) -> Any:
        """Read something; what has not changed comes from what is kept."""
        etag, known = self._kept.get(path, ("", None)) if cached else ("", None)
        answer = await self._send("GET", path, etag=etag)
        if answer.status == httpx.codes.NOT_MODIFIED:
            return known
        body = answer.body
        if cached and "ETag" in answer.headers:
            self._kept.pop(path, None)
            self._kept[path] = (answer.headers["ETag"], body)
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return body

    async def _send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, etag: str = ""
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
        headers = {"Authorization": f"Bearer {self._token}"}
        if etag:
            headers["If-None-Match"] = etag
        answer = await self._exchange(method, path, body, headers)
        self._heed(answer)
        if answer.status >= httpx.codes.BAD_REQUEST:
            raise self._refusal(answer, path)
        return answer

    async def _exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
    ) -> _Answer:
        """Send and receive within a deadline. Nothing that httpx raises gets out of here."""
        url = self.settings.api_base.rstrip("/") + path
        reason = f"it took longer than {self.settings.call_seconds:g} s"
        with trio.move_on_after(self.settings.call_seconds):
            try:
                async with self._client.stream(
                    method, url, json=body, headers=headers, follow_redirects=method == "GET"
                ) as response:
                    content = bytearray()
                    async for chunk in response.aiter_bytes():
                        content += chunk
                        if len(content) > LARGEST_ANSWER:
                            break
                    else:
                        return _Answer(response.status_code, response.headers, bytes(content))
                reason = "the answer is too large"
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = type(error).__name__
        raise Unavailable(f"GitHub cannot be reached ({reason}). Try again later.")

    def _heed(self, answer: _Answer) -> None:
        """Keep silent for as long as GitHub says."""
        headers = answer.headers
        seconds = 0.0
        if headers.get("Retry-After", "").isdigit():
            seconds = float(headers["Retry-After"])
        elif headers.get("X-RateLimit-Remaining") == "0":
            reset = headers.get("X-RateLimit-Reset", "")
            seconds = float(reset) - time.time() if reset.isdigit() else 60.0
        if seconds > 0:
            self._silent_until = trio.current_time() + min(seconds, LONGEST_PAUSE)

    def _refusal(self, answer: _Answer, path: str) -> Exception:
        parsed = answer.body
        body = parsed if isinstance(parsed, dict) else {}
        told = str(body.get("message", ""))[:300]
        errors = body.get("errors")
        if isinstance(errors, list):
            more = [
                str(one.get("message") or one) if isinstance(one, dict) else str(one)
                for one in errors
            ]
            told = " ".join([told, *more])[:600]
        status = answer.status
        left = self._silent_until - trio.current_time()
        if status in {403, 429} and left > 0:
            return _enough(left)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return Unavailable(f"GitHub answers {status}. Try again later.")
        if status == httpx.codes.UNAUTHORIZED:
            self._token = None
            return Conflict(
                "GitHub does not take the token. Set another CC_GITHUB_TOKEN, or sign in with: "
                "gh auth login"
            )
        if status == httpx.codes.FORBIDDEN:
            needed = answer.headers.get("X-Accepted-GitHub-Permissions", "")
            right = f" It needs: {needed[:200]}." if needed else ""
            return Conflict(f"The token lacks a right: {told}.{right}")
        if status == httpx.codes.NOT_FOUND:
            place = "/".join(path.split("?", maxsplit=1)[0].split("/")[2:4])
            return Conflict(
                f"GitHub has no {place}, or none that the token may see. Give the token access to "
                "that repository."
            )
        return Conflict(f"GitHub refuses it ({status}): {told}")


@contextmanager
def _understood() -> Iterator[None]:
    """Take an answer of another shape for one that did not come."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise Unavailable("GitHub's answer cannot be read. Try again later.") from error


def _enough(seconds: float) -> Unavailable:
    return Unavailable(
        f"GitHub's rate limit is used up. It takes requests again in {seconds:.0f} s.",
        retry_after=max(1.0, seconds),
    )


def _seen(pull: Mapping[str, Any]) -> Seen:
    status: Literal["open", "merged", "closed"] = "open"
    if pull.get("merged") or pull.get("merged_at"):
        status = "merged"
    elif pull.get("state") == "closed":
        status = "closed"
    return Seen(
        number=int(pull["number"]),
        url=str(pull["html_url"]),
        title=str(pull.get("title") or ""),
        head_sha=str(pull["head"]["sha"]),
        base=str(pull["base"]["ref"]),
        status=status,
        is_draft=bool(pull.get("draft")),
        merge_state=pull.get("mergeable_state"),
    )


def _issue(issue: Mapping[str, Any]) -> FoundIssue:
    return FoundIssue(
        number=int(issue["number"]),
        title=str(issue["title"])[:_TITLE],
        body=str(issue.get("body") or "")[:_BODY],
        author=str((issue.get("user") or {}).get("login")),
        labels=[str(label["name"]) for label in issue.get("labels") or ()],
        url=str(issue["html_url"]),
    )


def _check(run: Mapping[str, Any]) -> Check:
    state: Literal["pending", "passing", "failing"] = "pending"
    if run.get("status") == "completed":
        state = "passing" if run.get("conclusion") in _PASSING else "failing"
    output = run.get("output") or {}
    summary = "\n".join(str(output[key]) for key in ("title", "summary", "text") if output.get(key))
    return Check(
        name=str(run.get("name")),
        state=state,
        url=run.get("html_url"),
        summary=summary[:_SUMMARY],
        job=run.get("id") if (run.get("app") or {}).get("slug") == "github-actions" else None,
    )


def _status(status: Mapping[str, Any]) -> Check:
    states: dict[object, Literal["pending", "passing", "failing"]] = {
        "success": "passing",
        "pending": "pending",
    }
    return Check(
        name=str(status.get("context")),
        state=states.get(status.get("state"), "failing"),
        url=status.get("target_url"),
        summary=str(status.get("description") or "")[:_SUMMARY],
    )


_UNREAD: Final = Check(
    name=f"Those after the first {PAGE * PAGES}",
    state="pending",
    summary="They are not read.",
)
"""Stands for all checks that are too many to be read."""


def _review(review: Mapping[str, Any]) -> Review:
    return Review(
        id=int(review["id"]),
        is_trusted=review.get("author_association") in _TRUSTED,
        author=str((review.get("user") or {}).get("login")),
        state=str(review.get("state")).lower(),
        text=str(review.get("body") or "")[:_SUMMARY],
        url=review.get("html_url"),
    )

"""A GitHub for tests: the wire of its REST API over loopback HTTP, and ways in which it goes wrong.

It keeps pull requests, checks and reviews of repositories, answers with ETags, counts what is asked
against a rate limit (a 304 costs nothing), and signs and delivers webhooks. See
https://docs.github.com/rest and https://docs.github.com/webhooks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import httpx

TOKEN = "ghp_testTESTtestTESTtestTESTtestTEST1234"
SECRET = "a webhook's secret"


@attrs.frozen
class Fault:
    """Something that happens to a request instead of an answer.

    Attributes:
        status: is answered, with `message`; 0 drops the connection.
        is_done: the request takes effect all the same.
        content: is the answer, as it stands.
    """

    status: int
    message: str = "Something is wrong."
    headers: dict[str, str] = attrs.field(factory=dict)
    is_done: bool = False
    content: bytes | None = None


@attrs.define(eq=False)
class FakeGitHub:
    """The state of the fake, and what a test may do to it.

    Attributes:
        pulls: by project and number.
        checks: the check runs of commits.
        statuses: the same, of the older kind.
        reviews: by project and number.
        asked: the method and path of each request.
        spent: requests that counted against the limit.
        limit: how many may count.
    """

    url: str = ""
    token: str = TOKEN
    pulls: dict[tuple[str, int], dict[str, Any]] = attrs.field(factory=dict)
    checks: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)
    statuses: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)
    reviews: dict[tuple[str, int], list[dict[str, Any]]] = attrs.field(factory=dict)
    issues: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)
    logs: dict[int, str] = attrs.field(factory=dict)
    remarks: dict[tuple[str, int], list[dict[str, Any]]] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)
    faults: deque[tuple[str, Fault]] = attrs.field(factory=deque)
    spent: int = 0
    limit: int = 5000
    heads: dict[str, str] = attrs.field(factory=dict)
    changed: Condition = attrs.field(factory=Condition)

    def fail(self, pattern: str, fault: Fault) -> None:
        """Have the next request fail whose method and path begin so."""
        self.faults.append((pattern, fault))

    def check(self, sha: str, name: str, conclusion: str | None, summary: str = "") -> None:
        """Have a commit checked."""
        runs = self.checks.setdefault(sha, [])
        runs[:] = [run for run in runs if run["name"] != name]
        runs.append(
            {
                "id": len(runs) + 1,
                "name": name,
                "status": "completed" if conclusion else "in_progress",
                "conclusion": conclusion,
                "html_url": f"https://example.org/{name}",
                "output": {"title": name, "summary": summary, "text": None},
                "app": {"slug": "github-actions"},
            }
        )

    def review(
        self,
        project: str,
        number: int,
        author: str,
        state: str,
        body: str = "",
        *,
        association: str = "MEMBER",
    ) -> int:
        """Have somebody review."""
        found = self.reviews.setdefault((project, number), [])
        found.append(
            {
                "id": len(found) + 1,
                "user": {"login": author},
                "author_association": association,
                "state": state,
                "body": body,
                "html_url": f"https://example.org/{author}",
            }
        )
        return len(found)

    def issue(
        self,
        project: str,
        title: str,
        body: str = "",
        *,
        author: str = "bob",
        labels: Sequence[str] = (),
    ) -> None:
        """Have somebody open an issue."""
        found = self.issues.setdefault(project, [])
        number = len(found) + 1
        found.append(
            {
                "number": number,
                "title": title,
                "body": body,
                "state": "open",
                "user": {"login": author},
                "labels": [{"name": label} for label in labels],
                "html_url": f"https://example.org/{project}/issues/{number}",
            }
        )

    def times(self, line: str) -> int:
        """Return how often something was asked."""
        return sum(re.match(line, asked) is not None for asked in self.asked)

    def deliver(
        self,
        url: str,
        project: str,
        *,
        event: str = "check_run",
        delivery: str | None = None,
        secret: str = SECRET,
    ) -> httpx.Response:
        """Deliver an event to a webhook."""
        body = json.dumps({"action": "completed", "repository": {"full_name": project}}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return httpx.post(
            f"{url}/api/github/webhook",
            content=body,
            headers={
                "Content-Type": "application/json",
                "X-GitHub-Event": event,
                "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
                "X-Hub-Signature-256": f"sha256={signature}",
            },
            trust_env=False,
        )

    # The wire

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: Any
    ) -> tuple[int, dict[str, str], Any]:
        """Answer a request: the status, the headers and the body."""
        self.asked.append(f"{method} {target}")
        if headers.get("authorization") != f"Bearer {self.token}":
            return 401, {}, {"message": "Bad credentials"}
        if self.spent >= self.limit:
            reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 60)}
            return 403, reset, {"message": "API rate limit exceeded"}
        fault = next(
            (known for known in self.faults if f"{method} {target}".startswith(known[0])), None
        )
        if fault is not None:
            self.faults.remove(fault)
            if fault[1].is_done:
                self._route(method, target, body)
            said: Any = {"message": fault[1].message}
            if fault[1].content is not None:
                said = fault[1].content
            return fault[1].status, fault[1].headers, said
        status, content = self._route(method, target, body)
        content = _page_of(content, target)
        etag = f'"{hashlib.sha256(json.dumps(content).encode()).hexdigest()}"'
        if method == "GET" and headers.get("if-none-match") == etag:
            return 304, {"ETag": etag}, None
        self.spent += 1
        left = {"X-RateLimit-Remaining": str(self.limit - self.spent)}
        return status, {"ETag": etag, **left}, content

    def _route(self, method: str, target: str, body: Any) -> tuple[int, Any]:  # noqa: C901 - all of it
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)/(.+)", parts.path)
        answer: tuple[int, Any] = 404, {"message": "Not Found"}
        if found is None:
            return answer
        project, rest = found.groups()
        if rest.startswith("issues"):
            answer = self._route_issues(project, rest, query)
        elif rest == "pulls" and method == "POST":
            answer = self._open(project, body)
        elif rest == "pulls":
            answer = 200, [pull for pull in self._pulls_of(project) if _is_wanted(pull, query)]
        elif named := re.fullmatch(r"pulls/(\d+)(/reviews)?", rest):
            number = int(named[1])
            if (project, number) in self.pulls:
                reviews = self.reviews.get((project, number), [])
                answer = 200, reviews if named[2] else self.pulls[project, number]
        elif named := re.fullmatch(r"pulls/(\d+)/comments", rest):
            answer = 200, self.remarks.get((project, int(named[1])), [])
        elif named := re.fullmatch(r"pulls/(\d+)/merge", rest):
            answer = self._merge(self.pulls[project, int(named[1])], body)
        elif named := re.fullmatch(r"actions/jobs/(\d+)/logs", rest):
            if int(named[1]) in self.logs:
                answer = 200, self.logs[int(named[1])]
        elif named := re.fullmatch(r"commits/(\w+)/check-runs", rest):
            runs = self.checks.get(named[1], [])
            answer = 200, {"total_count": len(runs), "check_runs": runs}
        elif named := re.fullmatch(r"commits/(\w+)/status", rest):
            answer = 200, {"state": "pending", "statuses": self.statuses.get(named[1], [])}
        return answer

    def _merge(self, pull: dict[str, Any], body: Any) -> tuple[int, Any]:
        if body["sha"] != pull["head"]["sha"]:
            return 409, {"message": "Head branch was modified. Review and try the merge again."}
        if pull["mergeable_state"] != "clean":
            return 405, {"message": "Pull Request is not mergeable"}
        pull |= {"state": "closed", "merged": True}
        return 200, {"merged": True, "sha": "2" * 40}

    def _route_issues(self, project: str, rest: str, query: dict[str, str]) -> tuple[int, Any]:
        known = self.issues.get(project, [])
        if rest == "issues":
            return 200, self._issues_of(project, query)
        number = int(rest.partition("/")[2])
        return (200, known[number - 1]) if number <= len(known) else (404, {"message": "Not Found"})

    def _issues_of(self, project: str, query: dict[str, str]) -> list[dict[str, Any]]:
        label = query.get("labels")
        found = [
            issue
            for issue in reversed(self.issues.get(project, []))
            if issue["state"] == "open"
            and (label is None or label in {one["name"] for one in issue["labels"]})
        ]
        size, page = int(query["per_page"]), int(query["page"])
        return found[size * (page - 1) : size * page]

    def _pulls_of(self, project: str) -> list[dict[str, Any]]:
        return [
            pull
            for (known, _), pull in self.pulls.items()
            if known == project and pull["state"] == "open"
        ]

    def _open(self, project: str, body: Any) -> tuple[int, Any]:
        owner = project.partition("/")[0]
        for pull in self._pulls_of(project):
            if pull["head"]["ref"] == body["head"]:
                message = f"A pull request already exists for {owner}:{body['head']}."
                return 422, {"message": "Validation Failed", "errors": [{"message": message}]}
        number = len(self.pulls) + 1
        self.pulls[project, number] = {
            "number": number,
            "html_url": f"https://example.org/{project}/pull/{number}",
            "title": body["title"],
            "body": body["body"],
            "state": "open",
            "merged": False,
            "draft": body["draft"],
            "mergeable_state": "clean",
            "head": {"ref": body["head"], "sha": self.heads.get(body["head"], "0" * 40)},
            "base": {"ref": body["base"]},
        }
        return 201, self.pulls[project, number]


def _page_of(content: Any, target: str) -> Any:
    """Return the page of a list that is asked for, of 30 entries unless it says how many."""
    query = {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}
    size, page = min(100, int(query.get("per_page", 30))), int(query.get("page", 1))
    chosen = slice(size * (page - 1), size * page)
    if isinstance(content, list) and "/issues" not in target:
        return content[chosen]
    if isinstance(content, dict):
        lists = {key: content[key][chosen] for key in ("check_runs", "statuses") if key in content}
        return {**content, **lists}
    return content


def _is_wanted(pull: dict[str, Any], query: dict[str, str]) -> bool:
    head = query.get("head", "").partition(":")[2]
    return head in {"", pull["head"]["ref"]} and query.get("base") in {None, pull["base"]["ref"]}


def _encoded(body: Any) -> bytes:
    """Return what is sent: a log as text, and bytes as they are."""
    if body is None or isinstance(body, bytes):
        return body or b""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


@contextmanager
def fake_github() -> Iterator[FakeGitHub]:
    """Serve it on the loopback."""
    github = FakeGitHub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def _do(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with github.changed:
                status, fields, body = github.answer(
                    self.command, self.path, headers, json.loads(content) if content else None
                )
                github.changed.notify_all()
            if status == 0:
                self.close_connection = True
                return
            sent = _encoded(body)
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def do_PUT(self) -> None:
            self._do()

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of a client that went away."""

    with Server(("127.0.0.1", 0), Handler) as server:
        github.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield github
        finally:
            server.shutdown()
            thread.join()

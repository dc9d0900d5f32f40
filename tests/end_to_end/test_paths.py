"""No text in the place of a path does more than being refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.server import Client

TRICKS = (
    "",
    " ",
    ".",
    "../..",
    "a/../../../etc",
    "~",
    "~root/x",
    "file:///etc",
    "--upload-pack=x",
    "/etc\x00/x",
    "/etc\n/x",
    "/etc/\x1b[2J",
    "C:\\Windows",
    "\\\\server\\share",
    "/srv/" + "a" * 300,
    "/srv" + "/a" * 2500,
)
"""Relative, foreign, unprintable and endless ones, and options."""

NO_FOLDERS = ("/dev/null", "/etc/passwd", "/proc/self/fd/0")
"""Folders of a run, which are looked at when its turn comes."""

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("POST", "/api/repos", "localPath"),
    ("POST", "/api/repos/inspect", "localPath"),
    ("PATCH", "/api/repos/{id}", "localPath"),
    ("POST", "/api/repos/{id}/worktrees", "path"),
    ("GET", "/api/repos/{id}/worktrees/diff", "path"),
    ("DELETE", "/api/repos/{id}/worktrees", "path"),
    ("POST", "/api/repos/{id}/worktrees/merge", "path"),
    ("POST", "/api/tasks/{task}/policy-check", "worktreePath"),
    ("POST", "/api/tasks/{task}/run", "worktreePath"),
    ("POST", "/api/tasks/{task}/sessions", "worktreePath"),
    ("POST", "/api/automations", "payload.runInput.worktreePath"),
)
"""Each field of the API that takes a path, but the one of Codex's threads, which need Codex."""

MORE: dict[tuple[str, str], dict[str, object]] = {
    ("POST", "/api/repos/{id}/worktrees"): {"branchName": "b"},
    ("POST", "/api/automations"): {"title": "a", "scheduleExpr": "hourly"},
}
"""The other fields that a body needs."""


@pytest.mark.parametrize(("method", "route", "field"), FIELDS)
async def test_no_trick_gets_through_a_path(
    stub_client: Client, repository: Path, method: str, route: str, field: str
) -> None:
    registered = await stub_client.register(repository)
    task = await stub_client.task(registered, "Say something.")
    path = route.format(id=registered["id"], task=task["id"])

    async def answered(trick: str) -> httpx.Response:
        fields = {**MORE.get((method, route), {}), **nested(field, trick)}
        if route == "/api/automations":
            fields["repositoryId"] = registered["id"]
        return await send(stub_client.http, method, path, fields)

    for trick in TRICKS:
        answer = await answered(trick)
        assert 400 == answer.status_code, (trick, answer.text)
        assert field == answer.json()["error"]["details"][0]["path"], (trick, answer.text)
    for trick in () if field.endswith("worktreePath") else NO_FOLDERS:
        answer = await answered(trick)
        assert answer.status_code in {400, 404}, (trick, answer.text)
    tree = await stub_client.get("/api/runtime")
    assert {0} == {actor["restarts"] for actor in tree["actors"]}


def nested(field: str, value: str) -> dict[str, Any]:
    """The value under the field's name, which may lead through others."""
    outer, _, inner = field.partition(".")
    found: dict[str, Any] = {outer: nested(inner, value) if inner else value}
    if outer == "payload":
        found[outer]["prompt"] = "a"
    return found


async def send(http: httpx.AsyncClient, method: str, path: str, fields: Any) -> httpx.Response:
    """A query where there is no body."""
    if method in {"GET", "DELETE"}:
        return await http.request(method, path, params=fields)
    return await http.request(method, path, json=fields)


async def test_a_host_that_is_not_there_is_refused(stub_client: Client, repository: Path) -> None:
    folder = {"localPath": str(repository), "host": "elsewhere"}
    for route in ("/api/repos", "/api/repos/inspect"):
        answer = await stub_client.http.post(route, json=folder)
        assert 400 == answer.status_code
        error = answer.json()["error"]
        assert "Hosts of this server: local." in error["message"]
        assert ["host"] == [detail["path"] for detail in error["details"]]
    registered = await stub_client.post("/api/repos", {**folder, "host": "local"}, status=201)
    assert "local" == registered["host"]
    moved = await stub_client.http.patch(f"/api/repos/{registered['id']}", json={"host": "local"})
    assert 400 == moved.status_code

"""Files and prompts over HTTP: the shape of what is answered, and of what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.routes.test_landing import Left
from tests.http.routes.test_landing import left as left  # noqa: PLC0414 - a fixture

FILES = ("/api/sessions/1/files", "/api/repos/1/files")


async def error_of(left: Left, address: str, **query: str) -> dict[str, Any]:
    answer = await left.http.get(address, params=query)
    error: dict[str, Any] = answer.json()["error"]
    assert answer.status_code == error["statusCode"]
    return error


async def test_a_folder_comes_in_pages_and_a_file_as_text(left: Left) -> None:
    (left.folder / ".gitignore").write_text("")
    (left.folder / "sub").mkdir()
    (left.folder / "sub" / "a.txt").write_text("ä\n", encoding="utf-8")
    (left.folder / "sub" / "b.txt").symlink_to("a.txt")
    listed = (await left.http.get(FILES[0], params={"path": "sub", "limit": "1"})).json()
    cursor = listed.pop("nextCursor")
    file = {"path": "sub/a.txt", "kind": "file", "size": 3, "target": None}
    folder = {"path": "sub", "kind": "folder", "text": None, "size": None}
    assert folder | {"items": [file], "isBinary": False, "isCut": False} == listed
    query = {"path": "sub", "limit": "1", "cursor": cursor}
    rest = (await left.http.get(FILES[0], params=query)).json()
    assert None is rest["nextCursor"]
    assert [{"path": "sub/b.txt", "kind": "link", "size": None, "target": "a.txt"}] == rest["items"]
    shown = (await left.http.get(FILES[0], params={"path": "sub/a.txt"})).json()
    assert ("file", "ä\n", 3, []) == tuple(shown[key] for key in ("kind", "text", "size", "items"))
    top = (await left.http.get(FILES[1])).json()
    assert ("", "folder") == (top["path"], top["kind"])
    assert [".gitignore"] == [entry["path"] for entry in top["items"]]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"path": ".git/config"}, 400),
        ({"path": "../x"}, 400),
        ({"path": "x" * 4001}, 400),
        ({"cursor": "no cursor"}, 400),
        ({"path": "new.txt", "cursor": "no cursor"}, 400),
        ({"unknown": "1"}, 400),
        ({"path": "absent"}, 404),
        ({"path": "link"}, 409),
    ],
)
async def test_what_cannot_be_shown_is_refused(
    left: Left, query: dict[str, str], status: int
) -> None:
    (left.folder / ".gitignore").write_text("")
    (left.folder / "link").symlink_to("/etc")
    assert status == (await error_of(left, FILES[0], **query))["statusCode"]
    assert 404 == (await error_of(left, "/api/sessions/99/files", **query))["statusCode"] or (
        status == 400
    )


async def test_names_and_texts_are_found(left: Left) -> None:
    (left.folder / ".gitignore").write_text("")
    (left.folder / "found.txt").write_text("one\nNeedle\n")
    names = (await left.http.get(f"{FILES[0]}/search", params={"query": "found"})).json()
    assert {"items": [{"path": "found.txt", "line": None, "text": None}], "isCut": False} == names
    query = {"query": "needle", "searched": "text"}
    texts = (await left.http.get(f"{FILES[0]}/search", params=query)).json()
    hit = {"path": "found.txt", "line": 2, "text": "Needle"}
    assert {"items": [hit], "isCut": False} == texts
    elsewhere = (await left.http.get(f"{FILES[1]}/search", params=query)).json()
    assert {"items": [], "isCut": False} == elsewhere
    for refused in ({"searched": "text"}, {"query": "x" * 201}, {"searched": "no"}, {"limit": "0"}):
        assert 400 == (await error_of(left, f"{FILES[0]}/search", **refused))["statusCode"]
    assert 404 == (await error_of(left, "/api/repos/99/files/search"))["statusCode"]


async def test_prompts_are_saved_listed_and_deleted(left: Left) -> None:
    path = "/api/repos/1/prompts"
    body = {"text": "Fix it.", "description": "All", "requestedBy": "ada"}
    saved = await left.http.put(f"{path}/fix", json=body)
    assert (200, "fix") == (saved.status_code, saved.json()["name"])
    prompt = {"name": "fix", "description": "All", "text": "Fix it.", "source": "saved"}
    assert {"items": [prompt | {"path": None}]} == (await left.http.get(path)).json()
    assert 400 == (await left.http.put(f"{path}/two%20words", json=body)).status_code
    assert 400 == (await left.http.put(f"{path}/fix", json=body | {"text": " "})).status_code
    for status in (200, 404):
        answer = await left.http.delete(f"{path}/fix", params={"requestedBy": "ada"})
        assert status == answer.status_code
    assert 404 == (await error_of(left, "/api/repos/99/prompts"))["statusCode"]

"""The commands that ask a server: a story with one server, then what goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from command_center.http.cli.client.repositories import is_here
from tests.checkout import ROOT, run
from tests.end_to_end.server import Server
from tests.http.cli.client.fixtures import Person

SERVER_CODE = ("command_center.actors", "command_center.store", "command_center.runtime")
SLOW = ("httpx", "rich", "msgspec", "trio", "quart", "attrs", "asyncio", "sqlite3", "platformdirs")


def test_a_task_is_run_listed_searched_shown_and_followed(  # noqa: PLR0915 - one long story
    person: Person, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--repo", str(repository))
    told = person.is_told(2, "run", "Say hello.", *where)
    assert "is not registered. Run it again with --register" in told
    shown = person.sees("run", "-", "--register", *where, stdin="Say \x1b[31mhello.\nPlease.")
    assert "[stub] No Codex was asked." in shown
    assert shown.endswith("completed\n")
    number = person.sees("ls", "--quiet").split()[0]
    assert f"Session {number} in project, {repository}\n" in shown
    assert [number, "completed"] == person.sees("ls").split("\t")[:2]
    chosen = json.loads(person.sees("ls", "--json", "--fields", "id,status"))
    assert {"id": int(number), "status": "completed"} == chosen[0]
    title = json.loads(person.sees("ls", "tasks", "--json"))[0]["title"]
    assert "Say \x1b[31mhello." == title
    assert r"Say \x1b[31mhello." in person.sees("ls", "tasks", "--status", "completed")
    assert "completed" in person.sees("show", number)
    assert "project" in person.sees("ls", "repos")
    assert ["local", "", "disabled"] == person.sees("ls", "hosts").split("\t")[:3]
    assert "local\n" == person.sees("ls", "hosts", "--quiet")
    slots = json.loads(person.sees("show", "host", "local", "--json", "--fields", "slots"))
    assert {"slots": 4} == slots
    assert "Host elsewhere not found" in person.is_told(1, "show", "host", "elsewhere")
    assert [number, "prompt"] == person.sees("search", "Please").split("\t")[:2]
    assert shown.partition("\n")[2] == person.sees("tail", number, "-f")
    assert "# Say hello" in person.sees("export-session", number)
    document = tmp_path / "session.html"
    person.sees("export-session", number, str(document))
    assert document.read_text("utf-8").startswith("<!doctype html>")
    assert os.name != "posix" or 0o600 == document.stat().st_mode & 0o777
    assert "is there already" in person.is_told(2, "export-session", number, str(document))
    assert "not found" in person.is_told(1, "export-session", "99999")
    kinds = [json.loads(line)["type"] for line in person.sees("tail", "--json").splitlines()]
    assert "session.completed" in kinds
    assert 2 == len(person.sees("tail", "-n", "2").splitlines())

    # One that is forgotten goes with its history.
    aside = tmp_path / "aside"
    run("git", "init", "-q", aside)
    kept = person.sees("ls", "repos", "--quiet")
    person.sees("api", "POST", "/api/repos", "-f", f"localPath={aside}")
    assert "Run it again with --yes." in person.is_told(2, "forget", "aside")
    assert "nobody is no repository." in person.is_told(2, "forget", "nobody", "--yes")
    told = person.sees("forget", "aside", "--history", "--yes")
    assert f"aside ({aside}) is forgotten, with 0 task(s) and 0 session(s). Its events" in told
    assert kept == person.sees("ls", "repos", "--quiet")
    query = ("-f", "type=repo.deleted", "-f", "newestFirst=true")
    (forgotten,) = json.loads(person.sees("api", "GET", "/api/events", *query))["items"]
    assert forgotten["data"]["historyRemoved"] is True

    # On a host that is chosen, which tells of itself; and on none.
    placed = person.sees("run", "Go.", "--any-host", *where)
    assert "- local is the only host that can be chosen (0 of 4 slots taken" in placed
    told = person.is_told(1, "run", "Go.", "--host", "box", *where)
    assert "Repository 1 does not lie on host box, but on local." in told
    assert "No host can be chosen" in person.is_told(1, "run", "Go.", "--label", "gpu", *where)
    told = person.is_told(2, "run", "Go.", "--any-host", "--host", "local", *where)
    assert "Give one of --host, --label and --any-host." in told

    # In a worktree of it, and by its name and id, it is the same repository.
    identity = person.sees("ls", "repos", "-q").split()[0]
    beside, within = repository.parent / "beside", repository / "docs"
    within.mkdir()
    run("git", "-C", repository, "worktree", "add", "-q", beside)
    assert person.sees("ls", "--repo", "project") == person.sees("ls", "--repo", identity) != ""
    assert "nobody is no repository." in person.is_told(2, "search", "x", "--repo", "nobody")
    for named in ("project", identity, str(beside), str(within)):
        assert person.sees("run", "More.", "--detach", "--repo", named).strip().isdecimal()
    assert "[stub]" in person.sees("run", "More.", "--wait", "--repo", str(repository))
    # A name goes before a folder of that name; a worktree is believed if its repository says so.
    (within / "project").mkdir()
    monkeypatch.chdir(within)
    assert f"in project, {repository}\n" in person.sees("run", "More.", "--repo", "project")
    hostile = tmp_path / "hostile"
    (hostile / "git").mkdir(parents=True)
    (hostile / ".git").write_text("gitdir: git\n")
    (hostile / "git" / "commondir").write_text(f"{repository / '.git'}\n")
    (hostile / "git" / "gitdir").write_text(f"{hostile / '.git'}\n")
    assert f"{hostile} is not registered" in person.is_told(
        2, "run", "More.", "--repo", str(hostile)
    )
    (hostile / ".git").write_bytes(b"\xff")
    assert "cannot be read" in person.is_told(2, "run", "More.", "--repo", str(hostile))

    # Two of one name are told apart by their ids, and a run that is refused leaves no open task.
    clone = tmp_path / "clone"
    run("git", "clone", "-q", repository, clone)
    person.sees("run", "More.", "--detach", "--register", "--repo", str(clone))
    repos = json.loads(person.sees("ls", "repos", "--json"))
    (other,) = (str(repo["id"]) for repo in repos if repo["localPath"] == str(clone))
    person.sees("api", "PATCH", f"/api/repos/{other}", "-f", "name=project")
    assert f"{other}" in person.is_told(2, "run", "More.", "--repo", "project")
    person.sees("api", "PATCH", f"/api/repos/{other}", "-f", "name=-x$(touch x)")
    assert [f"plain,{other}"] == [
        line
        for line in completions(person, "command-center run --repo ", "bash")
        if line.partition(",")[2] in {other, "-x$(touch x)"}
    ]
    person.types("run", "Refused.", "--repo", other, "--sandbox", "danger-full-access")
    task = json.loads(person.sees("ls", "tasks", "--json", "-n", "1"))[0]
    assert ("Refused.", "cancelled") == (task["title"], task["status"])
    assert "is nothing to show" in person.is_told(2, "show", "thing", "1")
    made = person.sees("automate", "Look.", "--schedule", "hourly", "--repo", identity)
    third = tmp_path / "third"
    run("git", "clone", "-q", repository, third)
    never = ("automate", "Look.", "--schedule", "never", "--repo", str(third))
    assert "Run it again with --register" in person.is_told(2, *never)
    assert "somebody runs it by hand" in person.sees(*never, "--register")
    assert made.startswith("Automation ")
    assert "hourly" in person.sees("ls", "automations")


def test_any_request_is_sent_and_what_is_decided_is_decided_once(person: Person) -> None:
    made = json.loads(person.sees("api", "POST", "/api/approvals", "-f", "title=Go\u202e on?"))
    number = str(made["id"])
    assert "manual" == made["kind"]
    assert rf"Approval {number} is approved: Go\u202e on?" in person.sees("approve", number)
    assert "already" in person.is_told(1, "reject", number, "--note", "No.").lower()
    again = json.loads(person.sees("api", "get", "/api/approvals", "-f", "limit=1"))
    assert [made["id"]] == [item["id"] for item in again["items"]]
    body = json.dumps({"title": "From a file."})
    assert "From a file." in person.sees(
        "api", "POST", "/api/approvals", "--input", "-", stdin=body
    )


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["sevre"], 2, "There is no command 'sevre'. Did you mean serve?"),
        (["--server", "http://127.0.0.1:9", "ls"], 5, "No server answers at http://127.0.0.1:9"),
        (["--config", "/nope", "--server=x", "ls"], 2, "--config: there is no file /nope."),
        (["--server", "http://127.0.0.1:9"], 2, "such as `command-center ls --server URL`"),
        (["ls", "sesions"], 2, "'sesions' is not one of 'sessions'"),
        (["ls", "--fields", "nothing", "approvals"], 2, "There is no field nothing."),
        (["ls", "devices", "--status", "x"], 2, "devices are not listed by status."),
        (["show", "12x"], 2, "'12x' is no id of sessions."),
        (["show", "999999"], 1, "Session 999999 not found."),
        (["tail", "-f", "999999"], 1, "Session 999999 not found."),
        (["approve", "999999"], 1, "Approval 999999 not found."),
        (["api", "POST", "/api/tasks", "-f", "nothing"], 2, "-f takes NAME=VALUE"),
        (["api", "POST", "/api/tasks", "-f", "titel=x"], 2, "titel"),
        (["api", "GET", "api/tasks"], 2, "A path begins with a slash"),
        (["run", " "], 2, "The prompt is empty."),
        (["run", "Go.", "--repo", "/"], 2, "/ is not in a git repository."),
        (["run", "Go.", "--repo", "nobody"], 2, "neither a folder nor a repository"),
        (["answer", "1", "yes"], 2, "An answer is QUESTION=ANSWER"),
        (["login", "WRONG-CODE"], 1, "code is wrong"),
        (["logout"], 2, "Nobody has signed in there."),
        (["ls", "--server", "localhost:8787"], 2, "is no address. Write it as http://host:port."),
        (["ls", "--server", "http://127.0.0.1:9"], 5, "No server answers at http://127.0.0.1:9"),
    ],
)
def test_what_is_wrong_is_one_line(person: Person, words: list[str], code: int, line: str) -> None:
    assert line in person.is_told(code, *words)


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("http://127.0.0.1:8787", True),
        ("http://[::1]:8787", True),
        ("http://localhost:1", True),
        ("http://192.0.2.7:8787", False),
        ("https://a..b", False),
    ],
)
def test_a_server_is_here_if_its_address_is_this_machines(url: str, *, is_one: bool) -> None:
    assert is_one == is_here(url)


def test_a_prompt_of_two_megabytes_is_refused_before_it_is_sent(person: Person) -> None:
    told = person.is_told(2, "run", "-", stdin="x" * 2_000_000)
    assert "The prompt is longer than 200,000 characters." in told


def test_a_code_signs_this_machine_in_and_its_scopes_are_told(
    person: Person, stub_server: Server
) -> None:
    offer = {"scopes": ["read"], "name": "Laptop"}
    code = httpx.post(f"{stub_server.url}/api/devices/pairings", json=offer).json()["code"]
    told = person.sees("login", code, "--server", stub_server.url)
    assert f"Signed in to {stub_server.url} as Laptop" in told
    kept = person.home / "command-center" / "logins"
    if os.name == "posix":
        assert {0o600} == {file.stat().st_mode & 0o777 for file in kept.iterdir()}
    # The server is known from now on, and lets this machine do what the device may.
    alone = Person(None, person.home)
    assert "Laptop" in alone.sees("api", "GET", "/api/devices/current")
    assert 'the scope "approve"' in alone.is_told(1, "approve", "1")
    assert f"Signed out of {stub_server.url}." in alone.sees("logout")
    token = httpx.post(
        f"{stub_server.url}/api/devices", json={"name": "Script", "scopes": ["read"]}
    ).json()["token"]
    given = ("login", "--with-token", "--server", stub_server.url)
    assert "as Script" in person.sees(*given, stdin=f"{token}\n")
    assert "" == alone.sees("ls", "approvals", "--status", "rejected")


def answering(body: str, version: str) -> type[BaseHTTPRequestHandler]:
    """Another server than ours, or ours in another version."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = json.dumps({"version": version, "logId": "x"}) if version else body
            is_health = self.path == "/health"
            self.send_response(200 if is_health else 404)
            self.end_headers()
            self.wfile.write((told if is_health else body).encode())

        def log_message(self, *_: Any) -> None: ...

    return Other


@pytest.mark.parametrize(
    ("version", "code", "line"),
    [
        ("99.0.0", 1, "The server is version 99.0.0, and this command 0.1.0. Update this command."),
        ("0.0.9", 1, "The server is version 0.0.9, and this command 0.1.0. Update the server."),
        ("", 5, "is not a Command Center"),
    ],
)
def test_a_server_of_another_version_says_which_side_to_update(
    person: Person, version: str, code: int, line: str
) -> None:
    refusal = {"error": {"statusCode": 404, "message": "No route GET /api/sessions."}}
    body = json.dumps(refusal) if version else "<html>Hello</html>"
    with ThreadingHTTPServer(("127.0.0.1", 0), answering(body, version)) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.01,))
        thread.start()
        try:
            url = f"http://127.0.0.1:{other.server_address[1]}"
            assert line in person.is_told(code, "ls", "--server", url)
        finally:
            other.shutdown()
            thread.join()


def test_what_speaks_no_http_is_no_command_center(person: Person) -> None:
    def answer(listener: socket.socket) -> None:
        accepted, _ = listener.accept()
        with accepted:
            accepted.recv(1000)
            accepted.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert "is not a Command Center" in person.is_told(5, "ls", "--server", url)
        thread.join()


def test_a_command_loads_nothing_of_the_server_and_ends_with_a_broken_pipe_quietly(
    stub_server: Server, tmp_path: Path
) -> None:
    code = (
        "import sys, atexit; from command_center.http.cli.main import main\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    reader, writer = os.pipe()
    os.close(reader)
    variables = {"CC_SERVER": stub_server.url, "HOME": str(tmp_path), "XDG_CONFIG_HOME": ""}
    done = subprocess.run(
        [sys.executable, "-c", code, "api", "GET", "/health"],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert 141 == done.returncode, done.stderr
    (loaded,) = done.stderr.splitlines()
    assert [] == [m for m in loaded.split() if m.startswith(SERVER_CODE) or m in SLOW]
    assert "command_center_client.connection" in loaded.split()


def test_a_host_is_drained_resumed_and_changed(person: Person, repository: Path) -> None:
    assert person.sees("hosts") == person.sees("hosts", "list") == person.sees("ls", "hosts")
    first = person.sees("run", "First.", "--detach", "--register", "--repo", str(repository))
    assert "local begins no more runs: " in person.sees("hosts", "drain", "local")
    try:
        second = person.sees("run", "Second.", "--detach", "--repo", str(repository)).strip()
        shown = json.loads(person.sees("show", second, "--json"))
        why = (
            "Number 1 in the queue: host local is draining. Runs begin there again after "
            "`command-center hosts resume local`."
        )
        assert ("queued", why) == (shown["status"], shown["waitReason"])
        assert [True] == [
            one["draining"] for one in json.loads(person.sees("hosts", "list", "--json"))
        ]
        assert "completed" in person.sees("tail", first.strip(), "-f"), "what began has to end"
    finally:
        assert "local begins runs again.\n" == person.sees("hosts", "resume", "local")
    assert "completed" in person.sees("tail", second, "-f")

    told = person.sees("hosts", "set", "local", "--label", "gpu", "--max-sessions", "1")
    assert "local: labels gpu; sessions at once 1.\n" == told
    changed = ("hosts", "set", "local", "--no-labels", "--max-sessions", "none", "--json")
    shown = json.loads(person.sees(*changed))
    assert ([], None) == (shown["labels"], shown["maxSessions"])
    assert shown["load"]["processors"]
    assert shown["load"]["diskFree"] < shown["load"]["diskSize"]
    kinds = [json.loads(line)["type"] for line in person.sees("tail", "--json").splitlines()]
    assert ["host.draining", "host.resumed", "host.changed", "host.changed"] == [
        kind for kind in kinds if kind.startswith("host.")
    ]
    assert "stays" in person.is_told(1, "hosts", "remove", "local")
    assert "no link" in person.is_told(1, "hosts", "retry", "local")
    assert "not found" in person.is_told(1, "hosts", "drain", "elsewhere")
    told = person.is_told(2, "hosts", "add", "box", "a b")
    assert "expected a name of your ssh configuration, user@host, or user@host:port." in told
    assert "expected a name of small letters" in person.is_told(2, "hosts", "add", "A box", "box")
    assert "label of small letters" in person.is_told(2, "hosts", "set", "local", "--label", "A b")


def completions(person: Person, line: str, shell: str) -> list[str]:
    """The lines that a shell is answered at a Tab, after this line."""
    words = line.split(" ")
    asking = {
        "_COMMAND_CENTER_COMPLETE": f"{shell}_complete",
        "COMP_LINE": line,
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1) if shell != "fish" else words[-1],
    }
    return person.types(**asking).stdout.splitlines()


def test_shells_complete_commands_nouns_ids_and_names(person: Person, repository: Path) -> None:
    person.sees("run", "Complete me.", "--register", "--repo", str(repository))
    number = person.sees("ls", "--quiet").split()[0]
    begun = completions(person, "command-center s", "bash")
    named = ("serve", "service", "show", "search", "steer", "stop")
    assert {f"plain,{name}" for name in named} == {*begun}
    about = f"{number}\tcompleted Complete me."
    assert about in completions(person, "command-center diff ", "powershell")
    assert about in completions(person, f"command-center show session {number}", "powershell")
    assert ["plain", number, "completed Complete me."] == (
        completions(person, f"command-center stop {number}", "zsh")[:3]
    )
    for begun_line in ("command-center ls a", "command-center --server x ls a"):
        assert ["plain,approvals"] == completions(person, begun_line, "bash")[:1]
    assert "plain,project" in completions(person, "command-center run --repo p", "bash")
    nobody = Person("http://127.0.0.1:9", person.home)
    assert [""] == completions(nobody, "command-center diff ", "bash")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_loads_a_script_of_its_own(person: Person, shell: str) -> None:
    told = person.sees("completion", shell)
    assert f"{shell}_complete" in told
    assert "command-center" in told


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_bash_completes_in_earnest(person: Person, tmp_path: Path) -> None:
    """Bash loads the script, and asks the command as it does at a Tab."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "command-center"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m command_center.http "$@"\n')
    command.chmod(0o755)
    asks = (
        "source <(command-center completion bash); COMP_WORDS=(command-center ans); COMP_CWORD=1; "
        "$(complete -p command-center | grep -o -- '-F [^ ]*' | cut -d' ' -f2) command-center; "
        'echo "${COMPREPLY[@]}"'
    )
    done = run("bash", "-c", asks, variables={"PATH": f"{folder}:{os.environ['PATH']}"})
    assert "answer" == done.stdout.strip()

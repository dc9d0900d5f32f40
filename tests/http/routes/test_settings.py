"""The settings, as administrators of the server see them: told at its start, secrets hidden."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from command_center.http.app import create_app
from command_center.http.config.settings import DECLARATIONS, resolve_settings
from command_center.http.middleware.gate import Policy
from tests.actors.automations.rig import opened
from tests.http.live import client_of

TOKEN = "0123456789abcdef0123456789abcdef"


async def test_each_setting_is_told_with_its_source_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('max_sessions = 7\nlog_level = "debug"\n')
    told = resolve_settings(
        {"CC_GITHUB_TOKEN": TOKEN, "CC_LOG_LEVEL": "error"}, {"port": "0"}, config_file=file
    )
    async with (
        opened(tmp_path / "data") as rig,
        client_of(create_app(rig.center, Policy(), resolved=told)) as http,
    ):
        answer = await http.get("/api/settings")
        assert TOKEN not in answer.text
        shown = answer.json()
        assert (str(file), True) == (shown["configFile"], shown["hasConfigFile"])
        found = {one["name"]: (one["value"], one["source"]) for one in shown["items"]}
        assert (7, "file") == found["max_sessions"]
        assert ("error", "environment") == found["log_level"]
        assert (0, "flag") == found["port"]
        assert ("[hidden]", "environment") == found["github_token"]
        assert ("10GB", "default") == found["alarm_size"]

        async def line(name: str, value: str = "") -> tuple[int, str, str | None]:
            asked = await http.get("/api/settings/line", params={"name": name, "value": value})
            body = asked.json()
            return asked.status_code, body.get("line", ""), body.get("overriddenBy")

        assert (200, "max_sessions = 8", None) == await line("max_sessions", " 8 ")
        assert (200, 'log_level = "info"', "environment") == await line("log_level", "info")
        assert (200, 'repo_roots = "/srv/\\"a\\""', None) == await line("repo_roots", '/srv/"a"')
        assert (200, 'github_token = "…"', "environment") == await line("github_token", TOKEN)
        assert (200, r'notify_urls = "…"', None) == await line("notify_urls", TOKEN)
        assert 400 == (await line("max_sessions", "many"))[0]
        # whatever stands in a value, it is one line of TOML, of one setting
        path = '/srv/a"\nport = 1\n# \\ = \x7f'
        written = (await line("data_dir", path))[1]
        assert {"data_dir": path} == tomllib.loads(written)
        assert 1 == len(written.splitlines())
        assert 404 == (await line("max_sesions", "1"))[0]
        assert file.read_text().startswith("max_sessions = 7")


async def test_the_text_of_a_list_gives_the_same_list_again(tmp_path: Path) -> None:
    """The page begins with it, so that one who adds to a list does not break what is there."""
    given = {
        "CC_REPO_ROOTS": os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b, c")]),
        "CC_CODEX_COMMAND": "codex -c 'a b'",
        "CC_ALLOWED_HOSTS": "one.example,two.example:8443",
        "CC_TELEGRAM_ALLOWED_IDS": "1,-2",
        "CC_BACKUP_PASSPHRASE": TOKEN,
    }
    told = resolve_settings(given, config_file=configuration(tmp_path))
    assert "" == told.written("backup_passphrase")
    for name, declared in DECLARATIONS.items():
        if not declared.is_secret:
            value = getattr(told.settings, name)
            assert value == declared.parser(told.written(name)), name


async def test_a_line_that_no_server_starts_with_says_what_it_needs(tmp_path: Path) -> None:
    told = resolve_settings({}, config_file=configuration(tmp_path))
    async with (
        opened(tmp_path / "data") as rig,
        client_of(create_app(rig.center, Policy(), resolved=told)) as http,
    ):
        for value, many in (("polling", 1), ("webhook", 2), ("off", 0)):
            params = {"name": "telegram_mode", "value": value}
            needs = (await http.get("/api/settings/line", params=params)).json()["needs"]
            assert many == len(needs)
            assert all("CC_TELEGRAM_" in one for one in needs)


def configuration(folder: Path) -> Path:
    """A file of no settings, so that none of this machine is read."""
    file = folder / "config.toml"
    file.touch()
    return file

"""The settings, as administrators of the server see them: told at its start, secrets hidden."""

from __future__ import annotations

from pathlib import Path

from command_center.http.app import create_app
from command_center.http.config.settings import resolve_settings
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
        assert 404 == (await line("max_sesions", "1"))[0]
        assert file.read_text().startswith("max_sessions = 7")

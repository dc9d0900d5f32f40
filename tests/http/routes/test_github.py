"""GitHub's webhook: signed, kept before it is answered, and each delivery once."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from command_center.actors.forges.settings import GitHubSettings
from command_center.http.app import create_app
from command_center.http.config.settings import load_settings
from command_center.http.middleware.gate import Policy
from command_center.http.routes.github import github_settings, is_signed
from command_center.store import Transaction
from tests.actors.automations.rig import opened
from tests.fake_github import SECRET, FakeGitHub
from tests.http.live import served

BODY = b'{"action": "completed"}'


async def test_a_delivery_is_on_the_disk_before_it_is_answered_and_counts_once(
    tmp_path: Path,
) -> None:
    github = FakeGitHub()
    settings = GitHubSettings(webhook_secret=SECRET)
    async with opened(tmp_path, github=settings) as rig:
        app = create_app(rig.center, Policy(token="the-api-token-that-is-long"))

        async def kept() -> list[tuple[object, ...]]:
            def read(tx: Transaction) -> list[tuple[object, ...]]:
                return list(tx.db.execute("SELECT delivery, event FROM forge_deliveries"))

            return await rig.center.storage.write(read)

        async with served(app) as address:
            for _ in range(2):
                answer = await trio.to_thread.run_sync(
                    lambda: github.deliver(address.url, "ada/work", delivery="d-1")
                )
                assert (200, b"") == (answer.status_code, answer.content)
            assert [("d-1", "check_run")] == await kept()
            answer = await trio.to_thread.run_sync(
                lambda: github.deliver(address.url, "ada/work", secret="another secret of 16")
            )
            assert 401 == answer.status_code
            answer = await trio.to_thread.run_sync(
                lambda: github.deliver(address.url, "ada/work", delivery="no name")
            )
            assert 400 == answer.status_code
            assert 1 == len(await kept())


async def test_without_a_secret_there_is_no_webhook(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, served(create_app(rig.center, Policy())) as address:
        answer = await trio.to_thread.run_sync(
            lambda: FakeGitHub().deliver(address.url, "ada/work")
        )
        assert (404, True) == (answer.status_code, "CC_GITHUB_WEBHOOK_SECRET" in answer.text)


@pytest.mark.parametrize(
    "given", [None, "", "sha256=", "sha1=abc", "sha256=é", "sha256=" + "0" * 64]
)
def test_no_other_signature_is_one(given: str | None) -> None:
    assert not is_signed(BODY, given, SECRET)


def test_the_settings_are_those_of_the_environment() -> None:
    told = load_settings(
        {
            "CC_GITHUB_TOKEN": "ghp_0123456789",
            "CC_GITHUB_API_BASE": "https://git.example.org/api/v3",
            "CC_GITHUB_WEBHOOK_SECRET": "0123456789abcdef",
        }
    )
    made = github_settings(told)
    assert ("ghp_0123456789", "git.example.org", "0123456789abcdef") == (
        made.token,
        made.host,
        made.webhook_secret,
    )
    assert "ghp_" not in repr(made)
    assert "github.com" == GitHubSettings().host

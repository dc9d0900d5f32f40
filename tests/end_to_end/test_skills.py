"""Skills that the real Codex has in a repository."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.server import Client

SKILL = "---\nname: greet\ndescription: Greets whoever asks.\n---\n\nSay hello.\n"


async def test_the_skills_of_a_repository_are_listed(
    codex_client: Client, repository: Path
) -> None:
    folder = repository / ".agents" / "skills" / "greet"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(SKILL)
    place = await codex_client.register(repository)
    listed = (await codex_client.get("/api/codex/skills", repositoryId=place["id"]))["items"]
    (skill,) = [one for one in listed if one["name"] == "greet"]
    assert {"name": "greet", "description": "Greets whoever asks.", "scope": "repo"} == skill

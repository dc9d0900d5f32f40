"""The protocol as the Codex under test describes it itself, to validate our messages against."""

import functools
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.validators import validator_for

from tests.codex.binary import find_codex


@functools.cache
def schema_of(name: str) -> dict[str, Any]:
    """One file of `codex app-server generate-json-schema --experimental`, such as `ClientRequest`.

    The experimental members are included because the bridge asks for them at the handshake.
    """
    schema: dict[str, Any] = json.loads(_printed()[f"{name}.json"])
    return schema


def check(name: str, instance: Any) -> None:
    """Fail, naming the field, if the instance is not of that schema or has a member beside it."""
    strict = _strict(schema_of(name))
    validator = validator_for(strict)(strict)
    error = jsonschema.exceptions.best_match(validator.iter_errors(instance))
    if error is not None:
        raise AssertionError(f"{name}: {error.json_path}: {error.message}")


def check_request(method: str, params: Any) -> None:
    """Check one of our requests, against the parameters of its method.

    Ours always have parameters, on which Codex insists; for none it takes empty ones.
    """
    _check_variant("ClientRequest", method, params, none={})


def check_server_request(method: str, params: Any) -> None:
    """Check a request of Codex that a test has made up."""
    _check_variant("ServerRequest", method, params)


def _check_variant(name: str, method: str, params: Any, *, none: Any = None) -> None:
    whole = schema_of(name)
    for variant in whole["oneOf"]:
        if method in variant["properties"]["method"]["enum"]:
            break
    else:
        raise AssertionError(f"{name}: this Codex has no {method}.")
    schema = {**variant["properties"]["params"], "definitions": whole["definitions"]}
    strict = _strict(schema)
    validator = validator_for(strict)(strict)
    found = None if schema.get("type") == "null" and params == none else params
    error = jsonschema.exceptions.best_match(validator.iter_errors(found))
    if error is not None:
        raise AssertionError(f"{method}: {error.json_path}: {error.message}")


def _strict(schema: Any) -> Any:
    """The schema with no members allowed that it doesn't name: Codex ignores a misspelt one."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "properties" in schema and {"oneOf", "anyOf", "allOf"} & schema.keys():
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        strict.setdefault("additionalProperties", False)
    return strict


@functools.cache
def _printed() -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                find_codex(),
                "app-server",
                "generate-json-schema",
                "--experimental",
                "--out",
                folder,
            ],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        return {path.name: path.read_text(encoding="utf-8") for path in Path(folder).glob("*.json")}

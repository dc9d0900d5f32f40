"""What every test may use."""

pytest_plugins = ["tests.codex.fixtures", "tests.end_to_end.fixtures", "tests.missing_parts"]

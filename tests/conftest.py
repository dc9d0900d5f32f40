"""What every test may use."""

pytest_plugins = ["tests.codex.fixtures", "tests.missing_parts"]

"""Fixtures that every test may use."""

import structlog
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.codex.fixtures", "tests.end_to_end.fixtures", "tests.missing_parts"]

# How long an example takes is the machine's affair; pytest's own timeout ends what hangs.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

# Plain lines, as the server writes them where no one looks; a traceback in colours takes seconds.
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ]
)

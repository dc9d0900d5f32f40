"""The benchmarks themselves still run; their figures are not judged here."""

from __future__ import annotations

from tests.benchmarks import actors, scale


def test_every_benchmark_of_messages_does_its_work() -> None:
    assert actors.rates(500).row_count == 12


def test_every_benchmark_of_scale_does_its_work() -> None:
    assert actors.footprints(50).row_count == 4
    assert "dynamic children" in actors.coming_and_going(50)
    assert scale.snapshot_seconds(10) > 0


def test_the_runtime_is_imported_where_the_time_of_that_is_measured() -> None:
    assert "import: " in actors.importing(1)

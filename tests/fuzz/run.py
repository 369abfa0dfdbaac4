"""Running many programs."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, seed, settings

from .check import check, count
from .programs import Program, programs


def run(number: int, start: int, **options: object) -> str:
    """Check ``number`` programs, and say how many of them could be compared."""

    @seed(start)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs(**options))
    def checked(program: Program) -> None:
        check(program)

    count.clear()
    checked()
    return ", ".join(f"{count[what]} {what}" for what in count)

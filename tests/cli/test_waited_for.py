"""Who was waited for how long is told in working days of whoever it was, as the policy counts what is owed."""

from __future__ import annotations

from typing import Any

import pytest

from cli.render.move import waited_for

HOUR, DAY = 3_600, 86_400


@pytest.mark.parametrize(
    ("worked", "day", "told"),
    [
        (15 * 8 * HOUR, 8 * HOUR, "15 working days"),
        (15 * 8 * HOUR + 5 * HOUR, 8 * HOUR, "16 working days"),
        (8 * HOUR, 8 * HOUR, "1 working day"),
        (12 * HOUR, 8 * HOUR, "1.5 working days"),
        (9 * 4 * HOUR, 4 * HOUR, "9 working days"),
        (5 * HOUR, 8 * HOUR, "5 working hours"),
        (HOUR, 8 * HOUR, "60 working minutes"),
        (20, 8 * HOUR, "20 working seconds"),
        (118 * HOUR, None, "118 working hours"),
        (0, 8 * HOUR, "none of it in opening hours"),
    ],
)
def test_time_is_told_in_working_days(worked: int, day: int | None, told: str) -> None:
    row: dict[str, Any] = {"party": "importer:noord", "seconds": 22 * DAY, "working_seconds": worked}
    assert waited_for([row | {"working_day_seconds": day}]).plain == f"importer:noord 22 days ({told})"


def test_what_never_closes_or_is_no_partner_has_no_working_days() -> None:
    always = {"party": "repairer:tick", "seconds": 3 * DAY, "working_seconds": 3 * DAY, "working_day_seconds": DAY}
    hers = {"party": "customer", "seconds": 4 * DAY, "working_seconds": None, "working_day_seconds": None}
    assert waited_for([always, hers]).plain == "repairer:tick 3 days · the customer 4 days"


def test_a_few_minutes_are_no_waiting() -> None:
    asked = {"party": "customer", "seconds": 300, "working_seconds": None, "working_day_seconds": None}
    waited = {"party": "repairer:tick", "seconds": HOUR, "working_seconds": None, "working_day_seconds": None}
    assert waited_for([asked, waited]).plain == "repairer:tick 60 min"
    assert not waited_for([asked])

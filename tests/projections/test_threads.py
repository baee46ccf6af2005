"""A large batch is worked on by one thread, and large questions by all of them again afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections import database as databases
from projections.database import open_database
from projections.live import Making
from projections.queries import run
from projections.threads import threads_of
from tests.projections.story import messages_of, opened
from tests.ready import put_empty_database

ORDERS = [opened(order=f"W-{number}") for number in range(1, 56)]


def test_a_large_batch_is_worked_on_alone_whether_it_succeeds_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "models.duckdb"
    put_empty_database(file)
    seen: list[int] = []

    with open_database(file, threads=2) as database:

        def fail(_: Making) -> None:
            seen.append(threads_of(database._root))
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr(databases, "apply_models", fail)
            with pytest.raises(ZeroDivisionError):
                database.apply(messages_of(ORDERS[:1]))
            assert seen == [2]  # few facts have nothing to share anyway
            with pytest.raises(ZeroDivisionError):
                database.apply(messages_of(ORDERS))
            assert seen == [2, 1]
        assert run(database, "stats")["orders"] == 0
        assert threads_of(database._root) == 2
        database.apply(messages_of(ORDERS))
        assert run(database, "status", {"order": "W-55"})["status"] == "taken_in"
        assert threads_of(database._root) == 1  # of one order there is nothing to share either
        assert run(database, "stats")["orders"] == 55
        assert threads_of(database._root) == 2
        database.apply(messages_of(ORDERS, first=56))
        database.rebuild()
        assert run(database, "stats")["orders"] == 55
        assert threads_of(database._root) == 2

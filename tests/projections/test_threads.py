"""A large batch is worked on by one thread, and questions by all of them again afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections import database as databases
from projections.database import open_database
from projections.live import Making
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
                database.apply(messages_of(ORDERS))
            assert seen == [1]
            assert threads_of(database._root) == 2
            with pytest.raises(ZeroDivisionError):
                database.apply(messages_of(ORDERS[:1]))
        assert seen == [1, 2]  # few facts have nothing to share anyway
        database.apply(messages_of(ORDERS))
        assert threads_of(database._root) == 2
        cursor = database.cursor()
        assert cursor.execute("SELECT count(*) FROM orders").fetchall() == [(55,)]
        cursor.close()

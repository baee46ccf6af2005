"""The file: made, kept, set aside, copied, and never without rows while it is rebuilt."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import duckdb
import pytest

from projections import models
from projections.compare import compare
from projections.database import Database, open_database
from projections.queries import answer, run
from projections.schema import DatabaseError
from tests.projections.story import (
    BENCH,
    IMPORTER,
    SHOP,
    handed,
    messages_of,
    model_rows,
    new_database,
    opened,
    received,
)
from tests.ready import open_empty_database, put_empty_database

FACTS = [opened(), handed(SHOP, BENCH, "2026-03-02 10:00"), received(BENCH, "2026-03-03 10:00"), opened(order="W-2")]
LATER = [handed(BENCH, SHOP, "2026-03-04 10:00"), handed(SHOP, IMPORTER, "2026-03-05 10:00", order="W-2")]


def test_rows_and_position_survive_closing(tmp_path: Path) -> None:
    with new_database(tmp_path) as database:
        database.apply(messages_of(FACTS))
        rows = model_rows(database)
    with open_database(database.path) as again:
        assert (again.position, again.mirrored) == (4, 4)
        assert model_rows(again) == rows
        assert answer(again, "stats")["position"] == 4


def test_catching_up_mirrors_first_and_builds_the_models_once(database: Database) -> None:
    database.mirror_only(messages_of(FACTS[:2]))
    database.mirror_only(messages_of(FACTS))
    assert (database.position, database.mirrored) == (0, 4)
    assert run(database, "orders")["total"] == 0
    assert database.rebuild() == 4
    assert run(database, "orders")["total"] == 2


def test_a_live_batch_after_an_interrupted_catch_up_makes_the_models_whole(tmp_path: Path) -> None:
    with new_database(tmp_path) as database:
        database.mirror_only(messages_of(FACTS))
    with open_database(database.path) as again:
        assert (again.position, again.mirrored) == (0, 4)
        assert again.apply(messages_of(LATER, first=5)) == 6
        live = model_rows(again)
        again.rebuild()
        assert model_rows(again) == live


def test_a_batch_that_fails_leaves_nothing_behind(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.apply(messages_of(FACTS))
    rows = model_rows(database)

    def fail(making: object) -> None:
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as broken:
        broken.setattr("projections.database.apply_models", fail)
        with pytest.raises(RuntimeError, match="pulled the plug"):
            database.apply(messages_of(LATER, first=5))
    assert (database.position, model_rows(database)) == (4, rows)
    assert database.apply(messages_of(LATER, first=5)) == 6


def test_nothing_of_one_database_shows_in_the_next(tmp_path: Path) -> None:
    with new_database(tmp_path) as database:
        database.apply(messages_of(FACTS))
    # The plans are used again, and what was put there for them is gone.
    for _ in range(2):
        with new_database(tmp_path) as again:
            again.apply(messages_of(LATER))
            live = model_rows(again)
            again.rebuild()
            assert model_rows(again) == live
            assert run(again, "stats")["facts"] == len(LATER)


def test_a_file_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "chain.duckdb"
    file.write_bytes(b"this was a database once " * 1_000)
    with open_database(file) as database:
        assert database.position == 0
    assert (tmp_path / "chain.duckdb.unreadable").read_bytes().startswith(b"this was")


def test_a_mirror_of_another_version_is_read_from_the_log_again(tmp_path: Path) -> None:
    with new_database(tmp_path) as database:
        database.apply(messages_of(FACTS))
        database.cursor().execute("UPDATE meta SET mirror_version = 'older'")
    with open_database(database.path) as again:
        assert (again.position, run(again, "stats")["facts"]) == (0, 0)


def test_models_of_another_version_are_made_anew_from_the_mirror(tmp_path: Path) -> None:
    with new_database(tmp_path) as database:
        database.apply(messages_of(FACTS))
        rows = model_rows(database)
        cursor = database.cursor()
        cursor.execute("UPDATE meta SET models_version = 'older'")
        cursor.execute("DELETE FROM orders")
        # Such a version had a table of what is a view now, and other columns in another.
        cursor.execute("DROP VIEW handoffs")
        cursor.execute("CREATE TABLE handoffs AS SELECT position FROM commitments")
        cursor.execute("ALTER TABLE commitments DROP handover")
    with open_database(database.path) as again:
        assert (again.position, model_rows(again)) == (4, rows)
        assert len(run(again, "handoffs")["lanes"]) == 1


def test_a_file_in_use_by_another_process_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "chain.duckdb"
    put_empty_database(file)
    holder = (
        "import sys; from projections.database import open_database; database = open_database(sys.argv[1]); "
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(DatabaseError, match="is open in another process"):
            open_database(file)
        other.communicate("")
    open_database(file).close()


def test_readers_never_find_it_without_rows_during_a_rebuild(database: Database) -> None:
    database.apply(messages_of(FACTS))
    done = threading.Event()

    def rebuild() -> None:
        for _ in range(2):
            database.rebuild()
        done.set()

    rebuilding = threading.Thread(target=rebuild)
    rebuilding.start()
    seen = {run(database, "orders")["total"]}
    while not done.is_set():
        seen.add(run(database, "orders")["total"])
        seen.add(run(database, "stats")["orders"])
    rebuilding.join()
    assert seen == {2}


def test_an_answer_and_its_position_belong_together(database: Database) -> None:
    orders = [opened(order=f"W-{number}") for number in range(1, 9)]
    messages = messages_of(orders)

    def write() -> None:
        for message in messages:
            database.apply([message])

    writing = threading.Thread(target=write)
    writing.start()
    while writing.is_alive():
        found = answer(database, "orders")
        assert found["result"]["total"] == found["position"]
    writing.join()


def test_a_snapshot_is_a_database_of_its_own_for_analysts(database: Database, tmp_path: Path) -> None:
    database.apply(messages_of(FACTS))
    copy = tmp_path / "copy of it's.duckdb"
    database.snapshot(copy)
    database.snapshot(copy)
    with duckdb.connect(str(copy), read_only=True) as analyst:
        assert analyst.execute("SELECT position FROM meta").fetchall() == [(4,)]
        assert analyst.execute("SELECT order_id, status FROM orders ORDER BY ALL").fetchall() == [
            ("W-1", "received"),
            ("W-2", "taken_in"),
        ]
        assert analyst.execute("SELECT count(*) FROM facts").fetchall() == [(4,)]
        assert analyst.execute("SELECT party FROM parties ORDER BY ALL").fetchall() == [(BENCH,), (SHOP,)]
        assert analyst.execute("SELECT count(*) FROM contacts").fetchall() == [(0,)]
    with open_database(copy) as again:
        assert again.position == 4
    with pytest.raises(DatabaseError, match="could not be written"):
        database.snapshot(tmp_path / "nowhere" / "copy.duckdb")


def test_a_snapshot_for_which_the_disk_has_no_room_leaves_nothing_and_hinders_no_other(
    database: Database, tmp_path: Path
) -> None:
    database.apply(messages_of(FACTS))
    copy = tmp_path / "copy.duckdb"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(DatabaseError, match="too large"):
            database.snapshot(copy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.glob("*copy.duckdb*")) == []
    database.snapshot(copy)
    with duckdb.connect(str(copy), read_only=True) as analyst:
        assert analyst.execute("SELECT position FROM meta").fetchall() == [(4,)]


def test_a_snapshot_that_was_cut_off_leaves_no_half_of_it_and_the_next_tidies_up(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.apply(messages_of(FACTS))
    copy = tmp_path / "copy.duckdb"
    with monkeypatch.context() as killed:
        killed.setattr(Path, "replace", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            database.snapshot(copy)
    assert not copy.exists()
    database.snapshot(copy)
    assert list(tmp_path.glob("*copy.duckdb*")) == [copy]


def test_two_snapshots_are_compared_row_for_row(database: Database, tmp_path: Path) -> None:
    database.apply(messages_of(FACTS))
    database.apply(messages_of(LATER, first=5))
    database.snapshot(tmp_path / "live")
    with new_database(tmp_path) as fresh:
        fresh.mirror_only(messages_of([*FACTS, *LATER]))
        fresh.rebuild()
        fresh.snapshot(tmp_path / "fresh")
        assert compare(tmp_path / "live", tmp_path / "fresh") == []
        fresh.cursor().execute("UPDATE orders SET holder = 'repairer:nobody' WHERE order_id = 'W-2'")
        fresh.snapshot(tmp_path / "fresh")
    found = compare(tmp_path / "live", tmp_path / "fresh")
    assert [(each.table, each.side) for each in found] == [("orders", "first"), ("orders", "second")]
    assert "repairer:nobody" in str(found[1])


def test_every_model_names_the_order_that_a_row_belongs_to(database: Database) -> None:
    cursor = database.cursor()
    for model in models.STORED_MODELS:
        columns = {name for name, *_ in cursor.execute(f"DESCRIBE {model.stored}").fetchall()}
        assert "first_position" in columns, f"{model.name} cannot be replaced order by order"
    cursor.close()


def test_whoever_reads_does_not_keep_the_file_from_being_closed(tmp_path: Path) -> None:
    """DuckDB refuses two calls at a time on one connection."""
    refused: list[duckdb.Error] = []

    def read(database: Database, reading: threading.Event) -> None:
        while True:
            try:
                database.cursor().close()
            except duckdb.ConnectionException:  # it is closed
                return
            except duckdb.Error as error:
                refused.append(error)
                return
            reading.set()

    for number in range(5):
        database = open_empty_database(tmp_path / f"{number}.duckdb")
        reading = threading.Event()
        readers = [threading.Thread(target=read, args=(database, reading)) for _ in range(4)]
        for reader in readers:
            reader.start()
        assert reading.wait(10)
        database.close()
        for reader in readers:
            reader.join(10)
            assert not reader.is_alive()
    assert refused == []


def test_more_than_one_thread_works_once_there_is_enough_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def threads(database: Database) -> int:
        cursor = database.cursor()
        with closing(cursor):
            return int(cursor.execute("SELECT current_setting('threads')").fetchall()[0][0])

    with duckdb.connect() as other:
        cores = int(other.execute("SELECT current_setting('threads')").fetchall()[0][0])
    monkeypatch.setattr("projections.database._ENOUGH_FOR_SEVERAL", 3)
    with open_empty_database(tmp_path / "chain.duckdb") as database:
        database.apply(messages_of(FACTS[:3]))
        assert threads(database) == 1
        database.apply(messages_of(FACTS))
        assert threads(database) == cores
        assert run(database, "orders")["total"] == 2
    with open_database(tmp_path / "chain.duckdb") as again:
        assert threads(again) == cores
    with open_database(tmp_path / "chain.duckdb", threads=1) as told:
        assert threads(told) == 1

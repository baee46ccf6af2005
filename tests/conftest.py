"""Fixtures shared by all rooms: a home folder, and a real server on a free port.

The process that hands out the tests reads this too, and no worker begins before: what only workers need is imported
where they use it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import shutil
import signal
import sys
import tempfile
import warnings
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from _pytest.runner import runtestprotocol
from xdist.scheduler import LoadFileScheduling

from tests.hanging import Teller, watched
from tests.sampling import be_thorough

if TYPE_CHECKING:
    from tests.chainserver import ChainServer

HERE = Path(__file__).parent

_HANGING = pytest.StashKey[Teller]()

#: What takes longest begins first, so that at the end no worker is left alone with it. What starts a process for each
#: service stands between others, since several of those at once would wait for each other to start.
LONGEST_FIRST = (
    "test_reliability.py",
    "test_its_file.py",
    "test_other_logs.py",
    "test_payloads.py",
    "test_commitments.py",
    "test_readme.py",
    "test_watch.py",
    "test_processes.py",
    "test_apart.py",
    "test_telling_kills.py",
    "test_boiler.py",
    "test_supervisor.py",
    "test_desk.py",
    "test_forgetting.py",
    "test_silence.py",
    "test_kept.py",
    "test_intake.py",
    "test_intake_trouble.py",
    "test_lamps.py",
    "test_simulation.py",
    "test_visit.py",
    "test_database.py",
    "test_connected.py",
    "test_properties.py",
    "test_every_letter.py",
    "test_tap.py",
    "test_owed.py",
    "test_customer.py",
    "test_openapi.py",
    "test_terms.py",
    "test_bike.py",
    "test_events.py",
    "test_accounts.py",
    "test_last_word.py",
    "test_notifier.py",
    "test_messages.py",
    "test_backtest.py",
)

#: What forks its processes from one that has imported everything (reliability/forked.py).
FORKING = frozenset(
    {
        "tests/test_reliability.py",
        "tests/test_readme.py",
        "tests/test_processes.py",
        "tests/test_telling_kills.py",
        "tests/cli/test_connected.py",
        "tests/cli/test_customer.py",
    }
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--thorough``: what the suite does of a sample, done of all; see ``make heavy``."""
    parser.addoption("--thorough", action="store_true", help="check of all stories what is checked of some of them")


def pytest_configure(config: pytest.Config) -> None:
    """What is no fixture can see it, too. Until all is imported nobody looks for garbage; see below."""
    gc.disable()
    if hasattr(config, "workerinput"):
        atexit.register(_leave)  # what is registered first is done last
    config.stash[_HANGING] = Teller()
    be_thorough(bool(config.getoption("--thorough")))


def _leave() -> NoReturn:
    """End a worker without taking apart all that it has imported, object by object: that takes it a second."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where nothing was made of the test files yet, each worker makes its share of it, instead of each of them all.

    What a worker has made it leaves beside the file, where the others find it when they come to collect.
    """
    worker, of = os.environ.get("PYTEST_XDIST_WORKER"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if worker is None or any((HERE / "__pycache__").glob("test_frame.*-pytest-*.pyc")):
        return
    own = int(worker.removeprefix("gw"))
    if own == 0:
        from hypothesis import strategies

        # Hypothesis keeps a table of all characters in a file; to make it takes as long as half of a share
        with warnings.catch_warnings(action="ignore"):  # it says that this is slow
            strategies.text().validate()
    shares = [number for number in range(of) for _ in range(2 if number else 1)]
    for place, file in enumerate(sorted(HERE.rglob("test_*.py"))):
        if shares[place % len(shares)] == own:
            importlib.import_module(".".join(file.relative_to(HERE.parent).with_suffix("").parts))


def pytest_collection_finish() -> None:
    """What was imported stays: looking through all of it for garbage, again and again, takes an eighth of the time."""
    gc.enable()
    gc.freeze()
    # As late as in services (garbage.py), that pytest does not look through all of it at its end, twice.
    atexit.register(gc.unfreeze)
    gc.set_threshold(20_000, 10, 100)
    _settle_in()


def _settle_in() -> None:
    """What holds for all tests. Not in fixtures that each of them has: those cost more than many a test does."""
    import structlog
    from jinja2 import FileSystemBytecodeCache

    from services.notifying import templating
    from services.settings import FILE_NAME, PREFIX
    from tests.spawning import spawn_servers

    # A test sees no REPAIRCHAIN_… variables but its own, nor the settings of a chain that is tried out here.
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[variable]
    if (HERE.parent / FILE_NAME).exists():
        _stand_beside(FILE_NAME)
    # A shell that starts the tests in its background has them ignore Ctrl-C, and what they start, too.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # As in the services themselves (logs.py). Colouring one with all its variables takes longer than most tests.
    *before, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, renderer])
    spawn_servers()
    # What Jinja makes of our templates is kept where what pytest makes of the test files is kept.
    kept = HERE / "__pycache__"
    if os.access(kept, os.W_OK):
        templating._environment(None).bytecode_cache = FileSystemBytecodeCache(str(kept))


def _stand_beside(left_out: str) -> None:
    """Go to a folder that has all of this one but one file."""
    beside = Path(tempfile.mkdtemp(prefix="repairchain-tests-"))
    for entry in HERE.parent.iterdir():
        if entry.name != left_out:
            (beside / entry.name).symlink_to(entry)
    os.chdir(beside)
    atexit.register(shutil.rmtree, beside)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    """Tests run on the loop that services run on (services/running.py), which takes less time than Python's own."""
    import uvloop

    return {"uvloop": lambda: watched(uvloop.new_event_loop())}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """One that does not end says where its tasks wait."""
    with item.config.stash[_HANGING].of(item.nodeid):
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    """By file, but one worker has all that fork services: each that does imports everything for it, once more."""
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """See ``pytest_xdist_make_scheduler``."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "forking" if file in FORKING else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; all others, and the tests of a file, stay in their order."""
    turns = {name: turn for turn, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: turns.get(item.path.name, len(turns)))


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """What a test sets up for its logs ends with it, and so does the stream that they went to.

    Not a fixture: see ``_settle_in``. A worker does not tell that a test was set up and taken down, unless it was not:
    telling takes a worker, and whoever hands out the tests, longer than many a test does.
    """
    import structlog

    before = structlog.get_config()
    tell, tells_all = item.ihook, "PYTEST_XDIST_WORKER" not in os.environ
    tell.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    try:
        for report in runtestprotocol(item, log=False, nextitem=nextitem):
            if tells_all or report.when == "call" or not report.passed:
                tell.pytest_runtest_logreport(report=report)
    finally:
        structlog.configure(**before)
        structlog.contextvars.clear_contextvars()
    tell.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture
def free_home(tmp_path: Path) -> Path:
    """A home folder that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
async def chain_server(free_home: Path) -> AsyncIterator[ChainServer]:
    """A real nats-server on a free port with a store, accounts and credentials of its own; see ChainServer."""
    from tests.chainserver import ChainServer

    async with ChainServer(free_home) as server:
        yield server

"""Progress on stderr, while somebody watches: a bar that fills, or one that only moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Moved = Callable[[int], None]


@contextmanager
def counting(what: str, total: int | None, quiet: bool = False) -> Iterator[Moved]:
    """A bar that is told how many are done; of ``total``, if that is known. Nothing if nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

    stderr = Console(stderr=True)
    if quiet or not stderr.is_terminal:
        yield lambda _: None
        return
    done: ProgressColumn = MofNCompleteColumn() if total else TextColumn("{task.completed:,}")
    columns = (TextColumn("{task.description}"), BarColumn(), done, TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.update(task, completed=count)


@contextmanager
def working(what: str, quiet: bool = False) -> Iterator[None]:
    """A bar that moves and counts the seconds while something takes its time."""
    with counting(what, None, quiet):
        yield

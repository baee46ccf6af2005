"""The mapping that says how the rows of an export become facts, as import and backtest are given it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import Problem, one_line

if TYPE_CHECKING:
    from services.importing import Mapping

_ENDING = ".toml"


def mapping_in(file: Path, logs: Iterable[Path]) -> Mapping:
    """The mapping in ``file``, for ``logs``. Raises Problem with what to mend."""
    from services.importing import ImportProblem, load_mapping

    try:
        return load_mapping(file)
    except ImportProblem as error:
        swapped = file.suffix != _ENDING and any(each.suffix == _ENDING for each in logs)
        raise Problem(f"{one_line(error)}{'; the mapping comes first' if swapped else ''}.") from None

"""Brings an exported log of any other system in: a mapping says how its rows become facts (docs/import.md).

mapping = load_mapping(Path("examples/bpi2013.toml"))
report = ImportReport()
for submission in facts_from(mapping, [Path("log.csv.gz")], report):
    ...
"""

from services.importing.facts import facts_from
from services.importing.loading import MappingError, load_mapping, read_mapping
from services.importing.mapping import Mapping
from services.importing.reading import read_rows
from services.importing.report import ImportProblem, ImportReport, Left, LogError
from services.importing.rows import Row
from services.submission import Submission

__all__ = [
    "ImportProblem",
    "ImportReport",
    "Left",
    "LogError",
    "Mapping",
    "MappingError",
    "Row",
    "Submission",
    "facts_from",
    "load_mapping",
    "read_mapping",
    "read_rows",
]

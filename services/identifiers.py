"""By which identifiers others know a party: GS1's numbers, which EPCIS events name it by.

``registry/identifiers.json`` maps ``urn:epc:id:pgln:4012345.00225`` to ``importer:noord``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from events.party import PartyError
from services.gs1 import fault_of
from services.home import HomeFolder, read_json, write_json

_LONGEST: Final = 500


def list_identifiers(home: Path) -> dict[str, str]:
    """Identifier → party."""
    stored = read_json(_file(HomeFolder(home))) or {}
    return {str(identifier): str(party) for identifier, party in stored.items()}


def identify(home: Path, party: str, identifier: str) -> None:
    """Let ``identifier`` mean ``party``, whomever it meant before.

    Raises PartyError if it takes no part, or the identifier is a number of GS1's that cannot be right.
    """
    identifier = identifier.strip()
    if not identifier or len(identifier) > _LONGEST or not identifier.isprintable():
        raise PartyError("an identifier is one line of printable text, such as urn:epc:id:pgln:4012345.00225")
    if (fault := fault_of(identifier)) is not None:
        raise PartyError(fault)
    folder = HomeFolder(home)
    with folder.changing():
        if party not in (read_json(folder.parties_file) or {}):
            raise PartyError(f"'{party}' takes no part in this chain")
        write_json(_file(folder), list_identifiers(home) | {identifier: party})


def _file(folder: HomeFolder) -> Path:
    return folder.registry / "identifiers.json"

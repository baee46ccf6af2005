"""A remark on a party of which nothing is known here: what was mistyped has no orders and owes nothing, either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.asking import ask
from cli.nearest import hint_for_party
from cli.place import Place

if TYPE_CHECKING:
    from rich.text import Text


def strangers(place: Place, *parties: str | None) -> list[Text]:
    """A line for each of ``parties`` that is no partner here, and of whom no fact speaks; to be said below nothing."""
    asked = [party for party in parties if party is not None and party.partition(":")[0] != "customer"]
    if not asked:
        return []
    from cli.render.look import with_parties
    from services.parties import list_parties

    known = {str(row["party"]) for row in ask(place, "parties")["parties"]} | set(list_parties(place.home))
    return [
        with_parties(f"{party} is not known here: {hint_for_party(party, sorted(known))}", "yellow")
        for party in dict.fromkeys(asked)
        if party not in known
    ]

"""Which submissions have no receipt yet, and whose receipt it is that comes in. No network here."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.submission import Receipt, Submission

Key = tuple[str, str | None]

#: So many receipts are kept that name no id and came before their acknowledgement.
_STRAYS = 4_000

_TAKEN_IN = ("accepted", "duplicate")


@dataclass(eq=False, slots=True)
class Entry:
    """A submission on its way to its receipt."""

    number: int  # in the order of handing in
    submission: Submission
    payload: bytes
    lane: str | None = None  # None: holds nothing up
    sequences: list[int] = field(default_factory=list)  # its places in the intake stream

    @property
    def key(self) -> Key:
        """(party, id): what receipts name."""
        return self.submission.party, self.submission.id


class Outstanding:
    """Finds the submission of a receipt: by its place in the intake stream, else by party and id."""

    def __init__(self) -> None:
        self._by_number: dict[int, Entry] = {}
        self._by_key: dict[Key, list[Entry]] = {}
        self._by_place: dict[tuple[str, int], Entry] = {}
        self._strays: dict[tuple[str, int], Receipt] = {}

    def __len__(self) -> int:
        return len(self._by_number)

    def __contains__(self, entry: Entry) -> bool:
        return entry.number in self._by_number

    def all(self) -> list[Entry]:
        """Everything without a receipt."""
        return list(self._by_number.values())

    def add(self, entry: Entry) -> None:
        """It is on its way; harmless if it was already."""
        if entry not in self:
            self._by_number[entry.number] = entry
            self._by_key.setdefault(entry.key, []).append(entry)

    def remove(self, entry: Entry) -> None:
        """It has its receipt, or needs none."""
        del self._by_number[entry.number]
        for sequence in entry.sequences:
            self._by_place.pop((entry.submission.role, sequence), None)
        entry.sequences.clear()
        of_key = self._by_key[entry.key]
        of_key.remove(entry)
        if not of_key:
            del self._by_key[entry.key]

    def numbered(self, number: int) -> Entry | None:
        """The entry with that number, if it is still without a receipt."""
        return self._by_number.get(number)

    def acknowledged(self, entry: Entry, sequence: int) -> Receipt | None:
        """It is in the intake stream at ``sequence``; its receipt, if that was here before."""
        place = (entry.submission.role, sequence)
        entry.sequences.append(sequence)
        self._by_place[place] = entry
        return self._strays.pop(place, None)

    def match(self, receipt: Receipt) -> Entry | None:
        """Whose receipt this is; None if nobody waits for it (a repeat's, say)."""
        place = (receipt.party.partition(":")[0], receipt.sequence)
        found = self._by_place.get(place) or next(iter(self._by_key.get((receipt.party, receipt.id), ())), None)
        if found is None and receipt.id is None:
            self._strays[place] = receipt
            if len(self._strays) > _STRAYS:
                del self._strays[next(iter(self._strays))]
        return found


class Held:
    """Submissions held for want of an order that may come later in the run: intake then takes them in by itself."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._named: set[str] = set()

    def note(self, entry: Entry, receipt: Receipt) -> None:
        """Remember what the receipt means for later: a want, or an order or reference that is known from now on."""
        event = entry.submission.event
        kind, data = str(event.get("type")), event.get("data")
        if receipt.outcome == "held":
            self._entries[entry.key] = entry
        elif receipt.outcome in _TAKEN_IN and ".order.opened." in kind:
            self._named.add(entry.submission.subject)
        elif receipt.outcome in _TAKEN_IN and ".order.referenced." in kind and isinstance(data, dict):
            self._named.add(str(data.get("reference")))

    def revised(self, receipt: Receipt) -> Entry | None:
        """The submission that waits no longer, if the receipt says so."""
        key = (receipt.party, receipt.id)
        return None if receipt.outcome == "held" else self._entries.pop(key, None)

    def take_hopeful(self) -> list[Entry]:
        """Those whose order has become known, to be waited for again."""
        hopeful = [entry for entry in self._entries.values() if entry.submission.subject in self._named]
        for entry in hopeful:
            del self._entries[entry.key]
        return hopeful

"""The watch story as the parties publish it: who says what, when. All parties in it are invented.

A shop takes in a watch and closes for two weeks of holiday; the importer leaves the parcel lying; a part is waited for.
The demo plays it, and the scenario tests assert what the customer hears and when.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")

SHOP: Final = "retailer:bridge-street"
IMPORTER: Final = "importer:lowlands-watch-import"
REPAIRER: Final = "repairer:fine-movements"

#: How people are to know them: display name, telephone.
CARDS: Final = {
    SHOP: {"display_name": "Bridge Street Jewellers", "phone": "555-0101", "email": "shop@bridge-street.example"},
    IMPORTER: {"display_name": "Lowlands Watch Import", "phone": "555-0102"},
    REPAIRER: {"display_name": "Fine Movements", "phone": "555-0103"},
}

ORDER: Final = "W-1001"
SERIAL: Final = "SN-4711"


@dataclass(frozen=True, slots=True)
class Step:
    """One fact: at ``at`` (aware) ``party`` says ``name`` of ``subject``. ``story`` tells it to whoever watches."""

    at: datetime
    party: str
    name: str
    data: dict[str, Any] = field(default_factory=dict)
    subject: str = ORDER
    story: str = ""

    @property
    def id(self) -> str:
        """An id that is the same in every telling."""
        return f"{self.name}-{self.at.astimezone(UTC):%Y%m%dT%H%M}"

    def as_event(self, shift: timedelta = timedelta(0)) -> dict[str, Any]:
        """The CloudEvent that the party publishes; ``shift`` moves the whole telling in time."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.party,
            "type": f"repairchain.{self.name}.v1",
            "subject": self.subject,
            "time": (self.at + shift).astimezone(UTC).isoformat(),
            "data": self.data,
        }


def _on(day: int, month: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=AMSTERDAM)


BEGIN: Final = _on(2, 7, 9)
#: The shop's holiday, from and until.
SHOP_CLOSED: Final = (_on(11, 7, 0), _on(27, 7, 0))
END: Final = _on(17, 8, 12)


@dataclass(frozen=True, slots=True)
class _Words:
    """What the parties write, and what the customer is called."""

    customer: str
    holiday: str
    watch: str
    fault: str
    finding: str
    part: str
    maker: str
    done: str
    collected: str


_ENGLISH: Final = _Words(
    customer="Ms Jansen",
    holiday="summer holiday",
    watch="watch",
    fault="crown and stem are broken",
    finding="crown and stem broken, movement sound",
    part="crown and stem, Diver 200",
    maker="the maker",
    done="new crown and stem, tested to 200 m",
    collected="collected",
)
_DUTCH: Final = _Words(
    customer="mevrouw Jansen",
    holiday="zomervakantie",
    watch="horloge",
    fault="kroon en opwindas zijn gebroken",
    finding="kroon en opwindas gebroken, uurwerk in orde",
    part="kroon en opwindas, Diver 200",
    maker="de fabriek",
    done="nieuwe kroon en opwindas, getest tot 200 m",
    collected="opgehaald",
)
_WORDS: Final = {"en": _ENGLISH, "nl": _DUTCH}


def watch_story(language: str = "en") -> list[Step]:
    """The story in the order in which it is told; the parties write, and the customer is written to, in ``language``.

    ``story`` is for whoever watches, in English as all that the commands say.
    """
    words = _WORDS.get(language, _ENGLISH)
    return [*_brought_in(words, language), *_passed_on(), *_repaired(words), *_brought_back(words)]


def _brought_in(words: _Words, language: str) -> list[Step]:
    """The shop announces its holiday, takes the watch in and sends it off."""
    contact = {
        "name": words.customer,
        "language": language,
        "channels": [{"kind": "email", "address": "customer@mail.example"}],
    }
    return [
        Step(
            _on(2, 7, 10),
            SHOP,
            "party.closed",
            {"from": SHOP_CLOSED[0].isoformat(), "until": SHOP_CLOSED[1].isoformat(), "reason": words.holiday},
            subject=SHOP,
            story="The shop announces that it closes for two weeks.",
        ),
        Step(
            _on(9, 7, 14, 30),
            SHOP,
            "order.opened",
            {
                "customer": "C-17",
                "product": {"brand": "Meridian", "model": "Diver 200", "serial": SERIAL, "description": words.watch},
                "fault_text": words.fault,
                "contact": contact,
            },
            story="A customer brings her watch: the crown and stem are broken.",
        ),
        Step(
            _on(10, 7, 16),
            SHOP,
            "item.handed_over",
            {"to": IMPORTER, "carrier": "parcel post", "tracking_number": "3S-0001"},
            story="The shop sends the watch to the importer, and closes for its holiday.",
        ),
    ]


def _passed_on() -> list[Step]:
    """The importer finds the parcel, and passes it on to the repairer under a number of its own."""
    return [
        Step(
            _on(15, 7, 11),
            IMPORTER,
            "item.received",
            {"from": SHOP},
            story="The importer finds the parcel and receives it, the morning after it was due.",
        ),
        Step(
            _on(15, 7, 11, 5),
            IMPORTER,
            "order.referenced",
            {"reference": "RMA-20260715", "kind": "rma"},
            story="The importer gives the order a number of its own.",
        ),
        Step(
            _on(16, 7, 15),
            IMPORTER,
            "item.handed_over",
            {"to": REPAIRER, "carrier": "courier"},
            subject="RMA-20260715",
            story="The importer passes it on to the repairer, under its own number.",
        ),
        Step(
            _on(17, 7, 10),
            REPAIRER,
            "item.received",
            {"from": IMPORTER},
            story="The repairer receives it the next morning.",
        ),
    ]


def _repaired(words: _Words) -> list[Step]:
    """The repairer looks at it, waits for a part, and repairs it."""
    return [
        Step(
            _on(21, 7, 14),
            REPAIRER,
            "diagnosis.made",
            {"summary": words.finding},
            story="The repairer looks at it.",
        ),
        Step(
            _on(21, 7, 14, 20),
            REPAIRER,
            "part.ordered",
            {"part": words.part, "supplier": words.maker, "expected_by": _on(5, 8, 17).isoformat()},
            story="The repairer orders a new crown and stem; they take two weeks.",
        ),
        Step(
            _on(5, 8, 10),
            REPAIRER,
            "part.arrived",
            {"part": words.part},
            story="The part arrives.",
        ),
        Step(_on(6, 8, 9, 30), REPAIRER, "repair.started", story="The repair begins."),
        Step(
            _on(6, 8, 15, 45),
            REPAIRER,
            "repair.completed",
            {"summary": words.done},
            story="The watch runs, and is watertight again.",
        ),
    ]


def _brought_back(words: _Words) -> list[Step]:
    """The repairer sends it to the shop, where the customer collects it."""
    return [
        Step(
            _on(7, 8, 11),
            REPAIRER,
            "item.handed_over",
            {"to": SHOP, "carrier": "courier"},
            story="The repairer sends the watch straight back to the shop.",
        ),
        Step(
            _on(11, 8, 9, 30),
            SHOP,
            "item.received",
            {"from": REPAIRER},
            story="The shop has the watch back.",
        ),
        Step(
            _on(13, 8, 16), SHOP, "item.returned", {"note": words.collected}, story="The customer collects her watch."
        ),
        Step(_on(13, 8, 16, 5), SHOP, "order.closed", {"outcome": "repaired"}, story="The shop closes the order."),
    ]

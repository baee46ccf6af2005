"""Query results as the chain gives them, small enough to read: the watch, its handoffs, its messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_WORKING_DAY = {"working_day_seconds": 8 * 3600}

ORDER: dict[str, Any] = {
    "order_id": "W-1001",
    "status": "in_transit",
    "open": True,
    "since": "2026-11-10T09:00:00Z",
    "holder": "importer:noord",
    "heading_to": "repairer:tick",
    "accountable": "retailer:juno",
    "customer": "C-77",
    "opened_by": "retailer:juno",
    "opened_at": "2026-11-02T10:00:00Z",
    "closed_at": None,
    "outcome": None,
    "brand": "Halden",
    "model": "Meridian 36",
    "serial": "HM-20417",
    "fault_text": "Crown and stem broken",
    "urgency": "routine",
    "next_step": "confirm receipt",
    "next_owner": "repairer:tick",
    "next_due": "2026-11-12T09:00:00Z",
    "last_told_at": "2026-11-12T10:00:00Z",
    "last_told_kind": "overdue",
    "next_news_by": "2026-11-19T16:00:00Z",
    "facts": 11,
    "handoffs": 2,
    "reopenings": 0,
    "ping_pongs": 0,
    "contacts_started": 1,
    "messages_sent": 2,
    "references": [{"party": "importer:noord", "reference": "RMA-5541"}],
    "first_position": 3,
    "last_position": 41,
    "category": "watch",
    "ball": {
        "order": "W-1001",
        "kind": "receive",
        "topic": None,
        "owner": "repairer:tick",
        "owed_to": "retailer:juno",
        "opened_at": "2026-11-10T09:00:00Z",
        "due_at": "2026-11-12T09:00:00Z",
        "state": "overdue",
        "overdue_seconds": 518400,
        "level": 1,
        "status": "in_transit",
        "holder": "importer:noord",
        "accountable": "retailer:juno",
        "bounces": 0,
    },
    "time_spent": [
        {"party": "repairer:tick", "orders": 1, "seconds": 691200, "working_seconds": 172800, **_WORKING_DAY},
        {"party": "importer:noord", "orders": 1, "seconds": 581400, "working_seconds": 124200, **_WORKING_DAY},
        {"party": "customer", "orders": 1, "seconds": 90000, "working_seconds": None, "working_day_seconds": None},
    ],
}


def entry(position: int, at: str, name: str, source: str, data: dict[str, Any], **other: Any) -> dict[str, Any]:
    """One entry of a timeline; ``recorded_at`` is the same moment unless told otherwise."""
    return {
        "position": position,
        "occurred_at": at,
        "recorded_at": at,
        "type": name,
        "version": 1,
        "source": source,
        "id": f"e{position}",
        "data": data,
        "known": True,
        "voided": False,
    } | other


RECEIVED_BODY = (
    "Your Halden Meridian 36 is with us. We send it to the workshop that looks after this brand.\n\n"
    "You hear from us again by Friday 6 November, 17:00, also when there is nothing new."
)
LATE_BODY = (
    "Sorry: your watch has not come in at the workshop yet. We are looking into it.\n\n"
    "You hear from us again by Thursday 19 November, 17:00."
)


def _told(message: str, kind: str, subject: str, body: str, news: str) -> dict[str, Any]:
    return {
        "message": message,
        "kind": kind,
        "channel": "email",
        "language": "en",
        "subject": subject,
        "body": body,
        "next_news_by": news,
    }


OPENED = _told("m1", "opened", "We have your watch", RECEIVED_BODY, "2026-11-06T16:00:00Z")
LATE = _told("m2", "overdue", "Your watch is late", LATE_BODY, "2026-11-19T16:00:00Z")
PLANNED = {"trigger_source": "retailer:juno", "trigger_id": "e3"}


def _owed(kind: str, owner: str, opener: str, opened_at: str, due_at: str | None) -> dict[str, Any]:
    """A commitment of W-1001 that is open."""
    return {
        "commitment_id": f"{kind}/W-1001/{opener}",
        "order": "W-1001",
        "kind": kind,
        "topic": None,
        "owner": owner,
        "owed_to": "retailer:juno",
        "accountable": "retailer:juno",
        "counterpart": None,
        "opened_at": opened_at,
        "due_at": due_at,
        "ended_at": None,
        "state": "open",
        "met_late": False,
        "rule": kind,
        "level": 0,
        "promises": 0,
        "first_promised_at": None,
        "promised_at": None,
        "promised_by": None,
    }


def _named(last: str, first: str | None = None) -> dict[str, Any]:
    """The date that was promised, and the one before it."""
    return {
        "promises": 2 if first else 1,
        "first_promised_at": first or last,
        "promised_at": last,
        "promised_by": "repairer:tick",
    }


TIMELINE: dict[str, Any] = {
    "order": ORDER,
    "entries": [
        entry(
            3,
            "2026-11-02T10:00:00Z",
            "order.opened",
            "retailer:juno",
            {
                "customer": "C-77",
                "product": {"brand": "Halden", "model": "Meridian 36", "serial": "HM-20417"},
                "fault_text": "Crown and stem broken",
                "urgency": "routine",
            },
        ),
        entry(4, "2026-11-02T10:00:02Z", "message.planned", "chain:notifier", OPENED | PLANNED),
        entry(5, "2026-11-02T10:00:03Z", "message.sent", "chain:notifier", OPENED),
        entry(
            9,
            "2026-11-03T15:30:00Z",
            "item.handed_over",
            "retailer:juno",
            {"to": "importer:noord", "carrier": "PostRun", "tracking_number": "3SAB1"},
        ),
        entry(12, "2026-11-05T08:15:00Z", "item.received", "importer:noord", {"from": "retailer:juno"}),
        entry(
            13,
            "2026-11-05T08:20:00Z",
            "order.referenced",
            "importer:noord",
            {"reference": "RMA-5541", "kind": "rma"},
        ),
        entry(14, "2026-11-05T09:00:00Z", "part.ordered", "importer:noord", {"part": "stem 401"}, voided=True),
        entry(
            17,
            "2026-11-05T11:00:00Z",
            "fact.corrected",
            "importer:noord",
            {"fact_id": "e14", "reason": "did_not_occur"},
        ),
        entry(
            20,
            "2026-11-10T09:00:00Z",
            "item.handed_over",
            "importer:noord",
            {"to": "repairer:tick"},
            recorded_at="2026-11-11T08:00:00Z",
        ),
        entry(
            21,
            "2026-11-10T10:00:00Z",
            "cover.claimed",
            "importer:noord",
            {"cause": "glass", "decider": "importer:noord"},
        ),
        entry(
            30,
            "2026-11-11T15:48:00Z",
            "commitment.nudged",
            "chain:watchdog",
            {
                "commitment": "receive/W-1001/importer:noord/e20",
                "kind": "receive",
                "owed_by": "repairer:tick",
                "due": "2026-11-12T09:00:00Z",
            },
        ),
        entry(
            31,
            "2026-11-12T09:00:00Z",
            "commitment.overdue",
            "chain:watchdog",
            {
                "commitment": "receive/W-1001/importer:noord/e20",
                "kind": "receive",
                "level": 1,
                "owed_by": "repairer:tick",
                "due": "2026-11-12T09:00:00Z",
            },
        ),
        entry(33, "2026-11-12T10:00:00Z", "message.sent", "chain:notifier", LATE),
        entry(
            39,
            "2026-11-13T08:00:00Z",
            "part.ordered",
            "repairer:tick",
            {"part": "stem 401", "expected_by": "2026-11-20T16:00:00Z"},
        ),
        entry(
            40,
            "2026-11-13T13:10:00Z",
            "customer.contacted",
            "retailer:juno",
            {"channel": "phone", "direction": "inbound", "summary": "asks where the watch is"},
        ),
        entry(
            41,
            "2026-11-17T08:00:00Z",
            "battery.swapped",
            "repairer:tick",
            {"volts": 3.1},
            version=2,
            known=False,
        ),
    ],
    "handoffs": [],
    "commitments": [
        _owed("update", "retailer:juno", "retailer:juno/e3", "2026-11-02T10:00:00Z", "2026-11-09T10:00:00Z")
        | {"state": "met", "ended_at": "2026-11-02T10:00:03Z"},
        _owed("forward", "retailer:juno", "retailer:juno/e3", "2026-11-02T10:00:00Z", "2026-11-04T10:00:00Z")
        | {"state": "met", "ended_at": "2026-11-03T15:30:00Z"},
        _owed("update", "retailer:juno", "chain:notifier/e5", "2026-11-02T10:00:03Z", "2026-11-06T15:00:00Z")
        | {"state": "met", "met_late": True, "ended_at": "2026-11-12T10:00:00Z", **_named("2026-11-06T16:00:00Z")},
        _owed("receive", "importer:noord", "retailer:juno/e9", "2026-11-03T15:30:00Z", "2026-11-05T15:30:00Z")
        | {"state": "met", "ended_at": "2026-11-05T08:15:00Z"},
        _owed("forward", "importer:noord", "importer:noord/e12", "2026-11-05T08:15:00Z", "2026-11-09T08:15:00Z")
        | {"state": "met", "met_late": True, "ended_at": "2026-11-10T09:00:00Z"},
        _owed("receive", "repairer:tick", "importer:noord/e20", "2026-11-10T09:00:00Z", "2026-11-12T09:00:00Z")
        | {"level": 1},
        _owed("answer", "customer:C-77", "importer:noord/e21", "2026-11-10T10:00:00Z", "2026-11-12T10:00:00Z")
        | {"state": "cancelled", "ended_at": "2026-11-13T10:00:00Z"},
        _owed("cover", "importer:noord", "importer:noord/e21", "2026-11-10T10:00:00Z", None)
        | {"state": "paused", "paused_for": ["customer"]},
        _owed("decide", "customer:C-77", "importer:noord/e21", "2026-11-10T10:00:00Z", "2026-11-12T10:00:00Z")
        | {"state": "cancelled", "ended_at": "2026-11-10T10:05:00Z"},
        _owed("update", "retailer:juno", "chain:notifier/e33", "2026-11-12T10:00:00Z", "2026-11-19T15:00:00Z")
        | _named("2026-11-19T16:00:00Z"),
        _owed("part", "repairer:tick", "repairer:tick/e39", "2026-11-13T08:00:00Z", "2026-11-24T16:00:00Z")
        | {"topic": "stem 401", **_named("2026-11-24T16:00:00Z", first="2026-11-20T16:00:00Z")},
    ],
    "messages": [],
    "contacts": [],
}

PARCEL: dict[str, Any] = ORDER | {
    "parcel": {
        "to_party": "repairer:tick",
        "carrier": "PostRun",
        "tracking_number": "3SNOOR0042",
        "carrier_status": "delivered",
        "carrier_at": "2026-11-12T13:40:00Z",
        "arrived": False,
    }
}

#: After 'customer forget': what is owed is news to her alone.
FORGOTTEN: dict[str, Any] = ORDER | {
    "customer_forgotten": True,
    "next_news_by": None,
    "ball": ORDER["ball"] | {"kind": "update", "owner": "retailer:juno", "owed_to": "customer:C-77"},
}

CLOSED: dict[str, Any] = ORDER | {
    "order_id": "W-1002",
    "status": "closed",
    "open": False,
    "outcome": "repaired",
    "closed_at": "2026-11-17T15:00:00Z",
    "since": "2026-11-17T15:00:00Z",
    "holder": "retailer:juno",
    "heading_to": None,
    "next_step": None,
    "next_owner": None,
    "next_due": None,
    "ball": None,
    "contacts_started": 0,
    "reopenings": 1,
    "ping_pongs": 1,
}

ORDERS: dict[str, Any] = {
    "orders": [
        ORDER,
        CLOSED,
        ORDER | {"order_id": "W-1003", "brand": None, "model": None, "next_due": None},
        ORDER | {"order_id": "W-1004", "brand": None, "model": None, "description": "brass desk lamp, two bulbs"},
    ],
    "total": 1204,
}

_LANE = {
    "from_party": "retailer:juno",
    "to_party": "importer:noord",
    "count": 1255,
    "received": 1250,
    "never_received": 5,
    "waiting": 0,
    "wait_p50": 1974,
    "wait_p90": 149141,
    "wait_p99": 1209600,
}
LANES: dict[str, Any] = {
    "lanes": [_LANE, _LANE | {"from_party": "importer:noord", "to_party": "repairer:tick", "count": 3}],
    "totals": _LANE | {"count": 1258},
}

_ASKED: dict[str, Any] = {
    "nudged_at": None,
    "withdrawn_at": None,
    "allowed": 57600,
    "worked": None,
    "met_at": None,
    "overdue_seconds": None,
    "waits": [],
}
_WAITS: dict[str, Any] = {"from": "2026-11-10T10:00:00Z", "until": None, "for": "customer"}
_SOME_GUESS: dict[str, Any] = {"chance": 0.4, "cases": 31, "based_on": "role"}
_GUESS: dict[str, Any] = {"chance": 0.12, "cases": 1255, "based_on": "lane"}
_NO_GUESS: dict[str, Any] = {"chance": None, "cases": None, "based_on": None}


def _row(at: int, state: str, order: str = "W-1001", **more: Any) -> dict[str, Any]:
    """A row of the query ``commitments``, made of the commitment at that place of the timeline."""
    owed = {name: value for name, value in TIMELINE["commitments"][at].items() if name != "met_late"}
    met = owed["ended_at"] if state.startswith("met") else None
    return owed | _ASKED | _NO_GUESS | {"order": order, "state": state, "met_at": met} | more


COMMITMENTS: dict[str, Any] = {
    "commitments": [
        _row(5, "overdue", overdue_seconds=518400),
        _row(9, "open"),
        _row(10, "open", order="W-1003", **_GUESS),
        _row(7, "paused", paused_for=["customer"], waits=[_WAITS]),
        _row(1, "met"),
        _row(4, "met_late"),
        _row(6, "cancelled"),
        _row(8, "cancelled"),
    ]
}
OF_ONE_ORDER: dict[str, Any] = COMMITMENTS | {"ball": ORDER["ball"], "time_spent": ORDER["time_spent"]}
OF_ONE_FORGOTTEN: dict[str, Any] = OF_ONE_ORDER | {
    "ball": FORGOTTEN["ball"],
    "commitments": [
        row | {"customer_forgotten": row["kind"] == "update" and row["state"] == "open"}
        for row in COMMITMENTS["commitments"]
    ],
}
STALLED: dict[str, Any] = {
    "stalled": [
        _row(5, "overdue", overdue_seconds=518400),
        _row(9, "overdue", order="W-1003", overdue_seconds=64800, due_at="2026-11-17T15:00:00Z"),
    ],
    "likely": [
        _row(10, "open", **_GUESS),
        _row(4, "open", order="W-1003", ended_at=None, due_at="2026-11-19T16:00:00Z", **_SOME_GUESS),
    ],
}
_HERS = {
    "order": "W-1003",
    "kind": "decide",
    "owner": "customer:C-80",
    "opened_at": "2026-11-17T10:00:00Z",
    "due_at": "2026-11-24T10:00:00Z",
    "state": "open",
    "bounces": 2,
}
BALL: dict[str, Any] = {"ball": [ORDER["ball"], ORDER["ball"] | _HERS]}
WORK_LIST: dict[str, Any] = {"party": "repairer:tick", "ball": [STALLED["stalled"][0], COMMITMENTS["commitments"][2]]}


_OF_PROMISES = (
    *("order", "kind", "topic", "owner", "owed_to", "promised_by"),
    *("first_promised_at", "promised_at", "promises"),
)


def _promise(at: int, state: str, **more: Any) -> dict[str, Any]:
    """A row of the query ``promises``."""
    owed = {name: TIMELINE["commitments"][at][name] for name in _OF_PROMISES}
    return owed | {"met_at": None, "state": state, "kept": None, "late_seconds": None} | more


PROMISES: dict[str, Any] = {
    "promises": [
        _promise(10, "open"),
        _promise(10, "paused", paused_for=["customer"], order="W-1004"),
        _promise(9, "overdue", promised_at="2026-11-17T15:00:00Z", kept=False, late_seconds=64800),
        _promise(2, "met_late", met_at="2026-11-12T10:00:00Z", kept=False, late_seconds=496800),
        _promise(9, "met", promised_by="chain:notifier", kept=True, late_seconds=-3600),
        _promise(10, "cancelled", order="W-1005"),
    ]
}

PARTIES: dict[str, Any] = {
    "parties": [
        {
            "party": "retailer:juno",
            "role": "retailer",
            "facts": 1204,
            "orders": 310,
            "first_seen": "2025-01-02T08:00:00Z",
            "last_seen": "2026-11-18T08:20:00Z",
            "closures": [{"from": "2026-12-23T23:00:00Z", "until": "2027-01-03T23:00:00Z", "reason": "holiday"}],
        },
        {"party": "repairer:tick", "role": "repairer", "facts": 1, "orders": 1, "last_seen": None, "closures": []},
    ]
}

_MESSAGE = {
    "message_id": "m1",
    "order_id": "W-1001",
    "kind": "opened",
    "status": "sent",
    "channel": "email",
    "language": "en",
    "subject": "We have your watch",
    "body": RECEIVED_BODY,
    "planned_at": "2026-11-02T10:00:02Z",
    "sent_at": "2026-11-02T10:00:03Z",
    "next_news_by": "2026-11-06T16:00:00Z",
    "reason": None,
    "trigger_id": "e3",
}
MESSAGES: dict[str, Any] = {
    "messages": [
        _MESSAGE,
        _MESSAGE
        | {
            "message_id": "m3",
            "kind": "overdue",
            "status": "suppressed",
            "sent_at": None,
            "reason": "it came in meanwhile",
            "subject": "Your watch is late",
            "body": LATE_BODY,
            "next_news_by": None,
        },
    ]
}

STATS: dict[str, Any] = {
    "facts": 65533,
    "orders": 7554,
    "open_orders": 8,
    "reopened_orders": 514,
    "reopenings": 580,
    "handoffs": 9454,
    "handoffs_received": 9098,
    "handoffs_never_received": 356,
    "ping_pong_orders": 1177,
    "wait_p50": 1974,
    "wait_p90": 149141,
    "wait_p99": 1209600,
    "messages": 12,
    "customer_contacts": 0,
    "commitments_open": 3,
    "commitments_overdue_noted": 1,
    "parties": 649,
    "position": 65540,
    "unknown_facts": 0,
    "rejected": None,
}

PROBLEM: dict[str, Any] = {
    "type": "urn:repairchain:problem:unknown-order",
    "title": "No order has this id or reference yet",
    "detail": "no order W-9 is known; it is kept and handed in again as soon as it is",
    "pointer": "/subject",
    "submission": "e7",
}

HELD = PROBLEM | {"held_until": "2026-12-02T08:30:00Z"}
RECEIPTS: list[dict[str, Any]] = [
    {"id": "e1", "source": "retailer:juno", "sequence": 1, "outcome": "accepted", "order": "W-1", "position": 41},
    {"id": "e7", "source": "importer:noord", "sequence": 2, "outcome": "held", "problem": HELD},
    {"id": None, "source": "retailer:juno", "sequence": 3, "outcome": "duplicate", "order": "W-1", "position": 7},
]

REJECTED: dict[str, Any] = {
    "number": 12,
    "outcome": "held",
    "reason": "unknown-order",
    "kept_at": "2026-11-18T08:30:00+00:00",
    "held_until": "2026-12-02T08:30:00+00:00",
    "party": "importer:noord",
    "problem": PROBLEM,
    "headers": {},
    "submission": {"type": "repairchain.item.received.v1", "subject": "W-9", "data": {"item": "lamp 2"}},
}
UNREADABLE: dict[str, Any] = REJECTED | {
    "number": 13,
    "reason": "unreadable",
    "problem": {"title": "The submission cannot be read", "detail": "it is not JSON"},
    "outcome": "rejected",
    "submission": "\\xff not json",
}
REJECTED_LIST: dict[str, Any] = {"rejected": [REJECTED, UNREADABLE], "total": 7}
NEWER: dict[str, Any] = UNREADABLE | {
    "reason": "unknown-version",
    "problem": {
        "title": "This version of the type is not known yet",
        "detail": "item.received is known up to version 1; it is kept",
        "pointer": "/type",
    },
    "submission": {"type": "repairchain.item.received.v9", "subject": "W-9", "data": {}},
}
FAULTY: dict[str, Any] = UNREADABLE | {
    "reason": "invalid",
    "problem": {
        "title": "The event does not say what its type asks for",
        "detail": "/time: this field is missing",
        "pointer": "/time",
        "errors": [
            {"detail": "this field is missing", "pointer": "/time"},
            {"detail": "this type has no such field", "pointer": "/data/colour"},
        ],
    },
    "submission": {"type": "repairchain.item.received.v1", "subject": "W-9", "data": {"colour": "red"}},
}

FACTS: list[tuple[int, bytes]] = [
    (
        41,
        b'{"specversion":"1.0","id":"e1","source":"retailer:juno","type":"repairchain.item.handed_over.v1",'
        b'"subject":"W-1001","time":"2026-11-18T08:30:00Z","data":{"to":"importer:noord"}}',
    ),
    (42, b'{"source":"repairer:tick","type":"repairchain.item.received.v9","subject":"W-1001","data":{"x":1}}'),
    (43, b"\xffno envelope"),
]

_LINE: dict[str, Any] = {"order": "W-1001", "reference": "4711", "product": "Halden Meridian 36"}
#: Rows of the query `briefing`, two of them cut off.
LIST: dict[str, Any] = {
    "party": "retailer:juno",
    "day": "2026-11-18",
    "time_zone": "Europe/Amsterdam",
    "since": "2026-11-16T23:00:00Z",
    "totals": {"overdue": 3, "asked": 1, "calls": 1, "contacts": 2, "open": 2, "owed": 1},
    "overdue": [
        _LINE
        | {
            "kind": "receive",
            "topic": None,
            "owner": "repairer:tick",
            "accountable": "retailer:juno",
            "opened_at": "2026-11-10T09:00:00Z",
            "due_at": "2026-11-12T09:00:00Z",
            "state": "overdue",
            "overdue_seconds": 518400,
            "level": 1,
        }
    ],
    "asked": [
        _LINE
        | {
            "owner": "retailer:juno",
            "asked_at": "2026-11-17T10:00:00Z",
            "due_at": "2026-11-19T10:00:00Z",
            "state": "open",
            "overdue_seconds": None,
            "text": "Does it cost anything?\x1b[2J",
        }
    ],
    "calls": [
        _LINE
        | {
            "reference": None,
            "opened_at": "2026-11-18T08:30:00Z",
            "due_at": "2026-11-18T12:30:00Z",
            "state": "open",
            "overdue_seconds": None,
            "message_kind": "quote",
            "reason": "bad_address",
        }
    ],
    "contacts": [
        _LINE
        | {
            "contacted_at": "2026-11-17T13:00:00Z",
            "party": "importer:noord",
            "channel": "phone",
            "text": None,
        },
        _LINE
        | {
            "contacted_at": "2026-11-17T15:00:00Z",
            "party": "customer:C-77",
            "channel": "visit",
            "text": "is it there yet",
        },
    ],
    "orders": [
        _LINE
        | {
            "status": "in_transit",
            "since": "2026-11-10T09:00:00Z",
            "holder": "importer:noord",
            "kind": "receive",
            "topic": None,
            "owner": "repairer:tick",
            "opened_at": "2026-11-10T09:00:00Z",
            "due_at": "2026-11-12T09:00:00Z",
            "state": "overdue",
            "overdue_seconds": 518400,
        },
        _LINE | {"order": "W-1003", "reference": None, "status": "ready", "kind": None, "owner": None, "due_at": None},
    ],
    "owed": [
        _LINE
        | {
            "order": "B-9",
            "reference": None,
            "kind": "part",
            "topic": "stem 401",
            "accountable": "retailer:bolt",
            "opened_at": "2026-11-10T09:00:00Z",
            "due_at": "2026-11-24T16:00:00Z",
            "state": "open",
        }
    ],
}
LISTS: dict[str, Any] = {
    "briefings": [
        {"party": "importer:noord", "open": 0, "overdue": 2, "due": False, "given": False, "opened": False},
        {"party": "retailer:bolt", "open": 4, "overdue": 0, "due": True, "given": False, "opened": True},
        {"party": "retailer:juno", "open": 1204, "overdue": 13, "due": False, "given": True, "opened": True},
    ]
}

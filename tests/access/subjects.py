"""Every subject that means something on the server, and some that do not."""

from __future__ import annotations

from collections.abc import Sequence

from events import names
from events.subjects import (
    box_stream,
    box_subject,
    intake_subject,
    log_subject,
    notices_subject,
    orders_subject,
    receipts_subject,
    rejected_subject,
)
from events.vocabulary import FACTS
from projections.queries.runner import QUERIES

_STREAMS = (
    names.REPAIRS,
    names.REJECTED,
    *names.INTAKE_STREAMS.values(),
    f"KV_{names.CUSTOMERS}",
    f"KV_{names.SENDING}",
)
_API = (
    "INFO",
    "ACCOUNT.PURGE.CHAIN",
    "META.LEADER.STEPDOWN",
    "SERVER.REMOVE",
    "STREAM.NAMES",
    "STREAM.LIST",
    *(
        f"STREAM.{verb}.{{stream}}"
        for verb in ("CREATE", "UPDATE", "INFO", "DELETE", "PURGE", "MSG.GET", "MSG.DELETE", "SNAPSHOT", "RESTORE")
    ),
    "STREAM.LEADER.STEPDOWN.{stream}",
    "CONSUMER.CREATE.{stream}",
    "CONSUMER.CREATE.{stream}.mine",
    "CONSUMER.CREATE.{stream}.mine.x",
    "CONSUMER.DURABLE.CREATE.{stream}.mine",
    "CONSUMER.NAMES.{stream}",
    "CONSUMER.LIST.{stream}",
    "CONSUMER.INFO.{stream}.mine",
    "CONSUMER.DELETE.{stream}.notifier",
    "CONSUMER.PAUSE.{stream}.notifier",
    "CONSUMER.MSG.NEXT.{stream}.mine",
    "CONSUMER.DURABLE.CREATE.{stream}.intake-retailer",
    "CONSUMER.MSG.NEXT.{stream}.intake-retailer",
    "DIRECT.GET.{stream}",
    "DIRECT.GET.{stream}.a.b",
)
_SYSTEM = (
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.SERVER.PING.VARZ",
    "$SYS.REQ.SERVER.PING.CONNZ",
    "$SYS.REQ.SERVER.id.RELOAD",
    "$SYS.REQ.SERVER.id.KICK",
    "$SYS.REQ.ACCOUNT.CHAIN.CONNZ",
    "$SYS.REQ.CLAIMS.UPDATE",
    "$SYS.REQ.USER.INFO",
    "$SYS.ACCOUNT.CHAIN.CONNECT",
)
_ODD = (
    "hello",
    "intake",
    "intake.retailer",
    "repairs",
    "repairs.W-1",
    "receipts",
    "$KV",
    "$JS.ACK.x",
    "_R_.x",
    "a.b.c.d.e",
)


def to_publish(parties: Sequence[str]) -> list[str]:
    """Concrete subjects."""
    found = [log_subject(order, fact) for order in ("W-1", "order 2") for fact in FACTS]
    for party in parties:
        found += [
            intake_subject(party),
            f"{intake_subject(party)}.more",
            box_subject(party),
            receipts_subject(party),
            notices_subject(party),
            orders_subject(party),
            f"{orders_subject(party)}.W-1",
            rejected_subject(party, "W-1"),
            rejected_subject(party, "W-1", held=True),
        ]
    found += [f"{names.QUERY_ROOT}.{query}" for query in (*QUERIES, "rebuild", "position", "snapshot", "working_days")]
    found += [f"{names.DESK_ROOT}.{verb}" for verb in ("reply", "show", "set", "export", "forget", "settle")]
    streams = (*_STREAMS, *(box_stream(party) for party in parties))
    found += [f"$JS.API.{verb}".format(stream=stream) for verb in _API for stream in streams]
    found += [f"$KV.{bucket}.a.b" for bucket in (names.CUSTOMERS, names.SENDING)]
    durables = ("notifier", "mine", "intake-retailer")
    found += [f"$JS.ACK.{stream}.{durable}.1.1.1.1.0" for stream in streams for durable in durables]
    found += [f"$JS.FC.{stream}.x" for stream in _STREAMS]
    found += [f"_INBOX_{user}.x" for user in names.SERVICES] + ["_INBOX.x", "$SRV.PING", "$SRV.INFO.x"]
    return list(dict.fromkeys([*found, *_SYSTEM, *_ODD]))


def to_subscribe(parties: Sequence[str]) -> list[str]:
    """Subjects and patterns."""
    roots = (
        names.LOG_ROOT,
        names.INTAKE_ROOT,
        names.BOX_ROOT,
        names.RECEIPTS_ROOT,
        names.NOTICES_ROOT,
        names.ORDERS_ROOT,
        names.REJECTED_ROOT,
        names.QUERY_ROOT,
        names.DESK_ROOT,
        "$JS.API",
        "$JS.ACK",
        "$JS.EVENT",
        "$KV",
        f"$KV.{names.CUSTOMERS}",
        "$SYS",
        "$SYS.ACCOUNT",
        "$SYS.SERVER",
        "$SRV",
        "_INBOX",
        *(f"_INBOX_{user}" for user in names.SERVICES),
        "_R_",
    )
    patterns = [f"{root}.>" for root in roots] + [f"{root}.*" for root in roots] + [">", "*", "*.>", "*.*.*"]
    patterns += [log_subject("W-1", fact) for fact in FACTS]
    for party in parties:
        role = party.partition(":")[0]
        patterns += [intake_subject(party), receipts_subject(party), notices_subject(party), orders_subject(party)]
        patterns += [box_subject(party), f"box.{role}.*", f"$JS.EVENT.ADVISORY.CONSUMER.CREATED.*.intake-{role}"]
        patterns += [f"receipts.{role}.*", f"intake.{role}.*", f"receipts.{role}.>"]
    return list(dict.fromkeys([*patterns, *_SYSTEM, *_ODD]))

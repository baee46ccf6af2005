"""What each of our own users may say and hear on the server: allow-lists, one a user, and one user a service.

Pure. A service that goes astray, or whose credential leaks, can do what it does every day and no more: the watchdog
cannot take in a partner's fact, nobody but intake and the notifier sees customers' addresses. Each user has inboxes of
its own, for in a shared one everybody would hear every answer.

What an allow-list cannot prevent: whoever may publish can have the server's acknowledgement written to another subject
of the account. That puts a meaningless document there, which readers leave out, but nothing of the sender's choice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from events import names
from events.party import role_of
from events.subjects import box_stream, box_subject
from events.vocabulary import WHO_MAY_SAY

OPERATOR_USER: Final = "operator"  # whoever uses the command line
KEEPER_USER: Final = "keeper"  # may do anything to the chain's streams and buckets; no process runs as it
SYSTEM_USER: Final = "system"  # looks at the server itself

#: What the desk takes down from a customer; what else she may say comes by other ways.
SAID_AT_THE_DESK: Final = (
    "customer.contacted",
    "order.reopened",
    "question.answered",
    "question.asked",
    "quote.accepted",
    "quote.declined",
)

#: What the notifier and its desk ask the read models. Not for a snapshot, which is a file of whatever name.
_ASKED_ABOUT_CUSTOMERS: Final = (
    "briefing",
    "briefings",
    "closures",
    "customer",
    "customers",
    "histories",
    "message",
    "pending",
    "status",
    "timeline",
)

_INBOX: Final = "_INBOX"
_CUSTOMERS: Final = f"KV_{names.CUSTOMERS}"
_SENDING: Final = f"KV_{names.SENDING}"

#: An answer may take as long as the slowest question: a rebuild, or a snapshot of a large file.
_ANSWERED_WITHIN: Final = "1h"


@dataclass(frozen=True)
class Rights:
    """Subjects that a user may publish and subscribe to; ``answers``: also whatever a request names for its reply."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    answers: bool = False

    def as_permissions(self) -> dict[str, object]:
        """As the server's configuration has it."""
        permissions: dict[str, object] = {
            "publish": {"allow": list(self.publish)},
            "subscribe": {"allow": list(self.subscribe)},
        }
        if self.answers:
            permissions["allow_responses"] = {"max": 1, "expires": _ANSWERED_WITHIN}
        return permissions


def inbox_prefix(user: str) -> str:
    """The first token of the subjects on which ``user`` hears answers."""
    return f"{_INBOX}_{user}" if user in SERVICE_RIGHTS else _INBOX


def _inbox(user: str) -> str:
    return f"{_INBOX}_{user}.>"


def _facts(said: Iterable[str]) -> tuple[str, ...]:
    """Where in the log the facts of these names are filed."""
    return tuple(f"{names.LOG_ROOT}.*.{name}" for name in sorted(said))


_STREAMS: Final = (names.REPAIRS, names.REJECTED, *names.INTAKE_STREAMS.values(), _CUSTOMERS, _SENDING)

#: Whichever service comes first declares the streams. Creating one that exists changes nothing.
_DECLARING: Final = (
    "$JS.API.STREAM.INFO.*",
    *(f"$JS.API.STREAM.CREATE.{stream}" for stream in _STREAMS),
)


def _pulling(stream: str, durable: str) -> tuple[str, ...]:
    return (
        f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{durable}",
        f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
        f"$JS.ACK.{stream}.{durable}.>",
    )


def _reading_bucket(stream: str) -> tuple[str, ...]:
    return (f"$JS.API.DIRECT.GET.{stream}.>", f"$JS.API.STREAM.MSG.GET.{stream}")


def _reading_through(stream: str) -> tuple[str, ...]:
    """To read all of a stream with a consumer that nobody else shares. A named one would need a subject that is not
    here."""
    return (f"$JS.API.CONSUMER.CREATE.{stream}", f"$JS.API.CONSUMER.INFO.{stream}.*", f"$JS.FC.{stream}.>")


#: To follow the log.
_FOLLOWING: Final = (*_reading_through(names.REPAIRS), f"$JS.API.STREAM.MSG.GET.{names.REPAIRS}")


def _keeping_customers() -> tuple[str, ...]:
    """To write a record that takes what was known into account, and to erase the one that it replaces."""
    return (
        f"$KV.{names.CUSTOMERS}.>",
        f"$JS.API.DIRECT.GET.{_CUSTOMERS}.$KV.{names.CUSTOMERS}.>",
        f"$JS.API.STREAM.MSG.DELETE.{_CUSTOMERS}",
    )


def _intake(role: str) -> Rights:
    stream, durable = names.INTAKE_STREAMS[role], names.INTAKE_DURABLES[role]
    return Rights(
        publish=(
            *_facts(WHO_MAY_SAY[role]),
            f"{names.RECEIPTS_ROOT}.{role}.*",
            f"{names.REJECTED_ROOT}.{role}.>",
            f"{names.INTAKE_ROOT}.{role}.*",  # what was held is handed in again
            f"{names.BOX_ROOT}.{role}.*",
            *_keeping_customers(),
            *_DECLARING,
            f"$JS.API.STREAM.UPDATE.{stream}",
            f"$JS.API.STREAM.PURGE.{stream}",
            f"$JS.API.STREAM.UPDATE.{names.REJECTED}",
            *_FOLLOWING,
            *_pulling(stream, durable),
            # Which boxes there are, and what it may do with them; a consumer of that name is nowhere else.
            "$JS.API.STREAM.LIST",
            "$SYS.REQ.USER.INFO",
            f"$JS.API.CONSUMER.INFO.*.{durable}",
            f"$JS.API.CONSUMER.MSG.NEXT.*.{durable}",
            f"$JS.ACK.*.{durable}.>",
            f"$JS.API.STREAM.MSG.GET.{names.REJECTED}",
            f"$JS.API.STREAM.MSG.DELETE.{names.REJECTED}",
        ),
        subscribe=(_inbox(role), f"$JS.EVENT.ADVISORY.CONSUMER.CREATED.*.{durable}"),
    )


def _keeping_box(party: str) -> tuple[str, ...]:
    """To make the box of one partner, and to remove what is settled. Its subject says by name whose box may be made."""
    stream = box_stream(party)
    return (
        box_subject(party),
        *(f"$JS.API.STREAM.{verb}.{stream}" for verb in ("CREATE", "UPDATE", "PURGE")),
        f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{names.INTAKE_DURABLES[role_of(party)]}",
    )


SERVICE_RIGHTS: Final[dict[str, Rights]] = {
    "projector": Rights(
        publish=(*_DECLARING, *_FOLLOWING),
        subscribe=(_inbox("projector"), f"{names.QUERY_ROOT}.>", f"{names.ORDERS_ROOT}.>", "$SRV.>"),
        answers=True,
    ),
    **{role: _intake(role) for role in names.INTAKE_STREAMS},
    # With the desk, which writes down what customers say and want.
    "notifier": Rights(
        publish=(
            *_facts(name for name in WHO_MAY_SAY["chain"] if name.startswith(("message.", "party."))),
            *_facts(SAID_AT_THE_DESK),
            *_keeping_customers(),
            f"$JS.API.STREAM.MSG.GET.{names.REJECTED}",
            f"$JS.API.STREAM.MSG.DELETE.{names.REJECTED}",
            *(f"{names.QUERY_ROOT}.{query}" for query in _ASKED_ABOUT_CUSTOMERS),
            f"{names.NOTICES_ROOT}.>",
            f"$KV.{names.SENDING}.>",
            *_DECLARING,
            *_pulling(names.REPAIRS, names.NOTIFIER_DURABLE),
            f"$JS.API.STREAM.MSG.GET.{names.REPAIRS}",
            *_reading_bucket(_CUSTOMERS),
            *_reading_through(_CUSTOMERS),  # to find a customer by name
            *_reading_bucket(_SENDING),
        ),
        # Whoever is allowed a subject with * in its last place may subscribe to > there, too: so that is what it says.
        subscribe=(_inbox("notifier"), f"{names.DESK_ROOT}.>"),
        answers=True,
    ),
    "watchdog": Rights(
        publish=(
            *_facts(name for name in WHO_MAY_SAY["chain"] if name.startswith(("commitment.", "policy."))),
            f"{names.QUERY_ROOT}.sweep",
            f"{names.QUERY_ROOT}.policy",
            f"{names.NOTICES_ROOT}.>",
            f"$JS.API.STREAM.INFO.{names.REPAIRS}",
        ),
        subscribe=(_inbox("watchdog"),),
    ),
    # Hands in for whoever showed the key of a party, and shows a party the orders that it has a part in.
    names.HTTP: Rights(
        publish=(
            *(f"{names.BOX_ROOT}.{role}.*" for role in names.INTAKE_STREAMS),
            f"{names.QUERY_ROOT}.find",
            f"{names.QUERY_ROOT}.timeline",
            f"{names.QUERY_ROOT}.changed",
            # What carriers say of parcels, and of which orders that is.
            *_facts(("item.tracked",)),
            f"{names.QUERY_ROOT}.parcels",
        ),
        subscribe=(
            _inbox(names.HTTP),
            f"{names.RECEIPTS_ROOT}.>",
            f"{names.NOTICES_ROOT}.>",
            *_facts(("item.handed_over",)),
        ),
    ),
}


def service_rights(service: str, parties: Collection[str]) -> Rights:
    """What ``service`` may do where ``parties`` are registered: a role's intake keeps the box of each of its partners.

    Only where a right has to name the stream does it depend on them; the rest stands in SERVICE_RIGHTS.
    """
    rights = SERVICE_RIGHTS[service]
    boxes = (subject for party in parties if role_of(party) == service for subject in _keeping_box(party))
    return replace(rights, publish=(*rights.publish, *boxes))


#: What the command line may read as streams. Not the customers' names and addresses.
_READABLE: Final = (names.REPAIRS, names.REJECTED)

OPERATOR_RIGHTS: Final = Rights(
    publish=(
        f"{names.QUERY_ROOT}.>",
        f"{names.DESK_ROOT}.*",
        f"{names.INTAKE_ROOT}.>",  # an operator may submit for any party
        "$SRV.>",  # which query services are there
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.CONSUMER.INFO.*.*",
        "$JS.API.CONSUMER.LIST.*",
        f"$JS.API.STREAM.MSG.DELETE.{names.REJECTED}",
        *(
            subject
            for stream in _READABLE
            for subject in (
                f"$JS.API.STREAM.MSG.GET.{stream}",
                f"$JS.API.DIRECT.GET.{stream}",
                f"$JS.API.DIRECT.GET.{stream}.>",
                f"$JS.API.CONSUMER.CREATE.{stream}",
                f"$JS.FC.{stream}.>",
            )
        ),
    ),
    subscribe=(
        f"{_INBOX}.>",
        *(f"{root}.>" for root in (names.RECEIPTS_ROOT, names.NOTICES_ROOT, names.REJECTED_ROOT, names.LOG_ROOT)),
    ),
)

#: Figures about the server. Not its reloading, and nobody's connection to be cut.
SYSTEM_RIGHTS: Final = Rights(
    publish=(
        "$SYS.REQ.SERVER.PING",
        *(
            f"$SYS.REQ.SERVER.{which}.{what}"
            for which in ("PING", "*")
            for what in ("STATSZ", "VARZ", "CONNZ", "SUBSZ", "ACCOUNTZ", "JSZ", "HEALTHZ")
        ),
    ),
    subscribe=(f"{_INBOX}.>", "$SYS.SERVER.>", "$SYS.ACCOUNT.>"),
)

OWN_USERS: Final = (*SERVICE_RIGHTS, OPERATOR_USER, KEEPER_USER, SYSTEM_USER)

"""What is declared: who may publish and subscribe to what, matched here and not by the server that is being tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from events.party import PARTNER_ROLES
from events.subjects import intake_subject, notices_subject, orders_subject, receipts_subject
from services.rights import (
    KEEPER_USER,
    OPERATOR_RIGHTS,
    OPERATOR_USER,
    SERVICE_RIGHTS,
    SYSTEM_RIGHTS,
    SYSTEM_USER,
    service_rights,
)


@dataclass(frozen=True)
class Declared:
    """Patterns of subjects that a principal may publish and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]

    def may_publish(self, subject: str) -> bool:
        return any(matches(pattern, subject) for pattern in self.publish)

    def may_subscribe(self, subject: str) -> bool:
        return any(matches(pattern, subject) for pattern in self.subscribe)


def matches(pattern: str, subject: str) -> bool:
    """Whether everything that ``subject`` (with wildcards, maybe) stands for is within ``pattern``."""
    ours, theirs = pattern.split("."), subject.split(".")
    for place, token in enumerate(ours):
        if token == ">":
            return len(theirs) > place
        if place >= len(theirs) or theirs[place] == ">":
            return False
        if token != "*" and token != theirs[place]:
            return False
    return len(ours) == len(theirs)


def declared(principals: Iterable[str]) -> dict[str, Declared]:
    """What each of our users may do, and of the parties, where these parties are registered."""
    principals = list(principals)
    parties = [who for who in principals if ":" in who]
    own = {
        **{service: service_rights(service, parties) for service in SERVICE_RIGHTS},
        OPERATOR_USER: OPERATOR_RIGHTS,
        SYSTEM_USER: SYSTEM_RIGHTS,
    }
    found: dict[str, Declared] = {}
    for who in principals:
        if who == KEEPER_USER:
            found[who] = Declared((">",), (">",))
        elif who in own:
            found[who] = Declared(own[who].publish, own[who].subscribe)
        else:
            assert who.partition(":")[0] in PARTNER_ROLES, who
            heard = (receipts_subject(who), notices_subject(who), "_INBOX.>")
            found[who] = Declared((intake_subject(who), orders_subject(who)), heard)
    return found


def differences(
    allowed: dict[tuple[str, str, str], bool], rights: dict[str, Declared]
) -> Sequence[tuple[str, str, str, str]]:
    """Where the server lets somebody do more or less than is declared: who, what, the subject, and which it is."""
    found = []
    for (who, what, subject), is_allowed in allowed.items():
        may = rights[who].may_subscribe(subject) if what == "subscribe" else rights[who].may_publish(subject)
        if is_allowed != may:
            found.append((who, what, subject, "more" if is_allowed else "less"))
    return found

"""Whether this home is that of the operator alone, as in containers, where each service has a home of its own."""

from __future__ import annotations

from typing import Final

from cli.checks.check import Check
from cli.place import Place
from events import names

_OPERATOR: Final = "operator"


def runs_elsewhere(place: Place) -> bool:
    """Whether the operator's login is here and that of no service."""
    there = [user for user in (_OPERATOR, *names.SERVICES) if place.folder.login_file(user).is_file()]
    return there == [_OPERATOR]


def home_elsewhere() -> Check:
    """In place of what would be looked at in the home of the services."""
    found = "the operator's alone: the services have theirs, and whichever is set wrong says so when it starts"
    return Check("Home", None, found)


def service_elsewhere(service: str) -> Check:
    """In place of what a service says of itself."""
    return Check(service, None, "runs elsewhere, if it does: its own /readyz tells")

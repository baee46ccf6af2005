"""Who may do what on the server, as the text of accounts.conf. Pure: users in, configuration out.

Every partner is an account of its own, not merely a user in a shared one. In a shared account a partner could
publish with a reply subject of its choice and have the server's acknowledgement written there, under another
partner's name. Between accounts only what is exported and imported passes, and replies go back into the
account they came from.

All permissions are allow-lists; those of our own users stand in rights.py.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from events import subjects
from events.party import name_of, role_of
from events.streams import MAX_SUBMISSION
from services.rights import (
    KEEPER_USER,
    OPERATOR_RIGHTS,
    OPERATOR_USER,
    SERVICE_RIGHTS,
    SYSTEM_RIGHTS,
    SYSTEM_USER,
    Rights,
    service_rights,
)

CHAIN: Final = "CHAIN"  # the account of the log and of our own services
SYSTEM: Final = "SYS"  # the server's own account: its events and statistics

#: What one partner may take of the server: open connections, subscriptions of each, and bytes of a message. A
#: submission that is somewhat too large still gets an answer; what is far beyond ends the connection. How fast a
#: partner hands in is bounded by how much may wait (events/streams.py): the server knows no such limit for an account.
PARTNER_LIMITS: Final = {"max_connections": 64, "max_subscriptions": 256, "max_payload": 2 * MAX_SUBMISSION}


@dataclass(frozen=True)
class KnownBy:
    """By what the server tells a user: the public key of an nkey, or else a password."""

    nkey: str | None = None
    password: str | None = field(default=None, repr=False)


def account_of(party: str) -> str:
    """Account name of ``party``, also its user name: ``retailer.acme``, the name written as a subject token."""
    return f"{role_of(party)}.{subjects.token(name_of(party))}"


def render(
    own: Mapping[str, KnownBy], partners: Mapping[str, Sequence[KnownBy]], kept_out: Collection[str] = ()
) -> str:
    """The text of accounts.conf.

    ``own`` maps each of rights.OWN_USERS to what it is known by, ``partners`` each party to all that it is known by:
    a secret, and those that it took the place of for as long as they work. ``kept_out`` has no account,
    but what it handed in before is still taken in. There is no secret in it, but for the passwords of homes of before:
    those stand there in the clear, 256 random bits each, in a file that is closed to everybody but the server's user.
    """
    accounts: dict[str, Any] = {
        SYSTEM: {"users": [_user(SYSTEM_USER, own[SYSTEM_USER], SYSTEM_RIGHTS)]},
        CHAIN: {
            "jetstream": "enabled",
            "users": [
                *(
                    _user(service, own[service], service_rights(service, [*partners, *kept_out]))
                    for service in SERVICE_RIGHTS
                ),
                _user(OPERATOR_USER, own[OPERATOR_USER], OPERATOR_RIGHTS),
                _user(KEEPER_USER, own[KEEPER_USER]),
            ],
            "exports": [export for party in partners for export in _exports(party)],
        },
    }
    for party, known_by in partners.items():
        accounts[account_of(party)] = _partner(party, known_by)
    # The server reads JSON for every value, but not for the whole file.
    lines = [
        "# Generated from registry/, credentials/ and logins/: changes made here are lost.",
        # In the server's log a user is called by its key; a partner is told by its account, ours are all in one.
        *(f"# {known_by.nkey} is {user}" for user, known_by in own.items() if known_by.nkey is not None),
        f'system_account: "{SYSTEM}"',
        "accounts: {",
        *(f"  {json.dumps(name)}: {json.dumps(account)}" for name, account in accounts.items()),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _user(name: str, known_by: KnownBy, rights: Rights | None = None) -> dict[str, Any]:
    user: dict[str, Any] = {"user": name, "password": known_by.password}
    if known_by.nkey is not None:
        user = {"nkey": known_by.nkey}  # the server takes no name beside a key
    if rights is not None:
        user["permissions"] = rights.as_permissions()
    return user


def _exports(party: str) -> list[dict[str, Any]]:
    """What the chain opens to this one partner: its letter box, what it may ask, and what is said to it."""
    only = [account_of(party)]
    return [
        {"service": subjects.box_subject(party), "accounts": only},
        {"service": subjects.orders_subject(party), "accounts": only},
        {"stream": subjects.receipts_subject(party), "accounts": only},
        {"stream": subjects.notices_subject(party), "accounts": only},
    ]


def _partner(party: str, known_by: Sequence[KnownBy]) -> dict[str, Any]:
    intake = subjects.intake_subject(party)
    asked = subjects.orders_subject(party)
    heard = (subjects.receipts_subject(party), subjects.notices_subject(party))
    rights = Rights(publish=(intake, asked), subscribe=(*heard, "_INBOX.>"))
    return {
        "users": [_user(account_of(party), each, rights) for each in known_by],
        "limits": PARTNER_LIMITS,
        "imports": [
            {"service": {"account": CHAIN, "subject": subjects.box_subject(party)}, "to": intake},
            {"service": {"account": CHAIN, "subject": asked}},
            *({"stream": {"account": CHAIN, "subject": subject}} for subject in heard),
        ],
    }

"""Who may do what on the server, as the text of accounts.conf. Pure: users in, configuration out.

Every partner is an account of its own, not merely a user in a shared one. In a shared account a partner could
publish with a reply subject of its choice and have the server's acknowledgement written there, under another
partner's name. Between accounts only what is exported and imported passes, and replies go back into the
account they came from.

All permissions are allow-lists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from events import names, subjects
from events.party import name_of, role_of

CHAIN: Final = "CHAIN"  # the account of the log and of our own services
SYSTEM: Final = "SYS"  # the server's own account: its events and statistics

SERVICES_USER: Final = "services"
OPERATOR_USER: Final = "operator"
SYSTEM_USER: Final = "system"
OWN_USERS: Final = (SERVICES_USER, OPERATOR_USER, SYSTEM_USER)

#: What the command line may read as streams. Not the customers' names and addresses.
_READABLE: Final = (names.REPAIRS, names.REJECTED)

_OPERATOR: Final[dict[str, list[str]]] = {
    "publish": [
        f"{names.QUERY_ROOT}.>",
        f"{names.INTAKE_ROOT}.>",  # an operator may submit for any party
        "$SRV.>",  # which query services are there
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.CONSUMER.INFO.*.*",
        "$JS.API.CONSUMER.LIST.*",
        *(
            subject
            for stream in _READABLE
            for subject in (
                f"$JS.API.STREAM.MSG.GET.{stream}",
                f"$JS.API.DIRECT.GET.{stream}",
                f"$JS.API.DIRECT.GET.{stream}.>",
                f"$JS.API.CONSUMER.CREATE.{stream}",
                f"$JS.API.CONSUMER.CREATE.{stream}.>",
                f"$JS.API.CONSUMER.DELETE.{stream}.>",
                f"$JS.API.CONSUMER.MSG.NEXT.{stream}.>",
                f"$JS.ACK.{stream}.>",
                f"$JS.FC.{stream}.>",
            )
        ),
    ],
    "subscribe": [
        "_INBOX.>",
        *(f"{root}.>" for root in (names.RECEIPTS_ROOT, names.NOTICES_ROOT, names.REJECTED_ROOT, names.LOG_ROOT)),
    ],
}


def account_of(party: str) -> str:
    """Account name of ``party``, also its user name: ``retailer.acme``, the name written as a subject token."""
    return f"{role_of(party)}.{subjects.token(name_of(party))}"


def render(own: Mapping[str, str], partners: Mapping[str, str]) -> str:
    """The text of accounts.conf.

    ``own`` maps each of OWN_USERS to its password, ``partners`` each party to its password. The passwords
    stand there in the clear: the file is closed to everybody but the server's user, they are 256 random bits
    each, and hashing them the way the server understands (bcrypt) would cost every connection time and this
    project a compiled dependency.
    """
    accounts: dict[str, Any] = {
        SYSTEM: {"users": [_user(SYSTEM_USER, own[SYSTEM_USER])]},
        CHAIN: {
            "jetstream": "enabled",
            "users": [
                _user(SERVICES_USER, own[SERVICES_USER]),
                _user(OPERATOR_USER, own[OPERATOR_USER], _OPERATOR),
            ],
            "exports": [export for party in partners for export in _exports(party)],
        },
    }
    for party, password in partners.items():
        accounts[account_of(party)] = _partner(party, password)
    # The server reads JSON for every value, but not for the whole file.
    lines = [
        "# Generated from parties.json and credentials/: changes made here are lost.",
        f'system_account: "{SYSTEM}"',
        "accounts: {",
        *(f"  {json.dumps(name)}: {json.dumps(account)}" for name, account in accounts.items()),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _user(name: str, password: str, permissions: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    user: dict[str, Any] = {"user": name, "password": password}
    if permissions is not None:
        user["permissions"] = {action: {"allow": allowed} for action, allowed in permissions.items()}
    return user


def _exports(party: str) -> list[dict[str, Any]]:
    """What the chain opens to this one partner: its letter box, and what is said to it."""
    only = [account_of(party)]
    return [
        {"service": subjects.intake_subject(party), "accounts": only},
        {"stream": subjects.receipts_subject(party), "accounts": only},
        {"stream": subjects.notices_subject(party), "accounts": only},
    ]


def _partner(party: str, password: str) -> dict[str, Any]:
    intake = subjects.intake_subject(party)
    heard = [subjects.receipts_subject(party), subjects.notices_subject(party)]
    permissions = {"publish": [intake], "subscribe": [*heard, "_INBOX.>"]}
    return {
        "users": [_user(account_of(party), password, permissions)],
        "imports": [
            {"service": {"account": CHAIN, "subject": intake}},
            *({"stream": {"account": CHAIN, "subject": subject}} for subject in heard),
        ],
    }

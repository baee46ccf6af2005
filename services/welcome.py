"""The page that a new partner is handed with its secret: where to write, a first event, what a receipt looks like.

It holds no secret, so it may be sent by mail. The words are in welcome.md.j2.
"""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from events import subjects
from events.envelope import full_type
from events.party import name_of
from services.credentials import Identity, credential_file, identity
from services.fitness import is_local
from services.home import HomeFolder, write_private

if TYPE_CHECKING:
    from jinja2 import Template

_WORDS: Final = Path(__file__).parent / "welcome.md.j2"

#: Stands where nobody knows yet which address partners use.
_SOME_SERVER: Final = "nats://SERVER:4222"
_SOME_HTTP: Final = "https://SERVER"

#: The row of the page that says where the server is.
_SERVER_ROW: Final = re.compile(r"^\| server \| `(.*)` \|$", re.MULTILINE)

#: When the trial on the page happened, as the program on it has it.
_TRIAL_TIME: Final = re.compile(r'^ +"time": "([^"]+)",$', re.MULTILINE)

#: The row of the page that says where HTTP is open.
_HTTP_ROW: Final = re.compile(r"^\| over HTTP you publish to \| `(.*)/events` \|$", re.MULTILINE)


def subjects_of(party: str) -> dict[str, str]:
    """What the party may say, ask and hear: ``intake``, ``orders``, ``receipts``, ``notices``."""
    return {
        "intake": subjects.intake_subject(party),
        "orders": subjects.orders_subject(party),
        "receipts": subjects.receipts_subject(party),
        "notices": subjects.notices_subject(party),
    }


def first_event(party: str, now: datetime) -> dict[str, Any]:
    """What a partner may begin with: an order that it opens itself, for nobody else's is known to it yet."""
    return _trial(party, "order.opened", "trial-open", now, {"product": {"model": "a trial, not a product"}})


def last_event(party: str, now: datetime) -> dict[str, Any]:
    """What ends that order again, or the partner would be reminded of it."""
    return _trial(party, "order.closed", "trial-close", now, {"outcome": "cancelled"})


def _trial(party: str, fact: str, event_id: str, now: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": full_type(fact, 1),
        "source": party,
        "id": event_id,
        "subject": f"TRIAL-1~{name_of(party)}",  # which nobody else can open
        "time": now.astimezone(UTC).replace(microsecond=0).isoformat(),
        "data": data,
    }


@cache
def _words() -> Template:
    from jinja2 import Environment, StrictUndefined  # here, for the command line imports this module for its subjects

    words = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701 - Markdown for one reader
    return words.from_string(_WORDS.read_text(encoding="utf-8"))


def render_welcome(
    party: str,
    display_name: str,
    credentials: str,
    login: Identity,
    url: str | None,
    happened: datetime,
    http_url: str | None = None,
    keyed: bool = False,
) -> str:
    """The page, as Markdown; ``credentials`` is what the handed-over file is called, or the partner's own may be.

    ``happened`` is the time of the trial events on it.
    ``http_url`` is where HTTP is open, if it is, and ``keyed`` whether the partner has a key for it.
    """
    event, named = first_event(party, happened), subjects_of(party)
    if keyed and http_url is None:
        http_url = _SOME_HTTP
    shown = {"credentials": credentials, "url": url or _SOME_SERVER, **named}
    return _words().render(
        party=party,
        display_name=display_name,
        nkey=login.nkey,
        handed_over=login.file is not None,
        http_url=http_url,
        keyed=keyed,
        quoted=shlex.quote(credentials),
        one_line=shlex.quote(json.dumps(event)),
        closing=json.dumps(last_event(party, happened), indent=2, ensure_ascii=False),
        changed=shlex.quote(json.dumps({"changed_after": 0})),
        python={name: repr(text) for name, text in shown.items()} | {"event": _as_python(event)},
        **shown,
    )


def welcome_file(folder: HomeFolder, party: str) -> Path:
    """Beside the credentials of ``party``, under the same name."""
    return credential_file(folder, party).with_suffix(".md")


def write_welcome(home: Path, party: str, url: str | None, http_url: str | None = None) -> Path:
    """Write the page of a registered ``party`` anew, and return where it lies.

    ``url`` is the server as it is seen from here, None where none runs. An address that an operator has put into
    the page stays, for partners elsewhere; so does the one that was known before, where none is known now. The trial
    keeps its time: it is one event, which the partner may have published already.
    """
    from services.http.keys import with_key
    from services.parties import list_parties  # here, for the registry needs pydantic

    folder = HomeFolder(home)
    file = welcome_file(folder, party)
    display_name, secret = list_parties(home)[party].display_name, credential_file(folder, party).name
    login, keyed = identity(folder, party), party in with_key(home)
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    there = _server_to_name(_found(_SERVER_ROW, before), url)
    happened = _trial_time(before) or datetime.now(UTC)
    page = render_welcome(party, display_name, secret, login, there, happened, http_url, keyed)
    if page != before:
        write_private(file, page)
    return file


def _trial_time(page: str) -> datetime | None:
    """When the trial on ``page`` happened; None where nobody can tell any more."""
    try:
        moment = datetime.fromisoformat(_found(_TRIAL_TIME, page) or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _server_to_name(named: str | None, url: str | None) -> str | None:
    """The server that a page is to name, which names ``named`` as it lies here; ``url`` is the one that runs."""
    if named is None or named == _SOME_SERVER:
        return url
    return url if url is not None and is_local(named) else named


def renew_welcomes(home: Path, url: str | None, http_url: str | None) -> list[str]:
    """Write those pages anew that lie here and say otherwise than it is now; returns whose they are.

    Where HTTP is open, and where the server is, unless an operator has put another address there. All else that a page
    says is written anew where it is changed.
    """
    from services.http.keys import with_key
    from services.parties import list_parties

    folder, keyed = HomeFolder(home), with_key(home)
    renewed = []
    for party in list_parties(home):
        file, open_at = welcome_file(folder, party), http_url or (_SOME_HTTP if party in keyed else None)
        if not file.is_file():
            continue
        page = file.read_text(encoding="utf-8")
        named = _found(_SERVER_ROW, page)
        if _found(_HTTP_ROW, page) != open_at or (_server_to_name(named, url) or _SOME_SERVER) != named:
            write_welcome(home, party, url, http_url)
            renewed.append(party)
    return renewed


def _found(row: re.Pattern[str], page: str) -> str | None:
    """What a row of a page names, if it is there."""
    found = row.search(page)
    return found[1] if found else None


def _as_python(event: dict[str, Any]) -> str:
    """The event as a dictionary of a program, indented as within a function."""
    lines = json.dumps(event, indent=4, ensure_ascii=False).splitlines()
    return "\n    ".join(lines)

"""mail receive, mail fetch: letters of customers that come in, from a mail server's pipe or out of a mailbox."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import typer

from cli.connecting import with_chain
from cli.errors import Problem, one_line
from cli.options import Json, place_of
from cli.output import console, print_json
from cli.place import Place, settings_of
from cli.quick import QuickGroup

if TYPE_CHECKING:
    from nats.aio.client import Client

    from services.desk.mail import Mail

#: What mail servers understand (sysexits.h): wrong data, nobody of that name here, and "try again later".
EX_DATAERR: Final = 65
EX_NOUSER: Final = 67
EX_TEMPFAIL: Final = 75

#: A letter says when it was written; one that says something else than these days is not believed.
_BELIEVED: Final = timedelta(days=7)

#: No mail server takes longer ones, and what is piped in may have no end (bytes).
_LONGEST: Final = 128 * 1024 * 1024

#: More than the log would have of it (characters).
_MOST: Final = 20_000

app = typer.Typer(
    cls=QuickGroup, rich_markup_mode=None, no_args_is_help=True, help="Take in letters that customers write."
)


@dataclass(frozen=True)
class Taken:
    """What became of a letter: said, automatic, bounced, paused, or unknown, where it fits no order."""

    outcome: str
    sentence: str
    order: str | None = None
    more: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return {"outcome": self.outcome, "order": self.order} | (self.more or {})


@app.command()
def receive(ctx: typer.Context, as_json: Json = False) -> None:
    """Read one letter (RFC 5322) from standard input: for a mail server's pipe, procmail, or a fetcher.

    Her new words become a fact about the order that the letter is about. Which one that is, the letter that it answers
    tells, or what stands behind a plus in our address, or the order's number in its subject or text. What machines
    write is left out. A letter with "stop" for a subject pauses her messages, if it comes from an address at which we
    write to her. Exit code 65 for what is no letter or cannot be used, 67 for one that fits no order and is kept
    nowhere, 75 if the chain does not answer: the mail server tries again.
    """
    from services.desk.mail import MailError, read_mail

    try:
        raw = sys.stdin.buffer.read(_LONGEST + 1)
        if len(raw) > _LONGEST:
            raise MailError(f"it is longer than {_LONGEST >> 20} MB")
        mail = read_mail(raw)
    except MailError as error:
        raise Problem(f"this cannot be read as a letter: {error}.", EX_DATAERR) from None
    taken = take(place_of(ctx), mail)
    if taken.outcome == "unknown":
        raise Problem(taken.sentence, EX_NOUSER)
    _told([taken], as_json)


@app.command()
def fetch(ctx: typer.Context, as_json: Json = False) -> None:
    """Read what is unread in the mailbox that the setting imap_url names, once.

    A letter is marked as read after its words are in the log. One that fits no order stays unread, for a person to see.
    """
    from services.desk.mail import MailError, read_mail
    from services.desk.mailbox import Mailbox, MailboxError, MailboxUrlError

    place = place_of(ctx)
    url = settings_of(place).imap_url
    if url is None:
        raise Problem('no mailbox is set: write imap_url = "imaps://user:password@host/INBOX" in repairchain.toml.')
    done: list[Taken] = []
    trouble: Problem | None = None
    try:
        with Mailbox(url) as mailbox:
            for number, raw in mailbox.unread():
                try:
                    taken = take(place, read_mail(raw))
                except MailError as error:
                    taken = Taken("unknown", f"A letter cannot be read: {error}.")
                except Problem as problem:
                    if problem.exit_code != EX_DATAERR:
                        raise
                    # One that nobody can use must not keep those behind it from being read.
                    taken = Taken("unknown", f"A letter cannot be used: {problem}")
                if taken.outcome != "unknown":
                    mailbox.mark_read(number)
                done.append(taken)
    except MailboxUrlError as error:
        raise Problem(f"{one_line(error)}.") from None
    except MailboxError as error:
        trouble = Problem(f"{one_line(error)}.", EX_TEMPFAIL)
    except Problem as problem:
        trouble = problem
    if done or trouble is None:  # what became of those before the trouble is told nowhere else: they are read
        _told(done, as_json)
    if trouble is not None:
        raise trouble


def _told(done: list[Taken], as_json: bool) -> None:
    if as_json:
        print_json({"letters": [taken.as_json() for taken in done]})
        return
    for taken in done:
        console().print(taken.sentence, soft_wrap=True, markup=False, highlight=False)
    if not done:
        console().print("No letter is unread.")


# -- one letter --------------------------------------------------------------------------------------------------------


def take(place: Place, mail: Mail) -> Taken:
    """What becomes of ``mail``. Raises Problem, with exit code 75 where trying again may help."""
    from services.answering import NoAnswerError, QuestionError
    from services.desk.calling import DeskAwayError
    from services.desk.problems import DeskError

    if mail.kind == "automatic":
        return Taken("automatic", "A machine wrote this; it is left out.")
    try:
        return with_chain(place, lambda connection: _take(connection, mail))
    except (DeskError, QuestionError) as error:
        raise Problem(f"{one_line(error)}.", EX_DATAERR) from None
    except (DeskAwayError, NoAnswerError) as error:
        raise Problem(f"{one_line(error)}.", EX_TEMPFAIL) from None
    except Problem as problem:
        raise Problem(str(problem), EX_TEMPFAIL) from None


async def _take(connection: Client, mail: Mail) -> Taken:
    from services.desk.calling import call_desk

    if mail.bounce is not None:
        return await _bounced(connection, mail.bounce.message, mail.bounce.status)
    order = await _order_of(connection, mail)
    if order is None:
        return Taken("unknown", "This letter fits no order, and is kept nowhere.")
    if mail.kind == "stop":
        done = await call_desk(connection, "silence", {"order": order, "address": mail.address})
        said = (
            f"The customer of {order} is written to no more."
            if done["written_to"]
            else f"Nobody is written to about {order}."
        )
        return Taken("paused", said, order)
    reply = await call_desk(connection, "reply", _as_reply(mail, order))
    facts = [{name: fact[name] for name in ("type", "id", "position")} for fact in reply["facts"]]
    words = "in the log already" if reply["outcome"] == "duplicate" else " and ".join(fact["type"] for fact in facts)
    return Taken("said", f"About {order}: {words}.", order, {"id": reply["id"], "facts": facts})


def _as_reply(mail: Mail, order: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    believed = mail.date is not None and now - _BELIEVED < mail.date <= now
    return {
        "order": order,
        "text": mail.text[:_MOST] or "(a letter without words)",
        "channel": "email",
        "id": f"mail {mail.id}" if mail.id is not None else None,
        "message": next((each for each in mail.replies_to if each.startswith("msg-")), None),
        "at": mail.date.isoformat() if mail.date is not None and believed else None,
        "sender": mail.sender,
    }


async def _bounced(connection: Client, message: str | None, status: str) -> Taken:
    from services.desk.calling import call_desk

    found = await _by_message(connection, message) if message is not None else None
    if message is None or found is None:
        return Taken("automatic", f"A letter that is none of ours came back ({status}).")
    await call_desk(connection, "bounced", {"message": message, "status": status})
    said = (
        f"Message {message} about {found} came back for good ({status}): somebody has to reach the customer in person."
    )
    return Taken("bounced", said, found, {"message": message, "status": status})


async def _order_of(connection: Client, mail: Mail) -> str | None:
    """The order that a letter is about: by the letter that it answers, by our address, by a number in it."""
    for message in mail.replies_to:
        if (found := await _by_message(connection, message)) is not None:
            return found
    for tag in mail.tags:
        if len(found_by_tag := await _named(connection, tag)) == 1:
            return found_by_tag[0]
    named: set[str] = set()
    for number in mail.numbers:
        found_by_number = await _named(connection, number)
        if len(found_by_number) == 1:
            named.update(found_by_number)
    return named.pop() if len(named) == 1 else None


async def _by_message(connection: Client, message: str) -> str | None:
    from services.answering import ask

    orders = (await ask(connection, "message", {"message": message}))["orders"]
    return str(orders[0]["order_id"]) if orders else None


async def _named(connection: Client, name: str) -> list[str]:
    from services.answering import ask

    return list((await ask(connection, "find", {"order": name}))["orders"])

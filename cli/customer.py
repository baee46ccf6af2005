"""customer reply, show, set, export, forget: what she says and wants, what is held about her, and forgetting her."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.asking import check_text, hint_for
from cli.confirm import confirm
from cli.connecting import with_chain
from cli.errors import Problem, one_line
from cli.nearest import check_message_kind
from cli.options import Json, OrderName, place_of, read_moment
from cli.output import console, moments_now, print_json, show
from cli.place import Place
from cli.quick import QuickGroup
from cli.until_shown import until_shown

if TYPE_CHECKING:
    from nats.aio.client import Client

Ref = Annotated[
    list[str],
    typer.Argument(metavar="REF", help="The party and its number for her, retailer:acme C-77, or any of her orders."),
]

#: A queue of rejected submissions may have to be looked through.
_PATIENCE: Final = 600.0
#: Queries lag behind by a moment; it is waited for, so that the next command shows what was said.
_SHOWN_WITHIN: Final = 5.0

#: What takes a preference off her record.
_NONE: Final = "none"

app = typer.Typer(
    cls=QuickGroup,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Take down what customers say, and look after what is held about them.",
)


@app.command()
def reply(
    ctx: typer.Context,
    order: OrderName,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", show_default=False, help="What she said; - reads standard input.")
    ] = None,
    question: Annotated[bool, typer.Option("--question", help="It is a question, whatever it looks like.")] = False,
    answer: Annotated[
        str | None, typer.Option(metavar="QUESTION-ID", help="It answers this question to her.", show_default=False)
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="She says yes to the price.")] = False,
    decline: Annotated[bool, typer.Option("--decline", help="She says no to the price.")] = False,
    channel: Annotated[str, typer.Option(metavar="KIND", help="How it came: phone, email, visit.")] = "phone",
    id: Annotated[
        str | None, typer.Option(metavar="ID", help="The same id is the same word, for ever.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Take down a word of hers: an answer, a question, a yes or a no, or that she got in touch.

    A text that ends a sentence with a question mark asks the party that answers to her. It answers the question to her,
    if exactly one is open. What tells who she is, is taken out before it goes into the log. The same text about the
    same order on one day is one word. A word about a closed order opens it again.
    """
    from cli.render.customer import replied

    given = {
        "order": order,
        "text": sys.stdin.read() if text == "-" else text or "",
        "question": question,
        "answer": answer,
        "accept": accept,
        "decline": decline,
        "channel": channel,
        "id": id,
    }
    result = at_desk(place_of(ctx), "reply", given)
    if as_json:
        print_json(result)
    else:
        show(replied(result, moments_now()))


@app.command("show")
def show_(ctx: typer.Context, ref: Ref, as_json: Json = False) -> None:
    """Show how she is reached and what she wants, her orders, and what she was told."""
    from cli.render.customer import customer

    result = at_desk(place_of(ctx), "show", {"ref": " ".join(ref)}, _with_messages)
    if as_json:
        print_json(result)
    else:
        show(customer(result, moments_now()))


@app.command("set")
def set_(
    ctx: typer.Context,
    ref: Ref,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="Her language: nl.", show_default=False)] = None,
    quiet: Annotated[
        str | None, typer.Option(metavar="HOURS", help="Her quiet hours: 21:00-8:00, or never.", show_default=False)
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Hers: Europe/Amsterdam.", show_default=False)
    ] = None,
    not_told: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND", help="A kind of message that she does without, such as update.", show_default=False
        ),
    ] = None,
    pause_until: Annotated[
        str | None, typer.Option(metavar="T", help="She is not written to until then.", show_default=False)
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=ADDRESS",
            help="A way to reach her: email=zo@example.org. All of them, in order.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change how she is reached and what she wants; what is not given stays as it is.

    The word none takes a preference off: then it is as the policy has it. --not-told and --channel may be given several
    times, and take the place of all that was there.
    """
    from cli.render.customer import customer

    if quiet not in (None, _NONE):
        _check_quiet(str(quiet))
    for kind in not_told or ():
        if kind != _NONE:
            check_message_kind(kind)
    given: dict[str, Any] = {"ref": " ".join(ref)}
    for name, value in {"language": language, "quiet": quiet, "time_zone": time_zone}.items():
        if value is not None:
            given[name] = None if value == _NONE else value
    if pause_until is not None:
        moment = None if pause_until == _NONE else read_moment(pause_until, "--pause-until")
        given["paused_until"] = moment.isoformat() if moment is not None else None
    if not_told is not None:
        given["not_told"] = [kind for kind in not_told if kind != _NONE]
    if channel is not None:
        given["channels"] = [_channel(each) for each in channel if each != _NONE]
    result = at_desk(place_of(ctx), "set", given)
    if as_json:
        print_json(result)
    else:
        show(customer(result, moments_now()))


def _check_quiet(hours: str) -> None:
    from projections.policies.messages import NEVER, quiet_span

    if hours != NEVER and quiet_span(hours) is None:
        raise Problem(f"'{hours}' are no quiet hours: write two different times of the clock, 21:00-8:00, or never.")


def _channel(text: str) -> dict[str, str]:
    kind, equals, address = text.partition("=")
    if not (kind and equals and address):
        raise Problem("a channel is written KIND=ADDRESS, such as email=zo@example.org.")
    return {"kind": kind.strip(), "address": address.strip()}


@app.command()
def export(
    ctx: typer.Context,
    ref: Ref,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new JSON file; it must not exist yet.")],
    as_json: Json = False,
) -> None:
    """Write all that is held about her to a file, to be handed to her.

    Her record, her orders with their timelines, all messages with their texts, her contacts, and what could not be
    taken in about her. Only you may read the file.
    """
    import json

    from services.home import write_private

    if file.exists():
        raise Problem(f"{file} exists already: name a new file.")
    if not file.absolute().parent.is_dir():
        raise Problem(f"there is no folder {file.absolute().parent}: make it first.")
    result = at_desk(place_of(ctx), "export", {"ref": " ".join(ref)}, _with_timelines)
    write_private(file.absolute(), json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    orders, left_out = len(result["orders"]), result["rejected_total"] - len(result["rejected"])
    if as_json:
        print_json({"file": str(file.absolute()), "orders": orders, "left_out": left_out})
    else:
        console().print(f"{file} holds all about the customer, {orders} of her orders included.", soft_wrap=True)
        if left_out:
            console().print(
                f"Not in it: rejected submissions about her beside those, {left_out} ('repairchain rejected list').",
                soft_wrap=True,
            )


@app.command()
def forget(
    ctx: typer.Context,
    ref: Ref,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    even_if_unknown: Annotated[
        bool,
        typer.Option("--even-if-unknown", help="Also where nothing is known of her: before her first order comes."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Erase her name and addresses wherever they lie, for ever.

    Nothing is sent to her any more, and nothing brings her back: not what a partner hands in again, and not a new order
    under the same number. The log keeps what happened to her orders; it never held her name. A number of which nothing
    is known is taken for a slip, unless --even-if-unknown says that it is meant.
    """
    from cli.render.customer import forgotten, to_forget

    place, named = place_of(ctx), " ".join(ref)
    who = at_desk(place, "who", {"ref": named})
    meant = who["known"] or even_if_unknown  # else the desk says what is wrong
    if meant and not yes and not confirm(to_forget(who)):
        raise typer.Exit(1)
    result = at_desk(place, "forget", {"ref": named, "even_if_unknown": even_if_unknown})
    if as_json:
        print_json(result)
    else:
        show(forgotten(result))


# -- asking the desk ---------------------------------------------------------------------------------------------------


def at_desk(place: Place, verb: str, given: dict[str, Any], more: Any = None) -> dict[str, Any]:
    """What the desk answers, with what ``more`` adds to it. Raises Problem."""
    from services.answering import NoAnswerError, QuestionError
    from services.desk.calling import DeskAwayError, call_desk
    from services.desk.problems import DeskError

    check_text(given)

    async def work(connection: Client) -> dict[str, Any]:
        result = await call_desk(connection, verb, given, timeout=_PATIENCE)
        if more is not None:
            await more(connection, result)
        if verb == "reply" and result["facts"]:
            await until_shown(connection, max(fact["position"] for fact in result["facts"]), _SHOWN_WITHIN)
        return result

    try:
        return with_chain(place, work)
    except (DeskError, QuestionError) as error:
        hint = hint_for(place, given["order"]) if "order" in given else None
        raise Problem(f"{one_line(error)}: {hint}" if hint else f"{one_line(error)}.") from None
    except (DeskAwayError, NoAnswerError) as error:
        raise Problem(f"{one_line(error)}.") from None


async def _with_messages(connection: Client, result: dict[str, Any]) -> None:
    from services.answering import ask

    result["messages"] = []
    for order in result["orders"]:
        found = await ask(connection, "messages", {"order": order["order_id"], "limit": 1_000})
        result["messages"] += found["messages"]


async def _with_timelines(connection: Client, result: dict[str, Any]) -> None:
    from services.answering import ask
    from services.desk.stories import whole_story

    async def asked(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        return await ask(connection, name, args, at_least=at_least)  # with more patience than services have

    result["orders"] = [await whole_story(asked, order["order_id"]) for order in result["orders"]]

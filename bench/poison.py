"""What one submission in ten that cannot be taken costs the others: intake of one service process, with and without it.

``python -m bench.poison [--facts N] [--rounds N]``. The same number of submissions waits each time, all of them good or
a tenth of them poison of many kinds (torn, bent, too large, in another's name; tests/reliability/payloads.py). Counted
is everything from the partner's stream to the last receipt. The rounds alternate, each in a process of its own.

What is spoilt there says more than the good ones do, with every field filled in, and that costs something, spoilt or
not. How much shows a third kind of round: its tenth is of such submissions, too, but they are as they should be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

import uvloop

from bench.intake import submissions, take_in
from bench.measuring import durable_server
from events.envelope import split_type
from events.subjects import box_subject
from events.vocabulary import INCIDENT_FACTS, MERGING_FACTS, PARTY_FACTS
from services.connecting import connect
from services.parties import add_party
from services.rights import KEEPER_USER
from services.settings import FILE_NAME, Settings, load_settings
from tests.reliability.payloads import payloads

_PARTY = "repairer:bench"
_SUBJECT = box_subject(_PARTY)
_SHARE = 10  # one in so many is poison
_WANTED = 0.95
_ROOM: Final = 64 * 1024 * 1024  # bytes


Waiting = list[tuple[bytes, dict[str, str] | None]]


def clean(count: int, round: int) -> Waiting:
    """``count`` submissions that are as they should be."""
    return [(body, None) for body in submissions(count, round)]


def with_unspoilt(count: int, round: int) -> Waiting:
    """The same, but every tenth is what poison is made of, about the order of the one that stood there."""
    found = _unspoilt(count, round)
    waiting = clean(count, round)
    for at in range(_SHARE - 1, count, _SHARE):
        document, name = next(found)
        document["id"] = f"{round}-unspoilt-{at}"
        if name == "order.opened":
            document["subject"] = f"U-{round}-{at}"
        elif name not in PARTY_FACTS | INCIDENT_FACTS:
            document["subject"] = json.loads(waiting[at][0])["subject"]
        waiting[at] = json.dumps(document, ensure_ascii=False).encode(), None
    return waiting


def _unspoilt(count: int, round: int) -> Iterator[tuple[dict[str, Any], str]]:
    """But for the facts that speak of others, which there are not."""
    for each in payloads(count, round, good=1.0):
        document: dict[str, Any] = json.loads(each.body)
        name, _ = split_type(document["type"])
        if each.party == _PARTY and name not in MERGING_FACTS | {"fact.corrected"}:
            yield document, name


def with_poison(count: int, round: int) -> Waiting:
    """The same, but every tenth cannot be taken."""
    # The server itself takes two with one message id for one: each is to have its receipt here.
    bad = (
        (each.body, each.headers)
        for each in payloads(count, round, good=0.0)
        if each.party == _PARTY and "Nats-Msg-Id" not in (each.headers or {})
    )
    waiting = clean(count, round)
    waiting[_SHARE - 1 :: _SHARE] = [next(bad, (b"{", None)) for _ in range(count // _SHARE)]
    return waiting


_KINDS: Final = {"clean": clean, "unspoilt": with_unspoilt, "poisoned": with_poison}


async def hand_in(settings: Settings, waiting: Waiting) -> None:
    """Have all of it wait in the stream of the partner."""
    connection = await connect(settings, KEEPER_USER)
    js = connection.jetstream(publish_async_max_pending=4_000)
    stored = [await js.publish_async(_SUBJECT, body, headers=headers) for body, headers in waiting]
    await asyncio.gather(*stored)  # raises what one was refused for
    await connection.close()


def _share(paces: list[float], beside: list[float]) -> float:
    return statistics.median(mine / other for mine, other in zip(paces, beside, strict=True))


async def run(count: int, rounds: int) -> bool:
    """Whether good ones come in at 95% of their pace when every tenth beside them is poison."""
    paces: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    async with durable_server() as settings:
        # All of it waits at once, which is more than a partner may have waiting otherwise.
        (settings.home / FILE_NAME).write_text(f"partner_max_bytes = {_ROOM}\n")
        await asyncio.to_thread(add_party, settings.home, _PARTY)
        for number in range(rounds):
            for turn, kind in enumerate(_KINDS if number % 2 else reversed(_KINDS)):  # what grows slower hits all
                await hand_in(settings, _KINDS[kind](count, len(_KINDS) * number + turn))
                command = [sys.executable, "-m", "bench.poison", "take", str(settings.home), str(count)]
                done = await asyncio.to_thread(
                    subprocess.run, command, stdout=subprocess.PIPE, text=True, check=True, timeout=600
                )
                paces[kind].append(float(done.stdout.split()[-1]))
                print(f"round {number + 1}: {kind} {paces[kind][-1]:,.0f}/s", flush=True)
    for kind, pace in paces.items():
        print(f"{kind}: {statistics.median(pace):,.0f} submissions/s")
    share = _share(paces["poisoned"], paces["clean"])
    print(f"with 10% poison {share:.2f} of clean in the median pair of rounds, wanted {_WANTED:g}")
    print(f"{_share(paces['poisoned'], paces['unspoilt']):.2f} of what comes in where the same is not spoilt")
    return share >= _WANTED


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "take":
        print(uvloop.run(take_in(load_settings(home=sys.argv[2]), int(sys.argv[3]), poisoned=True)))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    sys.exit(not uvloop.run(run(given.facts, given.rounds)))


if __name__ == "__main__":
    main()

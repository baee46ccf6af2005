"""What one submission in ten that cannot be taken costs the others: intake of one service process, with and without it.

``python -m bench.poison [--facts N] [--rounds N]``. The same number of submissions waits each time, all of them good or
a tenth of them poison of many kinds (torn, bent, too large, in another's name; tests/reliability/payloads.py). Counted
is everything from the partner's stream to the last receipt. The rounds alternate, each in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys

import uvloop

from bench.intake import submissions, take_in
from bench.measuring import durable_server
from events.subjects import box_subject
from services.connecting import connect
from services.parties import add_party
from services.rights import KEEPER_USER
from services.settings import Settings, load_settings
from tests.reliability.payloads import payloads

_PARTY = "repairer:bench"
_SUBJECT = box_subject(_PARTY)
_SHARE = 10  # one in so many is poison
_WANTED = 0.95


def with_poison(count: int, round: int) -> list[tuple[bytes, dict[str, str] | None]]:
    """``count`` submissions, of which every tenth cannot be taken."""
    good = submissions(count, round)
    # The server itself takes two with one message id for one: each is to have its receipt here.
    found = [
        (each.body, each.headers)
        for each in payloads(count, round, good=0.0)
        if each.party == _PARTY and "Nats-Msg-Id" not in (each.headers or {})
    ]
    bad = iter(found)
    return [next(bad, (b"{", None)) if at % _SHARE == 0 else (body, None) for at, body in enumerate(good, start=1)]


async def hand_in(settings: Settings, waiting: list[tuple[bytes, dict[str, str] | None]]) -> None:
    """Have all of it wait in the stream of the partner."""
    connection = await connect(settings, KEEPER_USER)
    js = connection.jetstream(publish_async_max_pending=4_000)
    for body, headers in waiting:
        await js.publish_async(_SUBJECT, body, headers=headers)
    await js.publish_async_completed()
    await connection.close()


async def run(count: int, rounds: int) -> bool:
    """Whether good ones come in at 95% of their pace when every tenth beside them is poison."""
    paces: dict[str, list[float]] = {"clean": [], "poisoned": []}
    async with durable_server() as settings:
        await asyncio.to_thread(add_party, settings.home, _PARTY)
        for number in range(rounds):
            for kind in paces if number % 2 else reversed(paces):  # what grows slower or faster hits both
                turn = 2 * number + (kind == "poisoned")
                clean: list[tuple[bytes, dict[str, str] | None]] = [(body, None) for body in submissions(count, turn)]
                await hand_in(settings, with_poison(count, turn) if kind == "poisoned" else clean)
                command = [sys.executable, "-m", "bench.poison", "take", str(settings.home), str(count)]
                done = await asyncio.to_thread(
                    subprocess.run, command, stdout=subprocess.PIPE, text=True, check=True, timeout=600
                )
                paces[kind].append(float(done.stdout.split()[-1]))
                print(f"round {number + 1}: {kind} {paces[kind][-1]:,.0f}/s", flush=True)
    clean_pace, poisoned = (statistics.median(each) for each in paces.values())
    share: float = statistics.median(with_it / without for without, with_it in zip(*paces.values(), strict=True))
    print(
        f"with 10% poison {poisoned:,.0f} submissions/s, without {clean_pace:,.0f}: "
        f"{share:.2f} of it in the median pair of rounds, wanted {_WANTED:g}"
    )
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

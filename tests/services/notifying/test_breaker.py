"""When a service in trouble is left alone, and that one letter is tried first when it is not any more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event as Signal

import pytest

from services.notifying.breaker import FAILURES, LONGEST, SHORTEST, Breaker
from services.notifying.letter import Letter
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown
from services.notifying.providers import Guarded, Surroundings

LETTER = Letter(
    message="msg-1",
    kind="email",
    to_name=None,
    to_address="a@b.example",
    from_name="Juno",
    reply_to=None,
    language="en",
    subject="s",
    text="t",
    date=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
)
DOWN = Failed("ConnectionRefusedError")


def after(breaker: Breaker, failures: int, now: float = 0.0, chance: float = 0.0) -> Breaker:
    for _ in range(failures):
        breaker = breaker.failed(now, chance)
    return breaker


# -- the decision -----------------------------------------------------------------------------------------------------


def test_a_few_failures_change_nothing() -> None:
    breaker = after(Breaker(), FAILURES - 1)
    assert breaker.is_closed
    assert breaker.ready_in(0.0) == 0.0


def test_so_many_in_a_row_open_it_for_a_while() -> None:
    breaker = after(Breaker(), FAILURES, now=100.0)
    assert breaker.ready_in(100.0) == SHORTEST
    assert breaker.ready_in(110.0) == SHORTEST - 10.0
    assert breaker.ready_in(1_000.0) == 0.0
    assert not breaker.is_closed


def test_a_success_in_between_begins_the_count_anew() -> None:
    breaker = after(after(Breaker(), FAILURES - 1).succeeded(), FAILURES - 1)
    assert breaker.is_closed


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_limit() -> None:
    breaker, now, rests = after(Breaker(), FAILURES), 0.0, []
    for _ in range(8):
        rests.append(breaker.ready_in(now))
        now += breaker.ready_in(now)
        breaker = breaker.failed(now, 0.0)
    assert rests == [30.0, 60.0, 120.0, 240.0, 480.0, LONGEST, LONGEST, LONGEST]


def test_a_probe_that_succeeds_closes_it_and_the_next_rest_is_short_again() -> None:
    breaker = after(Breaker(), FAILURES).failed(SHORTEST, 0.0).succeeded()
    assert breaker.is_closed
    assert after(breaker, FAILURES, now=500.0).ready_in(500.0) == SHORTEST


def test_what_was_on_its_way_when_it_opened_does_not_count_again() -> None:
    breaker = after(Breaker(), FAILURES)
    assert after(breaker, 7, now=1.0) == breaker


def test_rests_are_spread() -> None:
    rests = {after(Breaker(), FAILURES, chance=chance).ready_in(0.0) for chance in (0.0, 0.5, 1.0)}
    assert len(rests) == 3
    assert min(rests) == SHORTEST
    assert max(rests) <= SHORTEST * 1.25


# -- a provider behind it ---------------------------------------------------------------------------------------------


@dataclass
class Service:
    """Answers what it is told to. While ``held``, no call comes back."""

    answers: list[Outcome] = field(default_factory=list)
    calls: int = 0
    begun: Signal = field(default_factory=Signal)
    held: Signal | None = None
    repeats_harmlessly: bool = False

    def send(self, letter: Letter) -> Outcome:
        self.calls += 1
        self.begun.set()
        if self.held is not None:
            assert self.held.wait(10)
        return self.answers.pop(0) if self.answers else Delivered()


@dataclass
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as workers:
        yield workers


def guarded(workers: ThreadPoolExecutor, service: Service) -> tuple[Guarded, Time]:
    time = Time()
    return Guarded(service, Surroundings(time, lambda: 0.0), workers), time


async def test_a_service_that_is_down_is_left_alone_and_then_tried_once(workers: ThreadPoolExecutor) -> None:
    service = Service([DOWN] * FAILURES)
    guard, time = guarded(workers, service)
    for _ in range(FAILURES):
        assert guard.ready_in() == 0.0
        assert await guard.send(LETTER) == DOWN
    assert guard.ready_in() == SHORTEST
    resting = await guard.send(LETTER)
    assert isinstance(resting, Failed)
    assert (resting.again, resting.retry_after) == (True, SHORTEST)
    assert service.calls == FAILURES  # it was not called again

    time.now = SHORTEST
    assert guard.ready_in() == 0.0
    service.answers = [DOWN]
    assert await guard.send(LETTER) == DOWN
    assert guard.ready_in() == 2 * SHORTEST
    time.now += 2 * SHORTEST
    assert await guard.send(LETTER) == Delivered()
    assert guard.ready_in() == 0.0


@pytest.mark.parametrize(
    ("answers", "calls"),
    [([Delivered()], 1 + 4), ([DOWN], 1)],
    ids=["it is well again", "it is down still"],
)
async def test_of_many_that_come_at_once_one_is_the_probe(
    workers: ThreadPoolExecutor, answers: list[Outcome], calls: int
) -> None:
    service = Service([DOWN] * FAILURES)
    guard, time = guarded(workers, service)
    for _ in range(FAILURES):
        await guard.send(LETTER)
    time.now = SHORTEST
    service.calls, service.answers, service.held = 0, list(answers), Signal()
    service.begun.clear()
    sending = [asyncio.create_task(guard.send(LETTER)) for _ in range(5)]
    await asyncio.to_thread(service.begun.wait, 10)
    assert service.calls == 1
    service.held.set()
    outcomes = await asyncio.gather(*sending)
    assert outcomes[0] == answers[0]
    assert service.calls == calls
    others = {type(outcome) for outcome in outcomes[1:]}
    assert others == {type(answers[0])}


@pytest.mark.parametrize(
    ("outcome", "opens"),
    [
        (Failed("smtp_550", again=False), False),  # one who is not there says nothing about the service
        (Failed("smtp_450", hers=True), False),
        (Delivered(), False),
        (Failed("smtp_451"), True),
        (Unknown("TimeoutError"), True),
    ],
)
async def test_what_counts_as_the_trouble_of_the_service(
    workers: ThreadPoolExecutor, outcome: Outcome, opens: bool
) -> None:
    guard, _ = guarded(workers, Service([outcome] * FAILURES))
    for _ in range(FAILURES):
        await guard.send(LETTER)
    assert (guard.ready_in() > 0) is opens


async def test_a_probe_that_comes_to_nothing_does_not_hold_up_the_next(workers: ThreadPoolExecutor) -> None:
    class Broken(Service):
        def send(self, letter: Letter) -> Outcome:
            outcome = super().send(letter)
            if self.calls == FAILURES + 1:
                raise RuntimeError("a fault of ours")
            return outcome

    guard, time = guarded(workers, Broken([DOWN] * FAILURES))
    for _ in range(FAILURES):
        await guard.send(LETTER)
    time.now = SHORTEST
    with pytest.raises(RuntimeError):
        await guard.send(LETTER)
    assert await guard.send(LETTER) == Delivered()


# -- a service that hangs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("harmless", "outcome"), [(False, Unknown("service_hangs")), (True, Failed("service_hangs"))])
async def test_a_letter_that_comes_to_no_end_is_given_up(harmless: bool, outcome: Outcome) -> None:
    service = Service(held=Signal(), repeats_harmlessly=harmless)
    with ThreadPoolExecutor(1) as only_one:
        guard = Guarded(service, Surroundings(Time(), lambda: 0.0, patience=0.01), only_one)
        assert await guard.send(LETTER) == outcome
        assert await guard.send(LETTER) == Failed("service_hangs"), "it had not begun"
        assert service.held is not None
        service.held.set()
    assert service.calls == 1


async def test_what_waits_while_a_service_turns_out_to_be_in_trouble_is_not_tried() -> None:
    service = Service([DOWN] * 40, held=Signal())
    guard = Guarded(service, Surroundings(Time(), lambda: 0.0))
    sending = [asyncio.create_task(guard.send(LETTER)) for _ in range(40)]
    await asyncio.to_thread(service.begun.wait, 10)
    assert service.held is not None
    service.held.set()
    outcomes = await asyncio.gather(*sending)
    assert service.calls < 16 + FAILURES
    assert [getattr(each, "reason", "") for each in outcomes].count("service_rests") == 40 - service.calls
    guard.close()

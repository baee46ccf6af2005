"""What is known of a letter to which a service behind Apprise said no; over real HTTP on loopback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from apprise.decorators import notify

from services.notifying.gateway import Gateway, Seen, verdict
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown
from tests.services.notifying.mailserver import free_port
from tests.services.notifying.receiver import Receiver, Reply, receiving
from tests.services.notifying.sample_letter import LETTER

TEXT = replace(LETTER, kind="sms", to_address="+31612345678")


@pytest.fixture
def service() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def through(service: Receiver) -> Gateway:
    return Gateway("sms", f"json://127.0.0.1:{service.port}/texts/{{address}}?+key=hush")


def test_a_text_reaches_its_number(service: Receiver) -> None:
    assert through(service).send(TEXT) == Delivered()
    (call,) = service.calls
    assert call.path == "/texts/+31612345678"
    assert b"Uw Halden is onderzocht" in call.body


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(400), Failed("json_400", again=False)),
        (Reply(404), Failed("json_404", again=False)),
        (Reply(401), Failed("json_401")),  # our account, not her number: somebody can mend that
        (Reply(429, {"Retry-After": "90"}), Failed("json_429", retry_after=90.0)),
        (Reply(503, {"Retry-After": "soon"}), Failed("json_503")),
        (Reply(408), Unknown("json_408")),
        (Reply(500), Unknown("json_500")),
        (Reply(hang_up=True), Unknown("json_refused")),
    ],
)
def test_what_the_service_says_is_told_apart(service: Receiver, reply: Reply, outcome: Outcome) -> None:
    service.replies = [reply]
    assert through(service).send(TEXT) == outcome
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("status", "outcome", "methods"),
    [
        (301, Unknown("json_301"), ["POST", "GET"]),
        (302, Unknown("json_302"), ["POST", "GET"]),
        (303, Delivered(), ["POST", "GET"]),  # it took the text, and says where to read of it
        (307, Delivered(), ["POST", "POST"]),
    ],
)
def test_a_page_that_we_are_sent_to_takes_no_text(
    service: Receiver, status: int, outcome: Outcome, methods: list[str]
) -> None:
    service.replies = [Reply(status, {"Location": f"http://127.0.0.1:{service.port}/login"}), Reply(200)]
    assert through(service).send(TEXT) == outcome
    assert [call.method for call in service.calls] == methods


def test_one_that_sends_us_round_in_circles_has_taken_nothing_for_certain(service: Receiver) -> None:
    service.replies = [Reply(302, {"Location": "/texts/again"})] * 40
    assert through(service).send(TEXT) == Unknown("json_refused")


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "mail.invalid"])
def test_where_nobody_is_nothing_has_left(host: str) -> None:
    url = f"json://{host.format(port=free_port())}/{{address}}"
    assert Gateway("sms", url).send(TEXT) == Failed("json_unreachable")


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        ((), Unknown("x_refused")),
        ((Seen(200),), Unknown("x_refused")),  # it took something
        ((Seen(201), Seen(400)), Unknown("x_refused")),  # the first half of a long text, perhaps
        ((Seen(),), Unknown("x_refused")),  # an error in the middle
        ((Seen(), Seen(400)), Unknown("x_refused")),
        ((Seen(500), Seen(400)), Unknown("x_400")),
        ((Seen(never_left=True), Seen(400)), Failed("x_400", again=False)),
        ((Seen(never_left=True), Seen(never_left=True)), Failed("x_unreachable")),
    ],
)
def test_only_proof_counts(seen: tuple[Seen, ...], outcome: Outcome) -> None:
    assert verdict("x", seen) == outcome


def test_of_a_plugin_that_does_not_speak_http_nobody_knows() -> None:
    on_pigeon = notify(on="pigeon")  # type: ignore[no-untyped-call]  # Apprise is typed in parts

    @on_pigeon
    def pigeon(*args: object, **kwargs: object) -> bool:
        return False

    assert Gateway("sms", "pigeon://roof/{address}").send(TEXT) == Unknown("pigeon_refused")


def test_what_is_no_number_of_a_phone_goes_nowhere(service: Receiver) -> None:
    for address in ("0612345678", "anna@example.com", "+31612345678/../../admin"):
        assert through(service).send(replace(TEXT, to_address=address)) == Failed("bad_address", again=False)
    assert service.calls == []


def test_the_address_cannot_leave_its_place(service: Receiver) -> None:
    gateway = Gateway("chat", f"json://127.0.0.1:{service.port}/to/{{address}}/end")
    assert gateway.send(replace(TEXT, kind="chat", to_address="a/../b?c=1&d#e@f:g%2F")) == Delivered()
    (call,) = service.calls
    assert call.path == "/to/a%2F..%2Fb%3Fc=1&d%23e@f:g%252F/end"
    assert call.headers["host"] == f"127.0.0.1:{service.port}"


def test_a_real_service_reads_its_number() -> None:
    url = f"twilio://AC{'0' * 32}:{'0' * 32}@14155550100/{{address}}"
    plugin = Gateway("sms", url).plugin("+31612345678")
    assert [target[-1] for target in plugin.targets] == ["+31612345678"]


def test_neither_keys_nor_numbers_are_logged(service: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # as services/logs.py does
    service.replies = [Reply(500)]
    gateway = through(service)
    with caplog.at_level(logging.INFO):
        outcome = gateway.send(TEXT)
    said = caplog.text + repr(gateway) + repr(outcome)
    assert "hush" not in said
    assert "31612345678" not in said


def test_other_requests_of_this_process_are_left_alone(service: Receiver) -> None:
    answer = requests.post(f"http://127.0.0.1:{service.port}/", timeout=5)
    assert answer.status_code == 200

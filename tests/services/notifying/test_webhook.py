"""Messages to shops that write to their customers themselves: signed, once, and never where they should not go."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from services.contact import Channel, Contact
from services.delivery import AppriseDelivery
from services.notifying.breaker import FAILURES, SHORTEST
from services.notifying.outcomes import Delivered, Failed, Outcome
from services.notifying.webhook import WebhookCaller
from services.webhooks import Webhook, is_public, remove_webhook, rotate_secret, set_webhook, webhook_finder
from tests.services.notifying.receiver import Receiver, Reply, make_certificate, receiving
from tests.services.notifying.sample_letter import LETTER, SENDER

DOCS = Path(__file__).parents[3] / "docs"
SHOP = "retailer:juno"
CONTACT = Contact(
    name="Zoë de Wit",
    language="nl",
    channels=(Channel(kind="sms", address="+31612345678"), Channel(kind="email", address="zoe@mail.example")),
)
MESSAGE = replace(
    LETTER,
    kind="webhook",
    to_address=SHOP,
    order="W-1001",
    accountable=SHOP,
    news="quote",
    next_news_by=datetime(2026, 11, 27, 16, 0, tzinfo=UTC),
    html="<p>Beste Zoë de Wit,</p>",
    short="Juno Horloges:\nUw Halden is onderzocht.",
    contact=CONTACT,
)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def calling(home: Path, *, seconds: float = 10.0, private_networks: bool = True) -> WebhookCaller:
    return WebhookCaller(webhook_finder(home), now, private_networks, seconds=seconds)


def given(home: Path, shop: Receiver, path: str = "/messages?shop=1") -> str:
    """Set the shop's webhook; its secret."""
    found, _ = set_webhook(home, SHOP, f"http://127.0.0.1:{shop.port}{path}")
    return found.secrets[0].secret


# -- what a shop gets -------------------------------------------------------------------------------------------------


def test_a_shop_gets_the_message_as_data_and_can_tell_that_it_is_ours(free_home: Path, shop: Receiver) -> None:
    secret = given(free_home, shop)
    assert calling(free_home).send(MESSAGE) == Delivered()
    (call,) = shop.calls
    assert call.path == "/messages?shop=1"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["webhook-id"] == MESSAGE.message
    assert Verifier(secret).verify(call.body, call.headers) == {
        "type": "repairchain.message.quote",
        "timestamp": "2026-11-23T10:00:00Z",
        "data": {
            "order": "W-1001",
            "message": MESSAGE.message,
            "kind": "quote",
            "language": "nl",
            "subject": MESSAGE.subject,
            "text": MESSAGE.text,
            "html": "<p>Beste Zoë de Wit,</p>",
            "short": "Juno Horloges:\nUw Halden is onderzocht.",
            "next_news_by": "2026-11-27T16:00:00Z",
            "to": {
                "name": "Zoë de Wit",
                "channels": [
                    {"kind": "sms", "address": "+31612345678"},
                    {"kind": "email", "address": "zoe@mail.example"},
                ],
            },
        },
    }


def test_whoever_changes_a_message_or_has_another_secret_is_found_out(free_home: Path, shop: Receiver) -> None:
    secret = given(free_home, shop)
    calling(free_home).send(MESSAGE)
    (call,) = shop.calls
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(call.body.replace(b"85,00", b"58,00"), call.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier("whsec_" + "A" * 44).verify(call.body, call.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(call.body, call.headers | {"webhook-id": "msg-of-another"})


def test_a_message_that_is_played_again_later_is_too_old(free_home: Path, shop: Receiver) -> None:
    secret = given(free_home, shop)
    long_ago = WebhookCaller(webhook_finder(free_home), lambda: now() - timedelta(hours=1), private_networks=True)
    long_ago.send(MESSAGE)
    (call,) = shop.calls
    with pytest.raises(WebhookVerificationError, match="too old"):
        Verifier(secret).verify(call.body, call.headers)


def test_every_attempt_has_the_same_id_and_is_signed_anew(free_home: Path, shop: Receiver) -> None:
    secret = given(free_home, shop)
    moments = [now() - timedelta(seconds=60), now()]
    for moment in moments:
        WebhookCaller(webhook_finder(free_home), lambda at=moment: at, private_networks=True).send(MESSAGE)  # type: ignore[misc]
    first, second = shop.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    for call in shop.calls:
        Verifier(secret).verify(call.body, call.headers)


def test_for_a_day_the_old_secret_is_good_as_well(free_home: Path, shop: Receiver) -> None:
    old = given(free_home, shop)
    new = rotate_secret(free_home, SHOP, now()).secrets[0].secret
    calling(free_home).send(MESSAGE)
    assert old != new
    for secret in (old, new):
        Verifier(secret).verify(shop.calls[0].body, shop.calls[0].headers)
    tomorrow = WebhookCaller(webhook_finder(free_home), lambda: now() + timedelta(days=1, seconds=1), True)
    tomorrow.send(MESSAGE)
    assert len(shop.calls[1].headers["webhook-signature"].split()) == 1


def test_the_lines_in_the_documents_verify_it(free_home: Path, shop: Receiver) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "channels.md").read_text(encoding="utf-8"), re.DOTALL)
    secret = given(free_home, shop)
    for _ in range(2):
        calling(free_home).send(MESSAGE)
    seen: set[str] = set()
    passed_on: list[dict[str, Any]] = []

    def is_new(id: str) -> bool:
        known = id in seen
        seen.add(id)
        return not known

    place: dict[str, Any] = {"is_new": is_new, "pass_on": passed_on.append}
    exec(code.replace("whsec_…", secret), place)  # noqa: S102 - our own document
    receive = place["receive"]
    assert [receive(call.body, call.headers) for call in shop.calls] == [200, 200]
    assert [message["order"] for message in passed_on] == ["W-1001"]
    assert receive(shop.calls[0].body + b" ", shop.calls[0].headers) == 401


# -- what becomes of it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(200), Delivered()),
        (Reply(202), Delivered()),
        (Reply(204), Delivered()),
        (Reply(302, {"Location": "/elsewhere"}), Failed("webhook_302")),
        (Reply(400), Failed("webhook_400", again=False)),
        (Reply(401), Failed("webhook_401", again=False)),
        (Reply(404), Failed("webhook_404", again=False)),
        (Reply(410), Failed("webhook_410", again=False)),
        (Reply(408), Failed("webhook_408")),
        (Reply(409), Failed("webhook_409")),
        (Reply(425), Failed("webhook_425")),
        (Reply(429, {"Retry-After": "120"}), Failed("webhook_429", retry_after=120.0)),
        (Reply(503, {"Retry-After": "999999999"}), Failed("webhook_503", retry_after=86_400.0)),
        (Reply(503, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}), Failed("webhook_503", retry_after=0.0)),
        (Reply(500), Failed("webhook_500")),
        (Reply(hang_up=True), Failed("webhook_RemoteDisconnected")),
        (Reply(200, body=b"x" * 10_000_000), Delivered()),  # nobody reads it
    ],
)
def test_what_an_answer_means(free_home: Path, shop: Receiver, reply: Reply, outcome: Outcome) -> None:
    given(free_home, shop)
    shop.replies = [reply]
    assert calling(free_home).send(MESSAGE) == outcome
    assert len(shop.calls) == 1  # no redirect is followed


def test_an_answer_that_never_ends_is_cut_off(free_home: Path, shop: Receiver) -> None:
    given(free_home, shop)
    shop.replies = [Reply(drip=True)]
    assert calling(free_home, seconds=0.3).send(MESSAGE) == Failed("webhook_timeout")


def test_nobody_there(free_home: Path) -> None:
    set_webhook(free_home, SHOP, "http://127.0.0.1:9/")
    assert calling(free_home).send(MESSAGE) == Failed("webhook_ConnectionRefusedError")
    set_webhook(free_home, SHOP, "https://shop.invalid/")
    assert calling(free_home).send(MESSAGE) == Failed("webhook_gaierror")


# -- where it may not go ----------------------------------------------------------------------------------------------


def test_a_private_network_is_called_only_where_the_operator_allows_it(free_home: Path, shop: Receiver) -> None:
    given(free_home, shop)
    assert calling(free_home, private_networks=False).send(MESSAGE) == Failed("webhook_private_address")
    assert shop.calls == []


def test_what_is_looked_up_is_what_is_called(free_home: Path, shop: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is looked at and private when it is called would lead past the check."""
    set_webhook(free_home, SHOP, f"https://shop.example:{shop.port}/")
    asked: list[object] = []
    called: list[str] = []

    def resolver(host: object, port: object, *_: object, **__: object) -> list[object]:
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.215.14" if len(asked) == 1 else "127.0.0.1", port))]

    def connect(address: tuple[str, int], timeout: float) -> object:
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert calling(free_home, private_networks=False).send(MESSAGE) == Failed("webhook_ConnectionRefusedError")
    assert asked == ["shop.example"]
    assert called == ["93.184.215.14"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound to it
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_which_addresses_are_of_the_internet_at_large(address: str, public: bool) -> None:
    assert is_public(address) is public


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(certificate: Path) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(context) as receiver:
        yield receiver


def test_over_tls_to_whoever_proves_who_it_is(free_home: Path, secure: Receiver, certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    set_webhook(free_home, SHOP, f"https://localhost:{secure.port}/")
    caller = WebhookCaller(webhook_finder(free_home), now, True, trusting, seconds=10.0)
    assert caller.send(MESSAGE) == Delivered()
    set_webhook(free_home, SHOP, f"https://127.0.0.1:{secure.port}/")
    assert caller.send(MESSAGE) == Failed("webhook_SSLCertVerificationError")
    set_webhook(free_home, SHOP, f"https://localhost:{secure.port}/")
    assert calling(free_home).send(MESSAGE) == Failed("webhook_SSLCertVerificationError")
    assert len(secure.calls) == 1


def test_over_tls_an_answer_that_never_ends_is_cut_off_too(
    free_home: Path, secure: Receiver, certificate: Path
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    set_webhook(free_home, SHOP, f"https://localhost:{secure.port}/")
    secure.replies = [Reply(drip=True)]
    caller = WebhookCaller(webhook_finder(free_home), now, True, trusting, seconds=0.5)
    assert caller.send(MESSAGE) == Failed("webhook_timeout")


# -- in its place among the channels ----------------------------------------------------------------------------------


def delivery(home: Path, time: list[float]) -> AppriseDelivery:
    return AppriseDelivery(
        "outbox://",
        outbox=home / "outbox",
        sender=SENDER,
        webhook_of=webhook_finder(home),
        private_networks=True,
        monotonic=lambda: time[0],
        chance=lambda: 0.0,
    )


async def test_messages_of_a_party_with_a_webhook_go_there_and_nowhere_else(free_home: Path, shop: Receiver) -> None:
    found = delivery(free_home, [0.0])
    assert [route.kind for route in found.routes(CONTACT, SHOP)] == ["email"]
    given(free_home, shop)
    (route,) = found.routes(CONTACT, SHOP)
    assert (route.kind, route.address) == ("webhook", SHOP)
    assert found.routes(Contact(), SHOP) == (route,)
    assert found.repeats_harmlessly("webhook")
    assert [each.kind for each in found.routes(CONTACT, "retailer:other")] == ["email"]
    assert await found.send(replace(MESSAGE, kind=route.kind, to_address=route.address)) == Delivered()
    assert json.loads(shop.calls[0].body)["data"]["to"]["name"] == "Zoë de Wit"
    remove_webhook(free_home, SHOP)
    assert [each.kind for each in found.routes(CONTACT, SHOP)] == ["email"]
    assert await found.send(MESSAGE) == Failed("webhook_gone", hers=True)


async def test_the_trouble_of_one_shop_is_not_that_of_another(free_home: Path, shop: Receiver) -> None:
    time = [0.0]
    found = delivery(free_home, time)
    given(free_home, shop)
    set_webhook(free_home, "retailer:other", f"http://127.0.0.1:{shop.port}/other")
    shop.replies = [Reply(500)] * FAILURES
    for _ in range(FAILURES):
        await found.send(MESSAGE)
    resting = await found.send(MESSAGE)
    assert isinstance(resting, Failed)
    assert resting.retry_after == SHORTEST
    assert await found.send(replace(MESSAGE, accountable="retailer:other")) == Delivered()
    time[0] = SHORTEST
    assert await found.send(MESSAGE) == Delivered()


def test_a_partner_cannot_name_a_webhook_for_a_customer(free_home: Path) -> None:
    contact = Contact(channels=(Channel(kind="webhook", address="http://127.0.0.1:8222/"),))
    assert delivery(free_home, [0.0]).routes(contact, SHOP) == ()


def test_secrets_stay_out_of_what_is_printed(free_home: Path, shop: Receiver) -> None:
    secret = given(free_home, shop, "/token-123")
    found = webhook_finder(free_home)(SHOP)
    assert isinstance(found, Webhook)
    assert secret not in repr(found)
    assert "token-123" not in repr(found)
    assert found.origin == f"http://127.0.0.1:{shop.port}"

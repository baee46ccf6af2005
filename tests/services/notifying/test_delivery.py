"""Letters leave through Apprise: as files that are written once, and over a real SMTP server."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from apprise.decorators import notify

from services.contact import Channel, Contact
from services.delivery import AppriseDelivery, DeliveryError, channel_provider
from services.notifying.breaker import FAILURES, SHORTEST
from services.notifying.gateway import Gateway
from services.notifying.letter import AddressError, check_address
from services.notifying.mime import build_email
from services.notifying.outcomes import Delivered, Failed, Unknown
from tests.services.notifying.mailserver import MailServer, free_port
from tests.services.notifying.receiver import receiving
from tests.services.notifying.sample_letter import LETTER, SENDER, read, text_of


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def check(email: EmailMessage) -> None:
    """It is the letter, in every respect."""
    assert str(email["To"]) == "Zoë de Wit <o'neil+watch@example.com>"
    assert str(email["From"]) == f"Juno Horloges & Zoon <{SENDER}>"
    assert str(email["Reply-To"]) == "Juno Horloges & Zoon <service@juno.example>"
    assert email["Subject"] == "Uw Halden: reparatie voor € 85,00"
    assert email["Date"].datetime == LETTER.date
    assert email["Message-ID"] == "<msg-0123456789abcdef@chain.example>"
    assert email["Auto-Submitted"] == "auto-generated"
    assert email["Content-Language"] == "nl"
    assert text_of(email) == LETTER.text
    assert not email.defects
    assert len(email.keys()) == len(set(email.keys()))


# -- the outbox -------------------------------------------------------------------------------------------------------


async def test_the_outbox_holds_each_letter_once(tmp_path: Path) -> None:
    delivery = AppriseDelivery("outbox://", outbox=tmp_path / "out", sender=SENDER)
    assert await delivery.send(LETTER) == Delivered()
    assert await delivery.send(replace(LETTER, text="again")) == Delivered()
    (file,) = (tmp_path / "out").iterdir()
    assert file.name == "msg-0123456789abcdef.eml"
    check(read(file.read_bytes()))
    assert file.stat().st_mode & 0o077 == 0  # her name and address are nobody else's business
    assert delivery.repeats_harmlessly("email")


async def test_the_outbox_may_be_elsewhere(tmp_path: Path) -> None:
    place = tmp_path / "a place"
    delivery = AppriseDelivery(f"outbox://{place}".replace(" ", "%20"), outbox=tmp_path / "out", sender=SENDER)
    assert await delivery.send(LETTER) == Delivered()
    assert names_in(place) == ["msg-0123456789abcdef.eml"]


async def test_an_outbox_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    delivery = AppriseDelivery("outbox://", outbox=tmp_path / "file", sender=SENDER)
    outcome = await delivery.send(LETTER)
    assert isinstance(outcome, Failed)
    assert outcome.again


async def test_a_torn_write_leaves_no_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("services.notifying.outbox.os.fsync", full)
    delivery = AppriseDelivery("outbox://", outbox=tmp_path, sender=SENDER)
    assert await delivery.send(LETTER) == Failed("outbox_OSError")
    assert names_in(tmp_path) == []


# -- SMTP -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


def over(mail: MailServer) -> AppriseDelivery:
    return AppriseDelivery(mail.url, outbox=Path("unused"), sender=SENDER)


async def test_smtp_delivers_the_letter_to_her_alone(mail: MailServer) -> None:
    delivery = over(mail)
    assert await delivery.send(LETTER) == Delivered()
    (envelope,) = mail.taken
    assert envelope.mail_from == SENDER
    assert envelope.rcpt_tos == ["o'neil+watch@example.com"]
    assert isinstance(envelope.content, bytes)
    assert envelope.content.isascii()
    check(read(envelope.content))
    assert not delivery.repeats_harmlessly("email")


@pytest.mark.parametrize(
    ("at_recipient", "at_data", "outcome"),
    [
        ("550 5.1.1 <o'neil+watch@example.com> unknown", "", Failed("smtp_550", again=False)),
        ("450 4.2.1 busy", "", Failed("smtp_450", hers=True)),
        ("", "554 5.7.1 spam", Failed("smtp_554", again=False)),
        ("", "451 4.3.0 later", Failed("smtp_451")),
        ("", "hang up", Unknown("SMTPServerDisconnected")),  # it may have kept the letter
    ],
)
async def test_what_the_server_says_is_told_apart_and_repeats_no_address(
    mail: MailServer, at_recipient: str, at_data: str, outcome: Failed | Unknown
) -> None:
    mail.at_recipient, mail.at_data = at_recipient, at_data
    assert await over(mail).send(LETTER) == outcome


async def test_a_server_that_is_away_is_tried_again() -> None:
    delivery = AppriseDelivery(f"mailto://127.0.0.1:{free_port()}", outbox=Path("unused"), sender=SENDER)
    assert await delivery.send(LETTER) == Failed("ConnectionRefusedError")


async def test_a_server_without_encryption_gets_nothing_where_encryption_was_asked(mail: MailServer) -> None:
    delivery = AppriseDelivery(
        mail.url.replace("mailto://", "mailtos://user:secret@"), outbox=Path("unused"), sender=SENDER
    )
    assert await delivery.send(LETTER) == Failed("SMTPNotSupportedError")
    assert mail.taken == []


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: all@example.com",
        "a@b.example\nRCPT TO:<all@example.com>",
        "a@b.example,all@example.com",
        "a@b.example all@example.com",
        "Anna <a@b.example>",
        "a@b@c.example",
        "@b.example",
        "a@",
        "a",
        "",
        "a@[127.0.0.1]",
        "a@-b.example",
        "zoë@example.com",
        "a" * 250 + "@b.example",
    ],
)
async def test_what_is_not_one_address_is_refused_before_anything_is_sent(mail: MailServer, address: str) -> None:
    letter = replace(LETTER, to_address=address)
    assert await over(mail).send(letter) == Failed("bad_address", again=False)
    assert mail.taken == []


@pytest.mark.parametrize(
    ("address", "as_sent"),
    [
        ("o'neil+watch@example.com", "o'neil+watch@example.com"),
        ("very!odd#but/fine=1@sub.example.co", "very!odd#but/fine=1@sub.example.co"),
        ('"Zo E"@example.com', '"Zo E"@example.com'),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@localhost", "anna@localhost"),
    ],
)
async def test_odd_addresses_arrive_as_they_are(mail: MailServer, address: str, as_sent: str) -> None:
    assert check_address(address) == as_sent
    assert await over(mail).send(replace(LETTER, to_address=address)) == Delivered()
    assert mail.taken[0].rcpt_tos == [as_sent]


async def test_nothing_in_a_letter_can_start_a_header(mail: MailServer) -> None:
    nasty = "x\r\nBcc: all@example.com\r\n\r\nbody"
    letter = replace(LETTER, to_name=nasty, from_name=nasty, subject=nasty)
    assert await over(mail).send(letter) == Delivered()
    content = mail.taken[0].content
    assert isinstance(content, bytes)
    assert read(content)["Bcc"] is None
    assert text_of(read(content)) == LETTER.text
    assert mail.taken[0].rcpt_tos == [LETTER.to_address]


def test_long_lines_are_folded_for_transport() -> None:
    text = "Beste Zoë,\n\n" + "heel lang " * 200 + "\n"
    content = build_email(replace(LETTER, text=text), SENDER, "8bit")
    assert max(len(line) for line in content.splitlines()) <= 998
    assert text_of(read(content)) == text


def test_addresses_stay_out_of_logs() -> None:
    assert "neil" not in repr(LETTER)
    assert "Zoë" not in repr(LETTER)
    with pytest.raises(AddressError) as refused:
        check_address("not an address of Zoë")
    assert "Zoë" not in str(refused.value)


# -- the settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["", "nonsense", "nonsense://{address}", "mailto://", "json://localhost"])
def test_settings_that_cannot_work_are_refused_at_the_start(url: str) -> None:
    with pytest.raises(DeliveryError, match="email_url"):
        AppriseDelivery(url, outbox=Path("unused"), sender=SENDER)


def test_whoever_names_a_mail_server_by_its_protocol_is_told_how_it_is_written() -> None:
    with pytest.raises(DeliveryError, match="mailtos://user:password@host") as refused:
        AppriseDelivery("smtps://juno:hush@smtp.example.org:465", outbox=Path("unused"), sender=SENDER)
    assert "hush" not in str(refused.value)


def test_so_is_a_sender_that_is_no_address() -> None:
    with pytest.raises(DeliveryError, match="sender_address"):
        AppriseDelivery("outbox://", outbox=Path("unused"), sender="Juno <juno@example.com>")


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ({"sms": "jsons://gate.example/?key=hush"}, r"channels\.sms starts with jsons://, which needs \{address\}"),
        ({"sms": "carrierpigeon://hush/{address}"}, r"channels\.sms is not an address that Apprise can use"),
        ({"sms": "hush hush {address}"}, r"channels\.sms is not an address .* \(it starts with something else://\)"),
        ({"email": "mailto://hush@host"}, "email_url says where e-mail goes"),
        ({"webhook": "jsons://hush/{address}"}, "repairchain partner add --webhook"),
        ({"Text Message": "jsons://hush/{address}"}, "is not a kind of channel"),
    ],
)
def test_so_are_channels_that_cannot_work_and_their_secrets_are_not_repeated(
    channels: dict[str, str], said: str
) -> None:
    with pytest.raises(DeliveryError, match=said) as refused:
        AppriseDelivery("outbox://", outbox=Path("unused"), sender=SENDER, channels=channels)
    assert "hush" not in str(refused.value)


def test_the_channels_in_the_documents_work() -> None:
    document = (Path(__file__).parents[3] / "docs" / "channels.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    channels = tomllib.loads(table.replace("ACCOUNT", "AC" + "0" * 32).replace("TOKEN", "0" * 32))["channels"]
    for kind, url in channels.items():
        provider = channel_provider(kind, url)
        assert isinstance(provider, Gateway)
        assert len(provider.plugin("+31612345678").targets) == 1


async def test_her_channels_in_her_order_as_far_as_somebody_serves_them(tmp_path: Path) -> None:
    with receiving() as service:
        url = f"json://127.0.0.1:{service.port}/{{address}}"
        delivery = AppriseDelivery("outbox://", outbox=tmp_path, sender=SENDER, channels={"sms": url})
        hers = (("telegram", "@anna"), ("sms", "+31612345678"), ("email", "anna@mail.example"), ("sms", "+31687654321"))
        contact = Contact(channels=tuple(Channel(kind=kind, address=address) for kind, address in hers))
        routes = delivery.routes(contact, "retailer:juno")
        assert [(route.kind, route.address) for route in routes] == list(hers[1:])
        for route in routes:
            letter = replace(LETTER, kind=route.kind, to_address=route.address)
            assert await delivery.send(letter) == Delivered()
        assert [call.path for call in service.calls] == ["/+31612345678", "/+31687654321"]
        assert names_in(tmp_path) == ["msg-0123456789abcdef.eml"]
        assert not delivery.repeats_harmlessly("sms")


async def test_the_trouble_of_one_service_is_not_that_of_another(tmp_path: Path) -> None:
    time = [0.0]
    delivery = AppriseDelivery(
        "outbox://",
        outbox=tmp_path,
        sender=SENDER,
        channels={"sms": f"json://127.0.0.1:{free_port()}/{{address}}"},
        monotonic=lambda: time[0],
        chance=lambda: 0.0,
    )
    text = replace(LETTER, kind="sms", to_address="+31612345678")
    for _ in range(FAILURES):
        assert await delivery.send(text) == Failed("json_unreachable")
    assert (delivery.ready_in("sms"), delivery.ready_in("email")) == (SHORTEST, 0.0)
    assert await delivery.send(LETTER) == Delivered()
    time[0] = SHORTEST
    assert delivery.ready_in("sms") == 0.0


async def test_many_letters_at_a_time_share_few_connections(mail: MailServer) -> None:
    delivery = over(mail)
    letters = [replace(LETTER, message=f"msg-{number}") for number in range(40)]
    for begin in range(0, 40, 8):
        outcomes = await asyncio.gather(*(delivery.send(letter) for letter in letters[begin : begin + 8]))
        assert outcomes == [Delivered()] * 8
    assert len(mail.taken) == 40
    assert len(set(mail.callers)) <= 8
    found = [read(envelope.content)["Message-ID"] for envelope in mail.taken if isinstance(envelope.content, bytes)]
    assert len(set(found)) == 40
    delivery.close()


async def test_any_service_of_apprise_will_do() -> None:
    calls: list[tuple[str, str, str]] = []
    on_fakemail = notify(on="fakemail")  # type: ignore[no-untyped-call]  # Apprise is typed in parts

    @on_fakemail
    def fake(body: str, title: str, notify_type: str, meta: dict[str, str], *args: object, **kwargs: object) -> bool:
        calls.append((title, body, meta["url"]))
        return len(calls) == 1

    delivery = AppriseDelivery("fakemail://key/{address}", outbox=Path("unused"), sender=SENDER)
    assert await delivery.send(replace(LETTER, to_address="a/b?c=1@example.com")) == Delivered()
    assert calls[0][0] == LETTER.subject
    assert calls[0][1].strip() == LETTER.text.strip()
    assert calls[0][2].startswith("fakemail://key/a%2Fb%3Fc")  # it cannot leave its place in the URL
    assert await delivery.send(LETTER) == Unknown("fakemail_refused")

"""A sender at work on an order whose read models are real: the log, the bucket of claims and the channels are ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.contact import Channel, Contact
from services.notifying.asking_together import Histories
from services.notifying.claims import Claims
from services.notifying.letter import Letter as Mail
from services.notifying.outcomes import Outcome
from services.notifying.places import DayPlaces
from services.notifying.records import PlannedMessage, Send
from services.notifying.sending import Sender
from services.notifying.telling import Teller
from tests.services.notifying.chain import ORDER, POLICY, Chain
from tests.services.notifying.desk import CARDS, Bucket, Fuse, Letterbox

EMAIL = Channel(kind="email", address="anna@example.com")
ANNA = Contact(name="Anna de Wit", channels=(EMAIL,))
TWO_WAYS = ANNA.model_copy(update={"channels": (EMAIL, Channel(kind="sms", address="+31600000000"))})


def always_true(*_: object) -> Send:
    """What is due together is decided elsewhere; with this in the place of ``decide_delivery`` all of it is."""
    return Send()


def extra(chain: Chain, message: PlannedMessage, name: str) -> PlannedMessage:
    """Another message about the same fact, as planned beside the one that is."""
    data = message.planned.model_copy(update={"message": name})
    chain.add(chain._ours("message.planned", f"planned:{name}", chain.clock.now(), data.model_dump(mode="json")))
    return PlannedMessage(ORDER, data)


class Post:
    """A sender at work on the chain, with two kinds of channel."""

    def __init__(self, chain: Chain, *, contact: Contact = ANNA, forgiving: bool = False) -> None:
        self.chain, self.contact = chain, contact
        self.box = Box(Fuse(), forgiving)
        self.bucket = Bucket(Fuse())
        self.notices: list[str] = []

    async def find(self, key: str) -> Contact | None:
        return self.contact

    async def notify(self, party: str, notice: object) -> None:
        self.notices.append(party)

    def sender(self, lease: float = 0.0, places: DayPlaces | None = None) -> Sender:
        return Sender(
            histories=Histories(self.chain.ask, self.chain.clock.now),
            log=self.chain,
            contacts=self,
            claims=Claims(self.bucket, lease=lease),
            delivery=self.box,
            notify=self.notify,
            cards=lambda: CARDS,
            clock=self.chain.clock,
            policy=POLICY,
            retry_after=(5.0,),
            jitter=lambda: 1.0,
            places=places,
        )

    @property
    def fates(self) -> dict[str, str]:
        rows = self.chain.query("messages", {"order": ORDER})["messages"]
        return {row["message_id"]: row["status"] for row in rows}


class Box(Letterbox):
    """Takes letters by e-mail and by text message. ``meanwhile`` happens during the next call."""

    meanwhile: Callable[[str], Awaitable[None]] | None = None

    async def send(self, letter: Mail) -> Outcome:
        if self.meanwhile is not None:
            await self.meanwhile(letter.message)
        return await super().send(letter)

    def routes(self, contact: Contact, accountable: str) -> tuple[Channel, ...]:
        return contact.channels


def teller(chain: Chain, contact: Contact = ANNA) -> Teller:
    post = Post(chain, contact=contact)
    return Teller(
        ask=chain.ask,
        log=chain,
        contacts=post,
        delivery=post.box,
        cards=lambda: CARDS,
        clock=chain.clock,
        policy=POLICY,
        sender=post.sender(),
    )

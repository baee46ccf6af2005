"""Two orders of one customer, whose letters want to leave at the same time."""

from __future__ import annotations

from events.envelope import Event, make_event
from events.party import NOTIFIER
from services.messages import decide_plan
from services.notifying.records import MessagePlan
from tests.services.notifying.chain import AT_IMPORTER, HOUR, OPENED, PATIENCE, POLICY, TO_IMPORTER, Chain, as_planned
from tests.services.notifying.post import extra

ANNA, BEN, NOBODY = ("retailer:juno", "C-77"), ("retailer:juno", "C-78"), ("retailer:juno", None)


def other(event: Event) -> Event:
    """The same of another order of hers."""
    return event.model_copy(update={"subject": "W-2"})


def planned(plan: MessagePlan) -> Event:
    return make_event(
        "message.planned",
        source=NOTIFIER,
        id=f"planned:{plan.message}",
        subject=plan.order,
        time=plan.now,
        recordedtime=plan.now,
        data=as_planned(plan),
    )


def two_at_once(chain: Chain, before: int) -> dict[str, str]:
    """The messages that are planned about two orders of one customer, who had ``before`` letters that day; by order."""
    chain.given(OPENED, TO_IMPORTER, other(OPENED), other(TO_IMPORTER))
    first = chain.planned(OPENED)
    for number in range(before):
        chain.sent(extra(chain, first, f"msg-{number}"), AT_IMPORTER.time - HOUR)
    chain.sent(first, AT_IMPORTER.time - 20 * HOUR)  # of another day
    arrived = (AT_IMPORTER, other(AT_IMPORTER))
    chain.given(*arrived)
    messages = {}
    for event in arrived:
        timeline = chain.query("timeline", {"order": event.subject, "raw": True})
        plan = decide_plan(event, timeline, POLICY, chain.clock.now())
        assert plan is not None
        chain.add(planned(plan))
        messages[event.subject] = plan.message
    chain.clock.set(chain.clock.now() + PATIENCE)
    return messages

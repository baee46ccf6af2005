"""For tests on the real clock: a policy by which messages go out at any hour, at once, and any number of them a day."""

from __future__ import annotations

from nats.aio.client import Client

from services.answering import NoAnswerError, ask
from tests.waiting import eventually

ANY_HOUR = """\
[messages]
quiet = "never"
most_a_day = "any"
wait_for_more = "at once"
"""


async def adopted(operator: Client) -> None:
    """Return once the watchdog has adopted the policy."""

    async def is_in_force() -> bool:
        try:
            return (await ask(operator, "policy"))["digest"] is not None
        except NoAnswerError:
            return False

    await eventually(is_in_force, "the policy is adopted", patience=60)

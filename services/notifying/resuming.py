"""What an earlier attempt left behind: one that has no outcome, because whoever made it stopped or died on the way.

Nobody knows then whether the letter left. A channel that takes a repeat for one is called again; any other is not, and
a person has to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.contact import Channel
from services.delivery import Delivery
from services.notifying.claims import Claim, Claims, ways_of
from services.notifying.recording import Recorder
from services.notifying.records import PlannedMessage
from services.notifying.waiting import AgainLaterError


@dataclass(frozen=True)
class Again:
    """The letter is to be handed to the same channel once more: it takes a repeat for one."""

    lead: PlannedMessage
    others: tuple[PlannedMessage, ...]
    claim: Claim


@dataclass(frozen=True)
class Resumer:
    """Takes up what was left. All that it touches is handed in."""

    claims: Claims
    delivery: Delivery
    recorder: Recorder

    async def resume(
        self,
        claim: Claim,
        waiting: Mapping[str, PlannedMessage],
        routes: tuple[Channel, ...],
        accountable: str,
    ) -> Again | frozenset[str]:
        """An attempt has no outcome: it goes on somewhere, or it died and nobody knows how far it got.

        Gives the messages that have an outcome now, or what is to be sent again. Raises AgainLaterError.
        """
        if claim.state == "calling" and not claim.abandoned:
            raise AgainLaterError(self.claims.lease)
        lead = waiting[claim.message]
        # It was to take these along; whichever it had not got to was not in its letter.
        claimed = [other for other in claim.others if (await self.claims.look(other)).letter == lead.message]
        others = tuple(waiting[other] for other in claimed if other in waiting)
        # What her record says by now need not be what was called: another channel would tell her twice.
        same = claim.ways in (None, ways_of(routes, lead.message))
        channel = routes[claim.route] if same and claim.route < len(routes) else None
        repeatable = channel is not None and self.delivery.repeats_harmlessly(channel.kind)
        if claim.state == "calling" and repeatable:
            return Again(lead, others, replace(claim, tries=max(0, claim.tries - 1)))
        reason = claim.after if claim.state == "parked" and claim.after else "stopped_in_the_middle"
        if claim.state == "calling" and await self.claims.settle(claim, "parked", after=reason) is None:
            raise AgainLaterError(self.claims.lease)
        # Rather not told once than told twice; a person looks, and the promise of news stays open.
        for each in (lead, *others):
            await self.recorder.park(each, accountable, channel.kind if channel else lead.planned.channel, reason)
        return frozenset({lead.message, *(each.message for each in others)})

    async def shares_fate(
        self, message: PlannedMessage, claim: Claim, timeline: Mapping[str, Any], accountable: str
    ) -> bool:
        """It was to go in the letter of another message: what became of that became of it. False: it did not go."""
        other = await self.claims.look(claim.letter or "")
        if other.letter is not None or message.message not in other.others:
            return False  # that one was told in yet another letter, or went without it
        rows = {row["message_id"]: row for row in timeline["messages"]}
        letter = rows.get(claim.letter or "", {"status": "suppressed"})
        match letter["status"]:
            case "sent":
                await self.recorder.sent_in(message, letter)
            case "failed":
                await self.recorder.fail(message, accountable, letter["reason"] or "")
            case "unknown":
                await self.recorder.park(message, accountable, letter["channel"] or "", letter["reason"] or "")
            case "planned":
                if other.state in ("free", "released"):
                    return False  # whichever letter is next takes it along
                raise AgainLaterError(self.claims.lease)
            case _:
                return False
        return True

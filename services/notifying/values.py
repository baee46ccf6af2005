"""What a template may use: the values of one plan, in the words of one language. No template sees a party's name.

Values are texts (without end of sentence), lists of them, and true or false. docs/messages.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

from events.party import name_of
from projections.calendar import DEFAULT
from projections.clock import WorkClock, closing_of_working_day
from services.notifying.as_one import as_one, without_article
from services.notifying.dates import SPEECH, ZONE
from services.notifying.discretion import LONGEST_ANSWER, holds_no_address, one_line, part_is_gone, passed_on
from services.notifying.records import Cover, Decision, MessagePlan, News, Promised, Step, Visit
from services.parties import PartyCard

#: Marks of our own templates (see wording.py): data must not hold them.
LINE_END: Final = "⏎"
STORY_END: Final = "✂"
_MARKS: Final = str.maketrans({LINE_END: " ", STORY_END: " "})

#: Subjects longer than this are cut off in most mailboxes, and a product can have any name.
_LONGEST_NAME: Final = 60

#: States in which somebody is at work or something is on its way, whether or not she has answered.
_UNDER_WAY: Final = frozenset({"in_transit", "waiting_for_part", "part_arrived", "in_repair"})

#: These are the news that was promised.
_NEWS_ITSELF: Final = frozenset({"update", "person"})

#: What we call a thing of which we know nothing.
_THING: Final = {"en": "item", "nl": "product"}


def card_of(party: str, cards: Mapping[str, PartyCard]) -> PartyCard:
    """The party's card; one that is not registered is called what its id calls it."""
    return cards.get(party) or PartyCard(display_name=name_of(party) or party)


def values_of(
    plan: MessagePlan, cards: Mapping[str, PartyCard], code: str, zone: tzinfo, *, urgent: bool
) -> dict[str, object]:
    """The values of ``plan`` in the language ``code``, its times in ``zone``."""
    return _Words(plan, cards, code, zone, urgent).values()


class _Words:
    """Puts single values into words: who may be named, which zone, how precise a date."""

    def __init__(
        self, plan: MessagePlan, cards: Mapping[str, PartyCard], code: str, zone: tzinfo, urgent: bool
    ) -> None:
        self._plan, self._code, self._zone, self._urgent = plan, code, zone, urgent
        self._speech = SPEECH[code]
        self._card = card_of(plan.accountable, cards)
        others = {*plan.parties, *cards} - {plan.accountable}
        self._links = [
            name for party in others for name in (name_of(party) or party, card_of(party, cards).display_name)
        ]
        own = (self._card.display_name, self._card.phone, self._card.email, plan.news.brand, plan.news.model)
        self._ours = [each for each in own if each]

    def values(self) -> dict[str, object]:
        plan, news = self._plan, self._plan.news
        stand = _stand(news)
        return {
            **self._ourselves(),
            "kind": plan.kind,
            "thing": self._thing(),
            "order": _line(plan.order),
            "next_news": self._when(plan.next_news_by),
            **self._named(plan.next_news_by, news.named_before),
            "final": news.final,
            "sorry": _sorry(plan, stand),
            **self._where(news, stand),
            **self._step(news),
            **self._price(news),
            **self._ending(news),
            **self._asking(news, stand),
            **self._past(news),
            **self._closure(news),
            "answer": self._told(news.answer.text, LONGEST_ANSWER) if news.answer else None,
            "her_question": self._told(_her_question(news)),
            "gesture": self._told(news.gesture),
            "promised": self._promised(news.promised) if news.promised else None,
            "visit": self._visit(news.visit) if news.visit else None,
            "cover": self._cover(news.cover) if news.cover else None,
            "decision": self._decision(news.decision) if news.decision else None,
            "answer_due": self._by(news.answer.due) if news.answer and news.answer.due else None,
            "item": self._told(news.item),
            "others": [{"item": self._told(each.item), "ending": each.ending} for each in news.others],
        }

    # -- parts of an order --------------------------------------------------------------------------------------------

    def _ourselves(self) -> dict[str, object]:
        card = self._card
        person = _line(card.person or "")
        return {
            "us": _line(card.display_name),
            "phone": _line(card.phone or ""),
            "email": _line(card.email or ""),
            "person": person if len(person) <= _LONGEST_NAME and holds_no_address(person) else "",
        }

    def _where(self, news: News, stand: str) -> dict[str, object]:
        return {
            "stand": stand,
            "status": news.status,
            "place": news.place,
            "heading_to_us": news.heading_to_us,
            "never_left": news.never_left,
            "with_her": news.with_her,
            "done_there": news.done_there,
            "at_home": news.at_home,
            "written_since": news.written_since,
            "stalled_on": self._by(news.stalled_since),
            "comes_home": news.comes_home,
            "sent_home_by": self._by(news.sent_home_by),
            "decided_to_repair": news.decided_to_repair,
            "cover_owed": news.cover_owed,
            "tried": news.tried,
        }

    def _step(self, news: News) -> dict[str, object]:
        return {
            "late": news.late,
            "ours": news.ours,
            "repair_by": self._by(news.repair_by),
            "due_on": self._by(news.due),
            "handed_on": self._day(news.handed_at),
            "delivered_on": self._day(news.delivered_at),
            "delay_over": news.delay_over,
            "expected_by": self._by(news.expected_by),
            "expected_missed": self._by(news.expected_missed),
            "visit_missed": self._by(news.visit_missed),
            "visit_ahead": self._window(*news.visit_ahead) if news.visit_ahead else None,
        }

    def _price(self, news: News) -> dict[str, object]:
        quote = news.quote
        until = quote.valid_until if quote else None
        deadline = self._speech.deadline(until, self._plan.now, self._zone) if until else None
        holds = until is not None and until > self._plan.read_from
        before = news.quote_before
        return {
            "price": self._speech.money(quote.amount, quote.currency) if quote else None,
            "price_before": self._speech.money(before.amount, before.currency) if before else None,
            "price_rises": quote is not None and before is not None and quote.amount > before.amount,
            "price_holds": deadline if holds else None,
            "price_held": deadline if not holds else None,
            "price_for": self._told(quote.description) if quote else None,
        }

    def _ending(self, news: News) -> dict[str, object]:
        return {
            "ending": news.ending,
            "options": [_line(option) for option in news.options],
            "part_gone": part_is_gone(news.why),
            "why": self._told(news.why),
            "summary": self._told(news.summary),
            "reason": self._told(news.reason),
            "outcome": news.outcome,
            "closed_untold": news.closed_untold,
            "check_on": self._day(news.check_at),
        }

    def _asking(self, news: News, stand: str) -> dict[str, object]:
        answer_by = news.question.due if news.question else news.answer_owed_by
        if answer_by is not None and answer_by <= self._plan.read_from:
            answer_by = None
        return {
            "asked": news.asked,
            "answer_owed": news.answer_owed and self._plan.kind != "answer" and news.late != "answer",
            "answer_owed_by": self._by(answer_by),
            "asked_anew": news.asked_anew,
            "complained": news.complained,
            "call_owed": news.call_owed,
            "uncalled_still": news.uncalled_still,
            "paused": news.paused,
            "waits": stand == "waits",
            "questions": [text for each in news.questions if (text := self._told(each))],
            "answer_by": self._when(news.answer_by),
        }

    def _past(self, news: News) -> dict[str, object]:
        return {
            "other_numbers": [_line(each) for each in news.other_numbers],
            "taken_back": [
                {"kind": each.kind, "day": self._day(each.at), "place": each.place} for each in news.taken_back
            ],
            "since": [self._happened(each) for each in _as_it_turned_out(news.since)],
            "silent": news.silent,
            "weeks": (self._plan.now - news.last_fact_at).days // 7 if news.last_fact_at else 0,
            "chased": news.chased,
            "chased_on": self._day(news.chased_at),
            "last_known": self._day(news.last_fact_at),
        }

    def _closure(self, news: News) -> dict[str, object]:
        """The days on which we are closed are days where we are, not where she is."""
        return {
            **self._closed(news.closed_from, news.closed_until, ("closed_now", "closed_from", "open_again")),
            **self._closed(news.away_from, news.away_until, ("away_now", "away_from", "back_again")),
        }

    def _closed(self, begin: datetime | None, end: datetime | None, names: tuple[str, str, str]) -> dict[str, object]:
        again = closing_of_working_day(WorkClock.of(DEFAULT), end) if end else None
        now = self._plan.now
        told = (
            begin is not None and begin <= now,
            self._speech.day(begin, now, ZONE) if begin else None,
            self._speech.day(again, now, ZONE) if again else None,
        )
        return dict(zip(names, told, strict=True))

    def _named(self, next_news: datetime | None, before: datetime | None) -> dict[str, object]:
        """The date that our last letter named for further news, and how this letter stands to it."""
        if next_news is None or before is None or before == next_news:
            return {"named": None, "named_before": None}
        if before <= self._plan.read_from:
            named = "broken"
        elif self._plan.kind in _NEWS_ITSELF:
            named = "kept"
        else:
            named = "later" if next_news > before else "sooner"
        precise = named == "broken" or self._speech.day(before, before, self._zone) == self._speech.day(
            next_news, next_news, self._zone
        )
        return {"named": named, "named_before": self._when(before) if precise else self._by(before)}

    # -- news of one kind ---------------------------------------------------------------------------------------------

    def _happened(self, step: Step) -> dict[str, object]:
        window = self._window(step.begin, step.end) if step.begin and step.end else None
        return {
            "name": step.name,
            "day": self._when(step.at) if self._urgent else self._day(step.at),
            "word": step.word,
            "text": self._told(step.text),
            "item": self._told(step.item) if self._plan.news.item != step.item else None,
            "window": window,
        }

    def _promised(self, promised: Promised) -> dict[str, object]:
        return {
            "by": self._by(promised.by),
            "before": self._by(promised.before),
            "first": self._by(promised.first),
            "later": _is_later(promised),
            "kind": promised.kind,
            "what": self._told(promised.what),
            "reason": self._told(promised.reason),
        }

    def _visit(self, visit: Visit) -> dict[str, object]:
        return {
            "day": self._day(visit.begin),
            "window": self._window(visit.begin, visit.end),
            "before": self._when(visit.before) if _has_moved(visit) else None,
            "missed": visit.before is not None and visit.before <= self._plan.now,
            "what": self._told(visit.what),
        }

    def _cover(self, cover: Cover) -> dict[str, object]:
        return {
            "decision": cover.decision,
            "cause": self._told(cover.cause),
            "appeal": self._told(cover.appeal),
            "changed": cover.changed,
        }

    def _decision(self, decision: Decision) -> dict[str, object]:
        quote = decision.quote
        until = quote.valid_until if quote and decision.lapsed else None
        return {
            "yes": decision.yes,
            "price": self._speech.money(quote.amount, quote.currency) if quote else None,
            "held": self._speech.deadline(until, self._plan.now, self._zone) if until else None,
        }

    # -- single values ------------------------------------------------------------------------------------------------

    def _told(self, text: str | None, longest: int = 200) -> str | None:
        marked = text.translate(_MARKS) if text else text
        return passed_on(marked, self._links, self._ours, longest=longest)

    def _day(self, moment: datetime | None) -> str | None:
        return self._speech.day(moment, self._plan.now, self._zone) if moment else None

    def _when(self, moment: datetime | None) -> str | None:
        return self._speech.when(moment, self._plan.now, self._zone) if moment else None

    def _by(self, moment: datetime | None) -> str | None:
        return self._speech.by(moment, self._plan.now, self._zone, precise=self._urgent) if moment else None

    def _window(self, begin: datetime, end: datetime) -> str:
        return self._speech.window(begin, end, self._plan.now, self._zone)

    def _thing(self) -> str:
        """What it is called after "your": brand and model as given, or else its description."""
        news = self._plan.news
        given = [_line(part) for part in (news.brand, news.model) if part and holds_no_address(part)]
        parts = [part for part in given if part]
        if not parts or (news.brand and not news.model and news.description):
            described = self._told(news.description)
            parts += [without_article(described, self._code)] if described else []
        name = as_one(" ".join(parts), parts[-1], self._code) if parts else ""
        name = name or _THING[self._code]
        if len(name) > _LONGEST_NAME:
            name = name[:_LONGEST_NAME].rsplit(" ", 1)[0] + "…"
        item = self._told(news.item)
        return f"{name} ({item})" if item and len(item) <= _LONGEST_NAME else name


def _line(text: str) -> str:
    return one_line(text.translate(_MARKS))


def _her_question(news: News) -> str | None:
    """The question of hers that the letter is about."""
    if news.question:
        return news.question.text
    return news.answer.question if news.answer else None


def _is_later(promised: Promised) -> bool:
    """Whether the date was put off."""
    return promised.before is not None and promised.by > promised.before


def _has_moved(visit: Visit) -> bool:
    """Whether the visit begins at another time than she was told."""
    return visit.before is not None and visit.before != visit.begin


def _as_it_turned_out(since: Sequence[Step]) -> list[Step]:
    """``since`` without the arrival of a part that turned out to be the wrong one: it was never what is needed."""
    kept: list[Step] = []
    for step in since:
        if step.name == "part.rejected":
            came = next(
                (each for each in reversed(kept) if (each.name, each.item) == ("part.arrived", step.item)), None
            )
            kept = [each for each in kept if each is not came]
        kept.append(step)
    return kept


def _stand(news: News) -> str:
    """Where it stands, by whose move it is: a delay, hers in one of several ways, or under way."""
    if news.due:
        return "delay"
    if news.quote:
        return "price"
    if news.ending == "failed":
        return "chosen" if news.chosen else "choice"
    if news.status == "returned":
        return "returned"
    if news.never_left and news.ending:
        return "done_at_home"
    if news.ending and news.place == "us" and not news.heading_to_us and news.status != "in_transit":
        return "here"
    # What is being done without her answer does not wait for it: that would put our delay on her.
    return "waits" if news.asked and not news.ending and news.status not in _UNDER_WAY else "under_way"


def _sorry(plan: MessagePlan, stand: str) -> str | None:
    """What the letter begins by saying sorry for, if it is about a delay."""
    news = plan.news
    if plan.kind == "overdue":
        return "late"
    if plan.kind == "answer":
        return "late" if news.answer and news.answer.due else None
    if plan.kind == "person":
        return "silent" if stand in ("delay", "under_way", "chosen") else None
    if news.uncalled:
        return "uncalled"
    if plan.kind == "promise":
        return "moved" if news.promised and _is_later(news.promised) else None
    if plan.kind == "visit":
        return "moved" if news.visit and _has_moved(news.visit) else None
    if plan.kind != "update" or stand not in ("delay", "under_way", "chosen"):
        return None
    if stand == "delay":
        return "delay"
    if news.expected_missed or news.visit_missed or (news.stalled_since and not news.taken_back):
        return "missed"
    if any(step.name == "part.rejected" for step in news.since):
        return "missed"
    if news.since or news.visit_ahead:
        return None
    if news.silent:
        return "silent"
    return "waiting" if not news.taken_back else None  # then the letter begins with what we own up to

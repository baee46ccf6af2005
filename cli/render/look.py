"""How things look: colours of parties and states, and the words for order states and next steps."""

from __future__ import annotations

from rich.text import Text

from cli.render.plain import clean

PARTY_STYLES = {
    "retailer": "cyan",
    "importer": "magenta",
    "repairer": "yellow",
    "customer": "bold",
    "chain": "dim",
}
_PARTIES = {role: rf"\b{role}:[^\s,;:()]+" for role in PARTY_STYLES}

STATUS_WORDS = {
    "taken_in": "taken in",
    "in_transit": "in transit",
    "received": "received",
    "diagnosed": "diagnosed",
    "waiting_for_approval": "waiting for approval of the quote",
    "approved": "quote approved",
    "quote_declined": "quote declined",
    "waiting_for_part": "waiting for a part",
    "part_arrived": "the part has arrived",
    "in_repair": "being repaired",
    "repaired": "repaired",
    "replaced": "replaced",
    "repair_failed": "could not be repaired",
    "waiting_for_customer": "waiting for the customer",
    "waiting": "waiting",
    "ready": "ready for the customer",
    "returned": "back with the customer",
    "reopened": "reopened",
    "closed": "closed",
}

TOLD_WORDS = {
    "opened": "that it was taken in",
    "received": "where it is now",
    "quote": "what it would cost",
    "question": "what we need to know from her",
    "repaired": "that it is repaired",
    "failed": "that it could not be repaired",
    "ready": "that it is ready",
    "closed": "how it ended",
    "reopened": "that it is taken up again",
    "overdue": "that it is late",
    "update": "how it stands",
    "check": "the question whether all is well",
    "corrected": "that we were mistaken",
    "answer": "the answer to her question",
    "promise": "by when",
    "visit": "when somebody comes by",
    "cover": "who pays",
    "decision": "that we have her yes or no",
    "person": "that a person will be in touch",
    "asked": "that we have her question",
    "gesture": "what is offered to make up for it",
    "contact": "in person",
}

#: Who holds what is mended where she has it.
AT_HOME = "the customer, at home"

_GOOD = frozenset({"repaired", "replaced", "ready", "returned", "approved", "part_arrived"})
_HELD_UP = frozenset({"waiting", "waiting_for_part", "waiting_for_customer", "waiting_for_approval"})
_BAD = frozenset({"repair_failed", "quote_declined", "reopened"})


def spoken(value: object) -> str:
    """``in_transit`` as words: ``in transit``."""
    text = clean(value if value is not None else "")
    return STATUS_WORDS.get(text, text.replace("_", " "))


def status_style(status: object) -> str:
    if status in _GOOD:
        return "green"
    if status in _HELD_UP:
        return "yellow"
    if status in _BAD:
        return "red"
    return "dim" if status == "closed" else ""


def status_text(status: object) -> Text:
    return Text(spoken(status), style=status_style(status))


def with_parties(text: str, style: str = "") -> Text:
    """``text`` in which each party has the colour of its role."""
    shown = Text(text, style=style)
    for role, pattern in _PARTIES.items():
        shown.highlight_regex(pattern, PARTY_STYLES[role])
    return shown


def party(name: object) -> Text:
    """One party in its role's colour; a dash for none."""
    text = clean(name) if name else ""
    return Text(text or "–", style=PARTY_STYLES.get(text.partition(":")[0], ""))

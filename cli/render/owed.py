"""What is owed, in the words of a shopkeeper: who is to do what, and how that stands."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from cli.render.plain import clean, word

Row = dict[str, Any]


class _Words(NamedTuple):
    """``importer:noord is to {todo}``, ``importer:noord has not {undone}``."""

    todo: str
    undone: str


#: Each kind of commitment, in the order in which they are told.
WORDS: Final[dict[str, _Words]] = {
    "receive": _Words("say that it came in", "said that it came in"),
    "forward": _Words("send it on", "sent it on"),
    "diagnose": _Words("say what is wrong", "said what is wrong"),
    "decide": _Words("decide", "decided"),
    "cover": _Words("say whether the guarantee pays", "said whether the guarantee pays"),
    "part": _Words("have the part", "got the part"),
    "repair": _Words("repair it", "repaired it"),
    "return": _Words("get it back to the customer", "got it back to the customer"),
    "answer": _Words("answer", "answered"),
    "visit": _Words("visit the customer", "visited the customer"),
    "promise": _Words("keep a promise", "kept a promise"),
    "check": _Words("ask whether all is well", "asked whether all is well"),
    "call": _Words("reach the customer in person", "reached the customer in person"),
    "update": _Words("give the customer news", "given the customer news"),
}
#: What is mended at her home is neither sent on nor given back: a visit and the order's close take the place of these.
_AT_HOME: Final = {
    "forward at home": _Words("plan a visit", "planned a visit"),
    "return at home": _Words("close the order", "closed the order"),
}
#: These are owed of several things one by one.
_OF_THINGS: Final = frozenset({"forward", "diagnose", "decide", "repair", "return"})
#: What the log calls a kind in facts of before there were more of them.
_FORMERLY: Final = {"receipt": "receive", "news": "update"}
_ORDER: Final = {kind: place for place, kind in enumerate(WORDS)}


def place_of_kind(kind: object) -> int:
    """By which commitments of one fact are put in order: the work first, news to the customer last."""
    return _ORDER.get(str(kind).removesuffix(" at home"), len(_ORDER))


def at_home(commitment: Row, order: Row) -> Row:
    """``commitment`` of ``order``, in the words for what is mended at her home where that is so."""
    apart = bool(order.get("at_home")) and f"{commitment.get('kind')} at home" in _AT_HOME
    return commitment | {"kind": f"{commitment['kind']} at home"} if apart else commitment


#: For what the time of a commitment stands still.
_AWAITED: Final = {
    "customer": "for the customer",
    "cover": "for who pays to be decided",
    "item": "for the item",
}


def paused(commitment: Row) -> str:
    """``paused, waits for the customer and for who pays to be decided``."""
    awaited = [_AWAITED[each] for each in commitment.get("paused_for") or () if each in _AWAITED]
    return f"paused, waits {' and '.join(awaited)}" if awaited else "paused"


#: What stands where news to a customer is owed whom nobody writes to any more.
FORGOTTEN: Final = "she was forgotten, so nobody is told"


#: What stands beside words of hers: it is owed still, for she may come by, but nobody can be told to call her.
UNREACHABLE: Final = "she was forgotten: there is no way to call or write to her"


#: What is said to the customer herself, by a letter or in person.
_TO_HER: Final = ("update", "check", "call")


def is_word_to_her(commitment: Row) -> bool:
    """Whether it is owed to tell her something, or to ask it: that ends with whoever was forgotten."""
    return commitment.get("kind") in _TO_HER


def is_void_news(commitment: Row, about: Row | None = None) -> bool:
    """Whether it is news to a customer who was forgotten, as it says itself or as ``about``, its order, does."""
    return is_word_to_her(commitment) and bool((about or commitment).get("customer_forgotten"))


def is_answer_to_her(commitment: Row) -> bool:
    """Whether it is the answer to a question of hers, by a party's list; others ask, too."""
    return commitment.get("kind") == "answer" and bool(commitment.get("to_customer"))


def is_from_lost(row: Row) -> bool:
    """Whether it is a word of a customer who was forgotten, or the answer to one."""
    return not is_word_to_her(row) and bool(row.get("customer_forgotten"))


def is_customer(party: object) -> bool:
    """Whether it is she who owes it, known by a reference or not."""
    return str(party).partition(":")[0] == "customer"


def who(party: object) -> str:
    """A party by its name; the customer, whoever she is."""
    return "the customer" if is_customer(party) else word(party) or "somebody"


def is_to(owner: object, kind: object, topic: object = None) -> str:
    """``importer:noord is to say that it came in``."""
    return f"{who(owner)} is to {to_do(kind, topic)}"


def to_do(kind: object, topic: object = None) -> str:
    """``say that it came in``; of an unknown kind its name."""
    words = _words(kind)
    return _about(words.todo, kind, topic) if words else f"do what is called {_spoken(kind)}"


def step(order: Row) -> str:
    """The next step of ``order`` as its status has it, in the words in which it is owed.

    A receipt is what a partner hears of an event; nobody is to confirm that.
    """
    if order["next_step"] == "send it on" and order.get("at_home"):
        return _AT_HOME["forward at home"].todo
    if order["next_step"] == "hand it back" and order.get("at_home"):
        return _AT_HOME["return at home"].todo
    return WORDS["receive"].todo if order["next_step"] == "confirm receipt" else _spoken(order["next_step"])


def has_not(owner: object, kind: object, topic: object = None) -> str:
    """``importer:noord has not said that it came in``."""
    words = _words(kind)
    if words is None:
        return f"{who(owner)} is late ({_spoken(kind)})"
    return f"{who(owner)} has not {_about(words.undone, kind, topic)}"


def _words(kind: object) -> _Words | None:
    name = str(kind)
    return WORDS.get(_FORMERLY.get(name, name)) or _AT_HOME.get(name)


def _about(words: str, kind: object, topic: object) -> str:
    # Parts have names, and so have several things in an order; what else there may be several of has ids, which say
    # nothing to people.
    if topic and kind in _OF_THINGS:
        return f"{words} ({word(topic)})"
    return f"{words} {word(topic)}" if kind == "part" and topic else words


def _spoken(kind: object) -> str:
    return clean(kind if kind else "something").replace("_", " ")

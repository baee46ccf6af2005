"""The policy: what a file means, which rule holds, and what is said about a file that is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import projections
from projections.book import Book
from projections.calendar import DEFAULT
from projections.policies.amount import ZERO
from projections.policies.hours import DAYS
from projections.policies.words import AGREED, URGENCIES
from projections.policy import BUILT_IN_TEXT, DEFAULT_POLICY, KINDS, Amount, Policy, PolicyError, Scope
from tests.about import about
from tests.sampling import examples

EIGHT_HOURS = timedelta(hours=8)
HOUR = 3_600_000_000

amounts = st.builds(
    Amount,
    count=st.integers(0, 500),
    unit=st.sampled_from(["working day", "working hour", "working minute", "week", "day", "hour", "minute"]),
)


@given(amounts)
def test_an_amount_is_read_as_it_is_written(amount: Amount) -> None:
    assert Amount.parse(str(amount)) == amount
    assert Amount.model_validate(amount.model_dump(mode="json")) == amount


@given(amounts, st.integers(1, 24))
def test_the_one_way_to_write_an_amount_means_the_same(amount: Amount, hours: int) -> None:
    day = timedelta(hours=hours)
    assert amount.plain().microseconds(day) == amount.microseconds(day)
    assert amount.plain().plain() == amount.plain()
    if amount.count:
        assert amount.plain().around_the_clock == amount.around_the_clock
    assert amount.day_and_night().around_the_clock


@pytest.mark.parametrize(
    ("text", "hours", "around_the_clock"),
    [
        ("2 working days", 16, False),
        (" 1  Working Day ", 8, False),
        ("16 working hours", 16, False),
        ("90 working minutes", 1.5, False),
        ("24 hours", 24, True),
        ("3 days", 72, True),
        ("1 week", 168, True),
        ("30minutes", 0.5, True),
        ("at once", 0, True),
    ],
)
def test_lengths_of_time(text: str, hours: float, around_the_clock: bool) -> None:
    amount = Amount.parse(text)
    assert amount.microseconds(EIGHT_HOURS) == hours * HOUR
    assert amount.around_the_clock is around_the_clock


@pytest.mark.parametrize(
    "text", ["2 wrking days", "2", "days", "-1 days", "1.5 hours", "², days", "", "999999999 1 day"]
)
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="no length of time: write for example"):
        Amount.parse(text)


def test_a_length_that_nobody_means() -> None:
    with pytest.raises(ValueError, match="more than ten years"):
        Amount.parse("999999999 weeks")


def test_the_shipped_file_is_the_default() -> None:
    shipped = (Path(projections.__file__).parent / "policy.toml").read_text(encoding="utf-8")
    assert shipped == BUILT_IN_TEXT
    assert Policy.parse(shipped) == Policy.parse("") == DEFAULT_POLICY
    assert DEFAULT_POLICY.calendar == DEFAULT
    assert list(DEFAULT_POLICY.notes()) == []


def test_the_defaults() -> None:
    rule = DEFAULT_POLICY.resolve("receive", "importer:noord", "retailer:juno")
    assert (rule.name, str(rule.amount), rule.around_the_clock, rule.nudge) == ("receive", "2 working days", False, 0.8)
    first, second = rule.levels
    assert (first.after, first.tell) == (ZERO, frozenset({"owner", "accountable", "customer"}))
    assert (str(second.after), second.tell) == ("2 working days", frozenset({"person"}))
    news = DEFAULT_POLICY.resolve("update", "retailer:juno")
    assert news.nudge == 0.95
    assert [str(level.after) for level in news.levels] == [
        "at once",
        "2 days",
        "4 days",
        "8 days",
        "16 days",
        "32 days",
    ]
    # We send it ourselves when it is due: the accountable party hears only of what stays out.
    told, *told_later = [level.tell for level in news.levels]
    assert (told, set(told_later)) == (frozenset({"customer"}), {frozenset({"accountable", "customer"})})


def test_every_kind_of_an_urgent_order_runs_around_the_clock() -> None:
    for urgency in ("urgent", "safety"):
        for kind in KINDS:
            rule = DEFAULT_POLICY.resolve(kind, "repairer:tick", None, None, urgency)
            assert rule.around_the_clock
            assert all(level.after.around_the_clock for level in rule.levels)
            routine = DEFAULT_POLICY.resolve(kind, "repairer:tick")
            assert rule.amount.order <= routine.amount.order


def test_working_days_of_an_urgent_order_are_days() -> None:
    policy = Policy.parse(override('party = "importer:noord"', allow="3 working days"))
    rule = policy.resolve("receive", "importer:noord", urgency="urgent")
    assert (rule.name, str(rule.amount)) == ("receive (importer:noord, around the clock)", "3 days")
    told = policy.explain("receive", "importer:noord", urgency="urgent").lines()
    assert told == [
        "'receive (importer:noord)' holds, with 3 days: it names a party, which is more precise than an urgency.",
        "The file says 3 working days; an order that is urgent runs around the clock.",
        "'receive (urgent)' fits as well, with 8 hours.",
        "'receive' fits as well, with 2 working days.",
    ]
    assert [note.partition(" is ")[0] for note in policy.notes()] == ["importer:noord"]
    mended = override('party = "importer:noord"', 'urgency = "urgent"') + override('party = "importer:noord"')
    safe = override('party = "importer:noord"', 'urgency = "safety"')
    assert list(Policy.parse(mended + safe).notes()) == []


def test_why_the_only_rule_or_the_only_override_holds() -> None:
    assert DEFAULT_POLICY.explain("receive", "importer:noord").lines() == [
        "'receive' holds, with 2 working days: no override fits."
    ]
    why = DEFAULT_POLICY.explain("receive", "importer:noord", urgency="safety").why
    assert why == "it is an override, which goes before [allow]"


def override(*lines: str, kind: str = '"receive"', allow: str = "4 hours") -> str:
    return "\n".join(["[[override]]", f"kind = {kind}", f'allow = "{allow}"', *lines, ""])


FITTING = {
    "party": "importer:noord",
    "from": "retailer:juno",
    "role": "importer",
    "category": "floor lamps",
    "urgency": "urgent",
}


def written(fields: tuple[str, ...]) -> list[str]:
    return [f'{field} = "{FITTING[field]}"' for field in fields]


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (("party", "from"), ("party",)),
        (("party", "from"), ("party", "category", "urgency")),
        (("party",), ("from",)),
        (("party",), ("from", "role", "category", "urgency")),
        (("from",), ("role", "category", "urgency")),
        (("from", "urgency"), ("from",)),
        (("role",), ("category", "urgency")),
        (("category",), ("urgency",)),
        (("party", "category"), ("party", "urgency")),
        (("party", "category", "urgency"), ("party", "category")),
    ],
)
def test_the_more_precise_wins_in_whatever_order_they_stand(winner: tuple[str, ...], loser: tuple[str, ...]) -> None:
    first, second = override(*written(winner), allow="7 hours"), override(*written(loser), allow="9 hours")
    for text in (first + second, second + first):
        policy = Policy.parse(text)
        question = ("receive", "importer:noord", "retailer:juno", "Floor  Lamps", "urgent")
        assert str(policy.resolve(*question).amount) == "7 hours"
        explanation = policy.explain(*question)
        assert explanation.rule == policy.resolve(*question)
        assert explanation.fits[0].name in explanation.lines()[0]
        assert explanation.why.startswith(("it names ", "both name "))


fields = st.sets(st.sampled_from(sorted(FITTING)), min_size=1).filter(lambda some: not {"party", "role"} <= some)


@settings(max_examples=examples(30, 100), deadline=None)
@given(st.lists(st.tuples(fields, st.integers(1, 99)), max_size=8), st.sampled_from(URGENCIES), st.randoms())
def test_no_rule_that_fits_is_more_precise_than_the_winner(
    overrides: list[tuple[set[str], int]], urgency: str, random: Any
) -> None:
    texts = [override(*written(tuple(sorted(each))), allow=f"{hours} hours") for each, hours in overrides]
    policy = Policy.parse("".join(texts))
    question = ("receive", "importer:noord", "retailer:juno", "floor lamps", urgency)
    fitting = [
        each.scope
        for each in policy.overrides
        if "receive" in each.allow and each.scope.fits("importer:noord", "retailer:juno", "floor lamps", urgency)
    ]
    precisions = [scope.precision for scope in fitting]
    assert precisions == sorted(set(precisions), reverse=True)
    rule = policy.resolve(*question)
    assert [each.name for each in policy.explain(*question).fits][:-1] == [f"receive ({scope})" for scope in fitting]
    assert rule == policy.explain(*question).rule
    # The order makes no difference, but for those that name the same: the last of them holds.
    last = {frozenset(each): text for (each, _), text in zip(overrides, texts, strict=True)}
    shuffled = list(last.values())
    random.shuffle(shuffled)
    assert Policy.parse("".join(shuffled)) == policy
    assert Policy.from_canonical(json.loads(json.dumps(policy.canonical()))) == policy


def test_names_of_rules_are_unique() -> None:
    texts = [
        override('party = "importer:noord"', 'from = "retailer:juno"'),
        override('party = "importer:noord from retailer:juno"'),
        override('category = "urgent"'),
        override('category = "lamps, urgent"'),
        override('category = "lamps"', 'urgency = "urgent"'),
        override('role = "customer"'),
        override('from = "retailer:juno"', 'role = "importer"', 'category = "floor lamps"'),
    ]
    policy = Policy.parse("".join(texts))
    names = {str(each.scope) for each in policy.overrides}
    assert len(names) == len(policy.overrides) == len(texts) + 2
    assert {
        "importer:noord from retailer:juno",
        'importer from retailer:juno, category "floor lamps"',
        "customer",
        "category lamps, urgent",
        "category urgent",
    } <= names


def test_one_override_for_several_kinds() -> None:
    all_kinds = Policy.parse(override('role = "importer"', kind='"all"'))
    assert all_kinds.resolve("visit", "importer:noord").name == "visit"
    assert {kind for kind in KINDS if all_kinds.resolve(kind, "importer:noord").name != kind} == {*KINDS} - AGREED
    some = Policy.parse(override('role = "customer"', kind='["decide", "answer"]'))
    assert some.resolve("answer", "customer:77").name == some.resolve("answer", "customer").name == "answer (customer)"
    table = '[[override]]\nparty = "importer:noord"\n[override.allow]\nreceive = "1 hour"\nvisit = "30 minutes"\n'
    assert str(Policy.parse(table).resolve("visit", "importer:noord").amount) == "30 minutes"


def test_what_a_file_leaves_out_is_built_in() -> None:
    policy = Policy.parse('[allow]\nreceive = "1 hour"\n[levels]\ndue = "owner"\n' + override('urgency = "urgent"'))
    assert str(policy.resolve("receive", "importer:noord").amount) == "1 hour"
    assert policy.resolve("forward", "importer:noord").amount == DEFAULT_POLICY.allow["forward"]
    assert str(policy.resolve("receive", "importer:noord", urgency="urgent").amount) == "4 hours"
    assert str(policy.resolve("forward", "importer:noord", urgency="urgent").amount) == "8 hours"
    assert policy.levels["receive"].due == ("owner",)
    assert policy.levels["receive"].nudge == 80
    assert policy.levels["update"] == DEFAULT_POLICY.levels["update"]
    calm = Policy.parse('[levels.receive]\nnudge = "never"\nlater = []\n')
    assert (calm.levels["receive"].nudge, calm.levels["receive"].later) == (None, ())
    assert calm.levels["receive"].due == DEFAULT_POLICY.levels["receive"].due


def test_calendars() -> None:
    policy = Policy.parse(
        '[calendar]\nfriday = "9-12"\n'
        '[calendars.one]\nparties = ["repairer:tick"]\nholidays = "NL"\nsaturday = "10:00-13:00"\n'
        '[calendars.two]\nroles = "repairer"\ntime_zone = "Europe/Berlin"\n'
    )
    assert policy.calendar_of("retailer:juno") == policy.calendar_of("customer:77") == policy.calendar
    own, of_role = policy.calendar_of("repairer:tick"), policy.calendar_of("repairer:tock")
    assert (own.holidays, own.time_zone, own.week[5]) == ("NL", "Europe/Amsterdam", ((600, 780),))
    assert (of_role.time_zone, of_role.week[4], of_role.week[5]) == ("Europe/Berlin", ((540, 720),), ())


def test_the_digest_knows_meaning_only() -> None:
    one = '[allow]\nreceive = "1 hour"\n' + override('role = "importer"') + override('role = "retailer"')
    other = (
        "\ufeff# with a comment\n"
        + override('role = "retailer"', allow="240 minutes")
        + override('role = "importer"', kind='["receive"]')
        + '[allow]\nreceive = "60  Minutes"\n[calendar]\nmonday = "9:00-12:00, 12:00-17:00"\n'
        + '[levels]\ndue = ["customer", "owner", "accountable"]\n'
    )
    assert Policy.parse(one) == Policy.parse(other)
    assert Policy.parse(one).digest == Policy.parse(other).digest != DEFAULT_POLICY.digest
    assert len(DEFAULT_POLICY.digest) == 16


def test_what_was_kept_is_read_back() -> None:
    policy = Policy.parse(override('role = "importer"') + '[calendars.x]\nroles = ["repairer"]\nmonday = "closed"\n')
    kept = json.loads(json.dumps(policy.canonical()))
    assert Policy.from_canonical(kept) == policy
    assert Policy.from_canonical(kept).digest == policy.digest
    del kept["calendars"], kept["allow"]["check"], kept["levels"]["check"]
    assert Policy.from_canonical(kept).allow == policy.allow
    wrongs: list[Any] = [{"allow": 4}, {"alow": {}}, {"allow": {"receive": "soon"}}, {"levels": None}, [1]]
    for wrong in wrongs:
        with pytest.raises(PolicyError, match="was not kept by a policy"):
            Policy.from_canonical(wrong)


def test_a_policy_that_is_asked_a_great_deal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.policy._MAX_REMEMBERED", 10)
    policy = Policy.parse("")
    for number in range(25):
        assert policy.resolve("receive", "importer:noord", None, f"category {number}").name == "receive"
    assert len(policy._answers) <= 10
    with pytest.raises(ValueError, match="there is no kind 'recieve': did you mean receive"):
        policy.resolve("recieve", "importer:noord")


def test_a_scope_knows_whom_it_fits() -> None:
    assert Scope(role="customer").fits("customer", None, None, "routine")
    assert Scope(role="customer").fits("customer:77", None, None, "routine")
    assert not Scope(role="importer").fits("repairer:tick", None, None, "routine")
    assert not Scope(category="lamps").fits("repairer:tick", None, None, "routine")
    assert not Scope.model_validate({"from": "retailer:juno"}).fits("repairer:tick", None, None, "routine")


LATER = "[[levels.later]]\n"
WRONG = [
    ("receive", "the policy is not TOML: expected '=' after a key"),
    ("[alow]", "the policy names the section 'alow', which there is not: did you mean allow?"),
    ("allow = 4", "[allow] is 4: write it as a section"),
    ("[[allow]]", "[allow] stands in two brackets"),
    ('[allow]\nrecieve = "1 day"', "[allow] names the kind 'recieve', which there is not: did you mean receive?"),
    ("[allow]\nreceive = 2", "[allow] receive is 2: write it as text between quotes, such as"),
    ('[allow]\nreceive = " "', "[allow] receive is empty: write something such as"),
    ('[allow]\nreceive = "2 wrking days"', "[allow] receive: '2 wrking days' is no length of time"),
    ('[override]\nkind = "all"', "override: write [[override]], in two brackets"),
    ('override = "all"', "override: write [[override]], in two brackets"),
    (
        override('role = "importer"') + override('role = "importer"', kind='"recieve"'),
        "override 2 names the kind 'recieve', which there is not: did you mean receive?",
    ),
    (override('role = "importer"', kind="4"), "override 1, kind, is 4: write it as text"),
    (override('role = "importer"', kind="[]"), "override 1 names no kind"),
    (override('roll = "importer"'), "override 1 names the key 'roll', which there is not: did you mean role?"),
    (override('role = "importeur"'), "override 1 names the role 'importeur', which there is not: did you mean"),
    (override('role = "x"'), "override 1 names the role 'x', which there is not: there is retailer, importer,"),
    (override('party = "noord"'), "override 1, party: 'noord' is not a party: write role:name"),
    (override('party = "customer:77"'), "override 1, party: 'customer:77' is not a party"),
    (override('from = "juno"'), "override 1, from: 'juno' is not a party"),
    (override('category = ""'), "override 1, category is empty"),
    (override('urgency = "urgnt"'), "override 1 names the urgency 'urgnt', which there is not: did you mean urgent?"),
    (
        override('party = "importer:noord"', 'role = "retailer"'),
        "override 1 fits nobody: importer:noord is no retailer",
    ),
    (override('role = "importer"', allow="soon"), "override 1, allow: 'soon' is no length of time"),
    (override(), "override 1 is for everything: name a party"),
    ('[[override]]\nrole = "importer"', "override 1 says nothing: write how long it allows"),
    ('[[override]]\nrole = "importer"\nallow = "1 day"', "override 1 names no kind: write kind ="),
    (
        '[[override]]\nrole = "importer"\nkind = "part"\n[override.allow]\npart = "1 day"',
        "override 1 names kinds twice",
    ),
    (
        '[[override]]\nrole = "importer"\n[override.allow]\nprat = "1 day"',
        "override 1, allow, names the kind 'prat', which there is not: did you mean part?",
    ),
    ('[levels]\nnuge = "80%"', "[levels] names the key 'nuge', which there is not: did you mean nudge?"),
    ('[levels]\nnudge = "120%"', "[levels] nudge is '120%': write a share of the time from 1% to 99%, or never"),
    ("[levels]\nnudge = 0.8", "[levels] nudge is 0.8: write it as text"),
    ('[levels]\ndue = ["boss"]', "[levels] due names the one to tell 'boss', which there is not: there is owner,"),
    ('[levels.update]\nnuge = "80%"', "[levels.update] names the key 'nuge', which there is not: did you mean nudge?"),
    ("[levels]\nupdate = 4", "[levels.update] is 4: write it as a section"),
    ('[levels.later]\nafter = "1 day"', "[levels] later: write [[levels.later]], in two brackets"),
    (LATER + 'after = "1 day"', "[levels] later 1 does not say 'tell'"),
    (LATER + 'after = "1 day"\ntell = []', "[levels] later 1 tells nobody"),
    (LATER + 'after = "1 day"\ntell = "persn"', "[levels] later 1 names the one to tell 'persn', which there is not"),
    (LATER + 'after = "at once"\ntell = "person"', "[levels] later 1 does not come after the due time"),
    (2 * (LATER + 'after = "1 day"\ntell = "person"\n'), "[levels] later 2 does not come after level 1"),
    (21 * (LATER + 'after = "1 day"\ntell = "person"\n'), "[levels] has 21 later levels"),
    ('[calendar]\nmoonday = "closed"', "[calendar] names the key 'moonday', which there is not: did you mean monday?"),
    ('[calendar]\nmonday = "9 to 5"', "[calendar] monday: '9 to 5' is not opening hours"),
    ("[calendar]\nmonday = 9", "[calendar] monday is 9: write it as text between quotes"),
    ('[calendar]\ntime_zone = "Amsterdam"', "[calendar] time_zone: 'Amsterdam' is not a time zone's name"),
    ('[calendar]\nholidays = "Holland"', "[calendar] holidays: no public holidays are known for 'Holland'"),
    ("calendars = 4", "[calendars] is 4: write it as a section"),
    ('[calendars.x]\nmonday = "closed"', "[calendars.x] is for nobody"),
    ('[calendars.x]\nparties = "noord"', "[calendars.x] parties: 'noord' is not a party"),
    ('[calendars.x]\nroles = "customer"', "[calendars.x] names the role 'customer', which there is not"),
    ('[calendars.x]\nrole = "importer"', "[calendars.x] names the key 'role', which there is not: did you mean roles?"),
    (
        '[calendars.x]\nroles = "importer"\n[calendars.y]\nroles = ["importer"]',
        "[calendars.y] is for importer, as is [calendars.x]",
    ),
    (
        "[calendar]\n" + "".join(f'{day} = "closed"\n' for day in DAYS),
        "[calendar]: a party must open on at least one day",
    ),
    (
        "".join(override(f'party = "importer:{number}{"x" * 100}"', kind='"all"') for number in range(200)),
        "the policy is too long to be kept",
    ),
]


def test_a_wrong_file_gets_one_sentence() -> None:
    for text, told in WRONG:
        with about(text):
            with pytest.raises(PolicyError) as caught:
                Policy.parse(text)
            sentence = str(caught.value)
            assert sentence.startswith(told)
            assert "\n" not in sentence
            assert not sentence.endswith(".")


def test_whoever_is_asked_first_a_customer_is_not_nudged_and_a_party_is() -> None:
    owners = ("customer:C-1", "retailer:juno")
    for first, second in (owners, owners[::-1]):
        book = Book([], {})
        nudges = {owner: book.terms(-1, "answer", owner, None, None, None).rule.nudge for owner in (first, second)}
        assert nudges == {"customer:C-1": None, "retailer:juno": 0.8}


def test_an_override_that_never_holds_is_pointed_out() -> None:
    lane = ('party = "importer:noord"', 'from = "retailer:juno"', 'urgency = "routine"')
    assert list(Policy.parse(override(*lane)).notes()) == []
    (note,) = Policy.parse(override(*lane, kind='["receive", "forward", "repair"]')).notes()
    assert "from retailer:juno" in note
    assert "never holds for forward, repair: from whom it came is known of receive alone" in note

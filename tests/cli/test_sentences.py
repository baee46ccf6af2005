"""Every fact of the vocabulary has a sentence, and none of them can be made to fail."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.render.owed import WORDS
from cli.render.sentences import TEMPLATES, sentence
from events.vocabulary import FACTS
from projections.policy import KINDS
from tests.about import about
from tests.cli.drawing import MOMENTS
from tests.sampling import examples

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_every_fact_of_the_vocabulary_has_a_sentence() -> None:
    assert set(TEMPLATES) == set(FACTS)


def test_every_kind_of_commitment_has_its_words() -> None:
    assert set(WORDS) == set(KINDS)


def test_each_field_in_a_sentence_is_a_field_of_the_fact() -> None:
    from cli.render.sentences import _FIELD, _PREPARE

    for name in TEMPLATES.keys() - _PREPARE.keys():  # those make fields of their own
        with about(name):
            model = FACTS[name].model_fields
            fields = {field.alias or key for key, field in model.items()}
            assert {found[1] for found in _FIELD.finditer(TEMPLATES[name])} <= fields


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("item.handed_over", {"to": "importer:noord"}, "handed it to importer:noord"),
        (
            "item.handed_over",
            {"to": "a:b", "item": "lamp 2", "carrier": "PostRun", "expected_by": "2026-11-20T16:00:00Z"},
            "handed lamp 2 to a:b with PostRun; expected by Fri 20 Nov 17:00",
        ),
        (
            "item.tracked",
            {"tracking_number": "3S1", "status": "delivered", "carrier": "PostRun", "code": "D1"},
            "heard from the carrier PostRun that parcel 3S1 was delivered (D1)",
        ),
        ("item.tracked", {"status": "teleported"}, "heard from the carrier that the parcel is teleported"),
        ("order.opened", {"product": {"description": "a lamp"}, "urgency": "safety"}, "took in a lamp, safety"),
        (
            "order.opened",
            {"product": {"brand": "Lux"}, "items": [{}, {}], "urgency": "routine", "accountable": "retailer:x"},
            "took in Lux (2 items)",
        ),
        (
            "repair.failed",
            {"why": "no part", "options": ["refund", "return_as_is"]},
            "could not repair it: no part; offered: refund, return as is",
        ),
        ("work.paused", {"waiting_for": "part"}, "is waiting for a part"),
        ("work.paused", {"waiting_for": "other", "who": "importer:n"}, "is waiting for importer:n"),
        ("unit.replaced", {"old_serial": "1", "new_serial": "2", "new_model": "B"}, "replaced 1 by B 2"),
        ("cover.decided", {"decision": "not_covered", "cause": "lime"}, "decided on cover: not covered, lime"),
        (
            "customer.contacted",
            {"direction": "outbound", "channel": "phone"},
            "got in touch with the customer (phone)",
        ),
        ("feedback.given", {"holds": False, "score": 0}, "heard from the customer: the repair does not hold, score 0"),
        (
            "commitment.overdue",
            {"kind": "receive", "owed_by": "repairer:t", "level": 2},
            "noticed that repairer:t has not said that it came in (level 2)",
        ),
        (
            "commitment.overdue",
            {"kind": "news", "owed_by": "retailer:j", "level": 1},
            "noticed that retailer:j has not given the customer news",
        ),
        ("commitment.overdue", {"kind": "sing", "owed_by": "retailer:j"}, "noticed that retailer:j is late (sing)"),
        (
            "commitment.nudged",
            {"kind": "decide", "owed_by": "customer:C-1", "due": "2026-11-20T16:00:00Z"},
            "reminded the customer to decide, due Fri 20 Nov 17:00",
        ),
        (
            "commitment.withdrawn",
            {"kind": "diagnose", "owed_by": "repairer:t", "ended_at": "2026-11-20T16:00:00Z"},
            "found that repairer:t was not late to say what is wrong after all: that ended on Fri 20 Nov 17:00",
        ),
        ("policy.adopted", {"digest": "ab12"}, "adopted policy ab12, which says how long everything may take"),
        (
            "cover.claimed",
            {"cause": "lime", "decider": "importer:n"},
            "asked that the guarantee pays: lime; importer:n decides",
        ),
        (
            "fact.corrected",
            {"fact_id": "e1", "reason": "incorrect_data", "replaced_by": ["e2"]},
            "took back e1: it was not right, see e2",
        ),
        ("party.closed", {"from": "2026-12-24T11:00:00Z"}, "is closed from Thu 24 Dec 12:00"),
        ("order.referenced", {}, "calls it ?"),
        ("order.referenced", {"reference": "{source} [x]"}, "calls it {source} [x]"),
        ("lamp.exploded", {"how": "loudly"}, 'said lamp.exploded, which this version does not know: {"how": "loudly"}'),
    ],
)
def test_sentences(name: str, data: dict, expected: str) -> None:
    assert sentence(name, data, MOMENTS) == expected


@settings(max_examples=examples(30, 100), deadline=None)
@given(
    st.sampled_from(sorted(TEMPLATES)),
    st.dictionaries(st.sampled_from(sorted({f for m in FACTS.values() for f in m.model_fields})), _JSON) | _JSON,
)
def test_whatever_the_data_there_is_a_clean_sentence(name: str, data: object) -> None:
    text = sentence(name, data, MOMENTS)
    assert text
    assert "\n" not in text
    assert "\x1b" not in text

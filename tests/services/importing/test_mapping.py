"""What is wrong with a mapping is told in one sentence that names the key."""
# ruff: noqa: E501 - each line is one mistake and the whole of its message, to be read side by side

from __future__ import annotations

from pathlib import Path

import pytest

from services.importing import MappingError, load_mapping
from tests.about import about
from tests.services.importing.helpers import LEAST, mapping

RULE = '[[facts]]\nwhen = { activity = ["X"] }\n'


#: What is written, and what is told.
MISTAKES = (
    ("[log]\nname = 'a b'", "log.name: must match pattern '^[A-Za-z0-9_-]{1,40}$'"),
    ("[log]\nnmae = 'x'", "log.nmae: is no key that is known here"),
    ("[logs]\nname = 'x'", "logs: is no key that is known here"),
    ("[log]\nencoding = 'klingon'", "log.encoding: 'klingon' is no text encoding; utf-8, latin-1 and utf-16 are some"),
    ("[log]\ntime_zone = 'Mars'", "log.time_zone: 'Mars' is no time zone; write one such as Europe/Amsterdam"),
    ("[log]\ntime_format = '%d.%Q'", "log.time_format: '%d.%Q' is no pattern of times: 'Q' is a bad directive in format '%d.%Q'"),
    ("[log]\ntime_format = '%d %d'", "log.time_format: '%d %d' is no pattern of times: it names a part of the time twice"),
    ("[log]\ndelimiter = '||'", "log.delimiter: must have at most 1 character"),
    ("[log]\ncases = 'some'", "log.cases: must be 'spread' or 'together'"),
    ("[columns]\nParty = 'x'", "columns.Party: must match pattern '^[a-z][a-z0-9_]*$'"),
    ("[columns]\nextra = []", "columns.extra: must have at least 1 item after validation, not 0"),
    ("[party]\nrole = 'shop'", "party.role: 'shop' is no role of a partner; write retailer, importer, repairer"),
    ("[party]\nfirst = 'north'", "party.first: 'north' is no partner: write role:name, with a role of retailer, importer, repairer"),
    ("[party]\nname = '{team}'", "party.name: uses the column 'team', which [columns] does not name as a text"),
    ("[party]\nname = '{}'", "party.name: may hold nothing in braces but a column's name, such as {party}"),
    ("[party]\nname = '{party'", "party.name: cannot be read as a text with columns in braces: expected '}' before end of string"),
    ("[party]\nname = []", "party.name: must be a text, a number, true or false, a lookup or a table of these"),
    ("[party]\nrole = { table = { a = 'retailer' } }", "party.role: a lookup needs 'column', the column that is looked up"),
    ("[party]\nrole = { column = 'party', table = {} }", "party.role: a lookup needs a 'table' with at least one entry"),
    ("[party]\nrole = { column = 'party', table = { a = 'retailer' }, other = 'x' }", "party.role: a lookup has column, table and otherwise, not 'other'"),
    ("[order]\naccountable = 'boss'", "order.accountable: 'boss' is no partner: write role:name, with a role of retailer, importer, repairer"),
    ("[order.opened]\nfault = 'x'", "order.opened.fault: is no field of order.opened: it has customer, product, items, fault_code, fault_text, accountable, urgency, at_home"),
    ("[order.opened]\nproduct = { modle = '{activity}' }", "order.opened.product.modle: is no field of order.opened: it has brand, model, serial, description, category"),
    ("[order.opened]\nurgency = 'soon'", "order.opened.urgency: must be 'routine', 'urgent' or 'safety', says order.opened"),
    ("[order.opened]\naccountable = 'repairer:x'", "order.opened.accountable: is said by order.accountable"),
    ("[custody]\nqueued = 'Queued'", 'custody.queued: must be a condition, such as { activity = ["Completed"] }'),
    ("[custody]\nqueued = { status = ['Queued'] }", "custody.queued: uses the column 'status', which [columns] does not name as a text"),
    ("[status]\noutcome = 'repaired'", "status.closed: is missing"),
    ("[status]\nclosed = ['X']\noutcome = 'fixed'", "status.outcome: must be 'repaired', 'replaced', 'refunded', 'unrepairable', 'declined' or 'cancelled', says order.closed"),
    ("[status]\nclosed = ['X']\noutcome = '{activity}'", "status.outcome: must be a text, or a lookup with otherwise, so that every close has an outcome"),
    ("[aside]\nwhen = { activity = [1] }", "aside.when: column 'activity' needs a list of texts that it may be"),
    (RULE + "type = 'work.done'", "facts[0].type: there is no fact named 'work.done'"),
    (RULE + "type = 'order.closed'", "facts[0].type: order.closed is said by [order], [custody] and [status], not by a rule"),
    (RULE + "type = 'message.sent'\ndata = { text = 'x' }", "facts[0].type: no partner may say message.sent"),
    (RULE + "type = 'work.paused'", "facts[0].data.waiting_for: is missing, says work.paused"),
    (RULE + "type = 'work.paused'\ndata = { waiting_for = 'rain' }", "facts[0].data.waiting_for: must be 'customer', 'part', 'retailer', 'importer', 'repairer' or 'other', says work.paused"),
    (RULE + "type = 'work.resumed'\ndata = { reason = '{activity}' }", "facts[0].data.reason: is no field of work.resumed: it has why"),
    (RULE + "type = 'work.resumed'\ndata = 'x'", 'facts[0].data: must be a table of values, such as { summary = "{activity}" }'),
    (RULE + "type = 'work.paused'\ndata = { waiting_for = 'part' }\neach = 'row'\nleaving = 'work.resumed'", 'facts[0].leaving: needs each = "run": a single row is never left'),
    ("[[facts]]\nwhen = {}\ntype = 'work.resumed'", 'facts[0].when: must be a condition, such as { activity = ["Completed"] }'),
)  # fmt: skip


def test_a_mistake_is_told_with_its_key() -> None:
    for more, message in MISTAKES:
        with about(more):
            with pytest.raises(MappingError) as raised:
                mapping(more)
            assert str(raised.value) == f"m.toml: {message}"


def test_a_lookup_is_checked_in_every_outcome() -> None:
    table = 'column = "activity", table = { A = "customer", B = "rain" }, otherwise = "other"'
    with pytest.raises(MappingError, match=r"facts\[0\]\.data\.waiting_for: must be 'customer'"):
        mapping(RULE + f"type = 'work.paused'\ndata = {{ waiting_for = {{ {table} }} }}")


@pytest.mark.parametrize("column", ["case", "time"])
def test_case_and_time_are_needed(column: str) -> None:
    with pytest.raises(MappingError, match=f"columns.{column}: is missing"):
        mapping(least=LEAST.replace(f'{column} = "{column}"', ""))


def test_a_file_that_is_no_toml_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    with pytest.raises(MappingError, match=r"m\.toml cannot be read: No such file"):
        load_mapping(path)
    path.write_text("[log\n")
    with pytest.raises(MappingError, match=r"m\.toml is not TOML: "):
        load_mapping(path)
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(MappingError, match=r"m\.toml is not UTF-8 text, so it is no mapping"):
        load_mapping(path)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[3] / "examples").glob("*.toml")), ids=lambda path: path.stem
)
def test_the_examples_are_mappings(path: Path) -> None:
    assert load_mapping(path).log.name == path.stem

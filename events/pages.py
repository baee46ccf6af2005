"""A readable page per type for whoever writes a partner's program, made from the models: Markdown, with an example."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from events.envelope import full_type
from events.facet import Fact
from events.golden import example
from events.party import PARTNER_ROLES
from events.schema import event_schema, said_by
from events.vocabulary import FACETS, FACTS, INCIDENT_FACTS, PARTY_FACTS

#: What is common to all pages: the file that lists them.
INDEX: Final = "README.md"

_MADE: Final = "<!-- Made by `repairchain schema --pages docs/events`; a test compares the two. -->\n"

_INTRODUCTION: Final = f"""\
# What can be said

{_MADE}
Each fact is a [CloudEvent](https://cloudevents.io) 1.0. Around its `data`, which its page describes, every one has:

| field | | |
|---|---|---|
| `specversion` | required | `1.0` |
| `id` | required | yours to choose, at most 240 bytes; with `source` it is this event for ever: again adds nothing |
| `source` | required | the party that says so, `role:name` |
| `type` | required | in full, such as `repairchain.item.received.v1` |
| `subject` | required | the order: its chain-wide id, or your own number for it after you said `order.referenced` |
| `subjectkind`, `subjectof` | | what `subject` is if it is [another number](../numbers.md), and whose |
| `time` | required | when it happened: date and time with a zone, such as `2026-11-21T17:00:00+01:00` |
| `data` | required | what the type asks for; `{{}}` where that is nothing |
| `datacontenttype` | | `application/json` |
| `correlationid`, `causationid` | | what belongs together, and the fact that led to this one |

Unknown fields in `data` are refused. What may change and what never will is in [compatibility.md](../compatibility.md).
"""

_FACETS: Final = {
    "order": "The order itself",
    "custody": "Who has it in their hands",
    "work": "The work",
    "quote": "What it costs",
    "cover": "Guarantee and registration",
    "promise": "Promises",
    "contact": "Between the customer and the chain",
    "chain": "What parties and the tracker say about themselves",
    "incident": "Incidents",
    "correction": "Corrections",
}


def pages() -> dict[str, str]:
    """The text of each page by its file's name, ``item.received.md``; INDEX lists them by what they are about."""
    return {INDEX: _index()} | {f"{name}.md": page(name) for name in FACTS}


def page(name: str) -> str:
    """The page of one fact. Raises KeyError for an unknown name."""
    fact = FACTS[name]
    title = full_type(name, fact.VERSION)
    schema = event_schema(name)
    data = schema["properties"]["data"]
    shown = json.dumps(example(name, fact.VERSION), indent=2, ensure_ascii=False)
    parts = [
        f"# {name}\n",
        _MADE,
        _prose(fact.__doc__),
        f"\n`type`: `{title}`. {_speakers(name)}{_subject(name)}\n",
        *_tables(data, schema.get("$defs", {}), _notes(fact)),
        f"## An example, with every field\n\n```json\n{shown}\n```\n",
        f"[JSON Schema](../schemas/{title}.json) · [All facts]({INDEX})\n",
    ]
    return "\n".join(parts)


def _index() -> str:
    lines = [_INTRODUCTION]
    for facet, module in FACETS.items():
        lines += [f"\n## {_FACETS.get(facet, facet)}\n", "| fact | what it says | said by |", "|---|---|---|"]
        for fact in module.FACTS:
            first = _prose(fact.__doc__).splitlines()[0]
            roles = said_by(fact.NAME)
            speakers = "any partner" if set(PARTNER_ROLES) <= set(roles) else ""
            others = [role for role in roles if not speakers or role not in PARTNER_ROLES]
            said = ", ".join([speakers, *others] if speakers else others)
            lines.append(f"| [{fact.NAME}]({fact.NAME}.md) | {first} | {said} |")
    return "\n".join(lines) + "\n"


def _speakers(name: str) -> str:
    roles = said_by(name)
    if not set(roles) & set(PARTNER_ROLES):
        return "The chain itself says it; no partner publishes it."
    return f"Said by: {', '.join(roles)}."


def _subject(name: str) -> str:
    if name in PARTY_FACTS:
        return " Its `subject` is the party itself."
    if name in INCIDENT_FACTS:
        return " Its `subject` is the incident's own id."
    if name == "order.opened":
        return " Its `subject` is the id that the order has from then on; put something of your own before it."
    return ""


def _tables(data: Mapping[str, Any], definitions: Mapping[str, Any], notes: Mapping[str, str]) -> Iterator[str]:
    """The fields of ``data``, then those of each object within it."""
    if not data.get("properties"):
        yield "`data` is `{}`: there is nothing more to say.\n"
        return
    waiting: list[tuple[str, Mapping[str, Any], Mapping[str, str]]] = [("data", data, notes)]
    done: set[str] = set()
    while waiting:
        title, schema, said = waiting.pop(0)
        if title in done:
            continue
        done.add(title)
        yield f"## {title}\n"
        if title != "data" and (described := schema.get("description")):
            yield f"{_prose(described)}\n"
        rows = ["| field | | |", "|---|---|---|"]
        for name, field in schema["properties"].items():
            needed = "required" if name in schema.get("required", ()) else ""
            told = [_words(field), _default(field), str(field.get("description", "")), said.get(name, "")]
            rows.append(f"| `{name}` | {needed} | {'; '.join(each for each in told if each)} |")
            waiting += _within(name, field, definitions)
        yield "\n".join(rows) + "\n"


def _within(
    name: str, field: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, str]]]:
    """The objects that a field holds, with a title each."""
    if "$ref" in field:
        title = _definition(field)
        yield title, definitions[title], {}
    for each in field.get("anyOf", ()):
        yield from _within(name, each, definitions)
    if "items" in field:
        yield from _within(name, field["items"], definitions)
    if field.get("properties"):
        yield name, field, {}


def _definition(field: Mapping[str, Any]) -> str:
    return str(field["$ref"]).rpartition("/")[2]


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "" if default in (None, []) else f"without it `{_value(default)}`"


def _value(value: object) -> str:
    """A value as it stands in JSON; a text without its quotes, as the others on a page."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _words(field: Mapping[str, Any]) -> str:
    """What a value looks like, in words."""
    if "$ref" in field:
        title = _definition(field)
        return f"an object, [{title}](#{title.lower()})"
    if "anyOf" in field:
        return " or ".join(_words(each) for each in field["anyOf"] if each.get("type") != "null")
    if values := field.get("enum", [field["const"]] if "const" in field else None):
        return "one of " + ", ".join(f"`{each}`" for each in values) if len(values) > 1 else f"`{values[0]}`"
    in_words = _OF_TYPE.get(str(field.get("type")))
    return "anything" if in_words is None else in_words(field)


def _text(field: Mapping[str, Any]) -> str:
    known = {
        "date-time": "date and time with a zone",
        "date": "a date such as `2026-11-21`",
        "party": "a party, `role:name`",
    }
    if found := known.get(str(field.get("format"))):
        return found
    low, high = field.get("minLength"), field.get("maxLength")
    length = f" of at most {high:,} characters" if high else ", not empty" if low else ""
    like = f" that matches `{_cell(field['pattern'])}`" if "pattern" in field else ""
    return f"text{length}{like}" + _examples(field)


def _number(kind: str, field: Mapping[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        return f"{kind} from {low:g} to {high:g}"
    return (
        kind + (f", at least {low:g}" if low is not None else "") + (f", at most {high:g}" if high is not None else "")
    )


def _list(field: Mapping[str, Any]) -> str:
    most = f" (at most {field['maxItems']})" if "maxItems" in field else ""
    return f"a list{most}: {_words(field['items'])}"


_OF_TYPE: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "string": _text,
    "integer": lambda field: _number("a whole number", field),
    "number": lambda field: _number("a number", field),
    "boolean": lambda _: "`true` or `false`",
    "array": _list,
    "object": lambda _: "an object",
}


def _examples(field: Mapping[str, Any]) -> str:
    return f", such as {', '.join(f'`{each}`' for each in field['examples'])}" if field.get("examples") else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(text: str | None) -> str:
    """A docstring as Markdown."""
    return inspect.cleandoc(text or "").replace("``", "`")


def _notes(fact: type[Fact]) -> dict[str, str]:
    """What the ``#:`` lines above a field say of it, by the field's name in JSON."""
    found: dict[str, str] = {}
    for model in reversed([each for each in fact.__mro__ if issubclass(each, BaseModel) and each is not BaseModel]):
        source = inspect.getsource(model)
        for lines, field in re.findall(r"((?:^ +#: .*\n)+) +(\w+): ", source, re.MULTILINE):
            known = fact.model_fields.get(field)
            if known is not None:
                words = " ".join(line.strip().removeprefix("#:").strip() for line in lines.splitlines())
                found[known.alias or field] = _prose(words).rstrip(".")
    return found

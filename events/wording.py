"""What pydantic finds wrong, in the words of somebody who has never heard of it."""

from __future__ import annotations

import re
from typing import Any, Final

#: Kind of error → what is told, where pydantic's own words name a class of Python or leave out what to write.
_WORDS: Final = {
    "timezone_aware": "must state its zone, as 2026-11-21T17:00:00+01:00 does",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_too_short": "must not be empty",
}
#: "Input should be 'a' or 'b'", "String should match pattern …".
_SUBJECT: Final = re.compile(r"^(?:Input|String|List|Tuple|Dictionary|Value|Number) should ")
#: Said by validators of ours, whose sentences need no other words.
_OURS: Final = re.compile(r"^(?:Value error|Assertion failed), ")


def in_words(fault: Any) -> str:
    """What is wrong, of one of ``ValidationError.errors()``."""
    kind, message = fault["type"], fault["msg"]
    if kind == "string_too_short" and fault.get("ctx", {}).get("min_length") != 1:
        return _SUBJECT.sub("must ", message)
    return _WORDS.get(kind) or _SUBJECT.sub("must ", _OURS.sub("", message))

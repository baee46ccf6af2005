"""One event of each type and version, every field filled in: what no later change may break, and what partners see."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

_CONTACT = {
    "name": "Ms Jansen",
    "language": "en",
    "channels": [{"kind": "email", "address": "customer@mail.example"}],
    "time_zone": "Europe/Amsterdam",
    "quiet": "21:00-8:00",
    "not_told": ["received"],
    "paused_until": "2026-11-22T08:00:00Z",
}


def golden(name: str, version: int) -> dict[str, Any]:
    """The event as the log holds it. Raises FileNotFoundError for what there is none of."""
    text = files(__name__).joinpath(f"{name}.v{version}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def example(name: str, version: int) -> dict[str, Any]:
    """The same as a partner hands it in: without what the chain adds to it, with what it takes off."""
    document = {key: value for key, value in golden(name, version).items() if key != "recordedtime"}
    if name == "fact.corrected":  # what the log holds of it the chain said, and partners take back facts of their own
        document["source"] = document["data"]["fact_source"]
    if name == "order.opened":
        document["data"] = document["data"] | {"contact": _CONTACT}
    return document

"""The OpenAPI document: sound, and kept to, whatever schemathesis thinks of."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from services import rejected
from services.http.openapi import document
from tests.chainserver import ChainServer
from tests.services.http.counter import open_counter
from tests.services.submissions import SHOP, event


def test_every_reference_leads_somewhere() -> None:
    whole = document()

    def references(part: object) -> Iterator[str]:
        if isinstance(part, dict):
            yield from (value for name, value in part.items() if name == "$ref")
            for each in part.values():
                yield from references(each)
        elif isinstance(part, list):
            for each in part:
                yield from references(each)

    known = {f"#/components/schemas/{name}" for name in whole["components"]["schemas"]}
    found = set(references(whole))
    assert found <= known
    assert len(found) > 5


def test_the_schemas_are_schemas_and_say_what_an_event_is() -> None:
    whole = document()
    for schema in whole["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator({**whole, "$ref": "#/components/schemas/Event"})
    validator.validate(event("e1"))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"id": "e1"})


CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("phases", "examples", "least_rejected"),
    # What lies at the bounds of every field are thousands of requests.
    [("examples,fuzzing", 3, 1), pytest.param("examples,coverage,fuzzing", 15, 50, marks=pytest.mark.heavy)],
)
async def test_whatever_schemathesis_sends_is_answered_as_the_document_says(
    chain_server: ChainServer, tmp_path: Path, phases: str, examples: int, least_rejected: int
) -> None:
    async with open_counter(chain_server, http_events_per_second=1_000_000) as counter:
        shop = await counter.caller(SHOP)
        async with counter.running("retailer", "projector"):
            command = [sys.executable, "-m", "schemathesis.cli", "run", f"{shop.url}/openapi.json"]
            command += [
                f"--checks={','.join(CHECKS)}",
                f"--max-examples={examples}",
                "--suppress-health-check=too_slow",
                "--seed=1",
                "--no-color",
                f"--phases={phases}",
            ]
            command += [f"--header=Authorization: {shop.headers['Authorization']}", "--generation-database=none"]
            run = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, cwd=tmp_path, check=False
            )
        told = run.stdout + run.stderr
        assert run.returncode == 0, told[-8_000:]
        assert "Tested: 9" in told, told[-2_000:]
        js = (await chain_server.connect("keeper")).jetstream()
        assert await rejected.count_rejected(js) > least_rejected, "the intake had a good deal to judge"

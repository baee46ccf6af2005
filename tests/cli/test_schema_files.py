"""schema --out and --pages: files for partners, and no release that breaks them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import call


def test_a_release_that_would_break_partners_is_refused(tmp_path: Path) -> None:
    assert call("schema", "--out", str(tmp_path / "s"), "--pages", str(tmp_path / "p"), home=tmp_path).exit_code == 0
    assert (tmp_path / "p" / "README.md").exists()
    file = tmp_path / "s" / "repairchain.item.received.v1.json"
    allowed_more = json.loads(file.read_text())
    allowed_more["properties"]["data"]["properties"]["colour"] = {"type": "string"}
    file.write_text(json.dumps(allowed_more))
    refused = call("schema", "--out", str(tmp_path / "s"), home=tmp_path)
    assert refused.exit_code == 2
    assert "item.received.v1: /data/colour: this field is gone" in refused.stderr
    assert json.loads(file.read_text()) == allowed_more


def test_a_message_that_tells_less_is_refused(tmp_path: Path) -> None:
    assert call("schema", "--out", str(tmp_path), home=tmp_path).exit_code == 0
    file = tmp_path / "asyncapi.json"
    told_more = json.loads(file.read_text())
    told_more["components"]["messages"]["notice"]["payload"]["properties"]["mood"] = {"type": "string"}
    file.write_text(json.dumps(told_more))
    refused = call("schema", "--out", str(tmp_path), home=tmp_path)
    assert refused.exit_code == 2
    assert "notice: /mood" in refused.stderr
    file.write_text("no JSON")
    assert "move it away" in call("schema", "--out", str(tmp_path), home=tmp_path).stderr

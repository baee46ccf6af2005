"""compose.yaml against the compose specification, and against what the services themselves say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from events import names
from services.home import HomeFolder
from services.rights import OWN_USERS
from services.server import find_server
from services.settings import HEALTH_PORTS, PREFIX, Settings

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]


def test_it_keeps_to_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_there_is_one_container_per_service() -> None:
    assert set(SERVICES) == {"setup", "operator", "nats", *names.ALL_SERVICES}
    for name in names.ALL_SERVICES:
        assert SERVICES[name]["command"] == ["repairchain", "run", name]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name: str) -> None:
    container = SERVICES[name]
    assert container["user"] == "10001:10001"
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in container.get("ports", []))
    assert container["restart"] == ("no" if name in ("setup", "operator") else "unless-stopped")


@pytest.mark.parametrize("name", names.ALL_SERVICES)
def test_every_service_is_probed_where_it_answers(name: str) -> None:
    url = f"http://127.0.0.1:{HEALTH_PORTS[name]}/readyz"
    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "services.health", url]
    assert SERVICES[name]["depends_on"]["nats"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", names.ALL_SERVICES)
def test_every_variable_is_a_setting(name: str) -> None:
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    assert set(SERVICES[name]["environment"]) <= known


def test_a_service_is_given_its_own_login_and_data_and_no_more() -> None:
    home = HomeFolder(Path("/var/lib/repairchain"))
    own = {
        **{role: {f"state-{role}:{home.state}"} for role in names.INTAKE_STREAMS},
        "projector": {f"readmodels:{home.database.parent}"},
        "notifier": {
            f"registry:{home.registry}:ro",
            f"webhooks:{home.webhooks}:ro",
            f"outbox:{home.outbox}",
        },
        "http": {f"registry:{home.registry}:ro", f"keys:{home.keys}:ro", f"state-http:{home.state}"},
        "watchdog": {f"policy:{home.policy.parent / 'policy'}:ro", f"registry:{home.registry}:ro"},
    }
    for name in names.ALL_SERVICES:
        login = home.login_file(name).parent
        assert set(SERVICES[name]["volumes"]) == own[name] | {f"login-{name}:{login}:ro"}
        assert f"{home.run}:mode=1777" in SERVICES[name]["tmpfs"]
    assert set(SERVICES["nats"]["volumes"]) == {f"server:{home.nats}:ro", "jetstream:/var/lib/jetstream"}


def test_a_policy_that_the_set_up_writes_is_where_the_watchdog_looks() -> None:
    (mount,) = (mount for mount in SERVICES["watchdog"]["volumes"] if mount.startswith("policy:"))
    folder = mount.split(":")[1]
    assert f"policy:{folder}" in SERVICES["setup"]["volumes"]
    for name in ("setup", "watchdog"):
        assert SERVICES[name]["environment"]["REPAIRCHAIN_POLICY"] == f"{folder}/{HomeFolder(Path()).policy.name}"


def test_the_set_up_reaches_every_login() -> None:
    home = HomeFolder(Path("/var/lib/repairchain"))
    logins = {f"login-{user}:{home.login_file(user).parent}" for user in OWN_USERS}
    assert logins < set(SERVICES["setup"]["volumes"])


def test_every_mount_is_a_folder_of_the_image() -> None:
    """A new volume belongs to whoever owns the folder in the image that it is mounted on."""
    made = (ROOT / "Dockerfile").read_text().split()
    for service in SERVICES.values():
        assert {volume.split(":")[1] for volume in service["volumes"]} <= set(made)


def test_the_set_up_makes_what_the_server_is_started_with(tmp_path: Path) -> None:
    """The commands of `setup` and `nats`, with this machine's paths for the container's."""
    home = tmp_path / "home"
    environment = {**os.environ, **SERVICES["setup"]["environment"], "REPAIRCHAIN_HOME": str(home)}
    command = [sys.executable, *SERVICES["setup"]["command"][1:]]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True)
    arguments = [
        argument.replace("/var/lib/repairchain", str(home)).replace("/var/lib/jetstream", str(tmp_path / "store"))
        for argument in SERVICES["nats"]["command"]
    ]
    checked = subprocess.run([str(find_server()), *arguments, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    monitoring = re.search(r'^http: "(.*)"$', HomeFolder(home).server_config.read_text(), re.MULTILINE)
    assert monitoring is not None
    assert f"http://{monitoring[1]}/healthz" in SERVICES["nats"]["healthcheck"]["test"][-1]

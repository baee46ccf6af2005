"""Where settings come from, which source wins, and what is said about a wrong one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from events import names
from services.adopting import read_policy
from services.connecting import login
from services.credentials import Credential, prepare
from services.home import write_json
from services.importing.loading import load_mapping
from services.settings import HEALTH_PORTS, SettingsError, _read_file, load_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder without files."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.home == Path(".repairchain")
    assert settings.nats_url is None
    assert settings.nats_port == 4222
    assert settings.email_url == "outbox://"
    assert settings.outbox_folder == Path(".repairchain/outbox")
    assert settings.health_port_of("retailer") == HEALTH_PORTS["retailer"]


def test_every_service_has_a_health_port_of_its_own() -> None:
    assert set(HEALTH_PORTS) == set(names.ALL_SERVICES)
    assert len(set(HEALTH_PORTS.values())) == len(HEALTH_PORTS)


def test_the_nearer_source_wins(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = empty_folder / "chain"
    home.mkdir()
    (home / "repairchain.toml").write_text('beat_seconds = 1\nnats_port = 1001\nlog_level = "error"\noutbox = "out"\n')
    (empty_folder / "repairchain.toml").write_text('home = "chain"\nnats_port = 1002\nlog_level = "warning"\n')
    monkeypatch.setenv("REPAIRCHAIN_LOG_LEVEL", "debug")
    monkeypatch.setenv("REPAIRCHAIN_HEALTH_HOST", "::1")

    settings = load_settings(health_host="127.0.0.2", nats_user=None)

    assert settings.home == Path("chain")
    assert settings.beat_seconds == 1  # from the home
    assert settings.outbox_folder == Path("out")
    assert settings.nats_port == 1002  # from the current folder
    assert settings.log_level == "debug"  # from the environment
    assert settings.health_host == "127.0.0.2"  # from the command line


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("nats_prot = 1", "repairchain.toml sets nats_prot, which is not a setting: did you mean nats_port?"),
        ("nats_port = 70000", "nats_port in repairchain.toml is wrong: must be less than or equal to 65535"),
        (
            "log_level = 'loud'",
            "log_level in repairchain.toml is wrong: must be 'debug', 'info', 'warning' or 'error'",
        ),
        (
            "http_port = 8453",
            "http_port in repairchain.toml is wrong: 8453 is where the importer service answers health checks: "
            "choose another port",
        ),
        ("home = ", "repairchain.toml cannot be read: Invalid value (at end of document)"),
    ],
)
def test_a_wrong_file_gives_one_clear_sentence(empty_folder: Path, file: str, sentence: str) -> None:
    (empty_folder / "repairchain.toml").write_text(file)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert str(raised.value) == sentence


def test_a_port_for_http_is_free_where_health_checks_have_another(empty_folder: Path) -> None:
    (empty_folder / "repairchain.toml").write_text("http_port = 8453\nhealth_port = 0")
    assert load_settings().http_port == 8453


def test_a_wrong_variable_gives_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPAIRCHAIN_BEAT_SECONDS", "often")
    with pytest.raises(
        SettingsError, match=r"^beat_seconds in the environment \(REPAIRCHAIN_BEAT_SECONDS\) is wrong: "
    ):
        load_settings()
    monkeypatch.setenv("REPAIRCHAIN_BEATSECONDS", "5")
    with pytest.raises(
        SettingsError,
        match=r"^the environment variable REPAIRCHAIN_BEATSECONDS sets beatseconds, which is not a setting: "
        r"did you mean beat_seconds\?$",
    ):
        load_settings()


@pytest.mark.parametrize("read", [read_policy, load_mapping, _read_file])
def test_what_has_no_end_is_not_read_without_one(read: Callable[[Path], object]) -> None:
    with pytest.raises(ValueError, match="File too large"):
        read(Path("/dev/zero"))


@pytest.mark.parametrize("read", [read_policy, load_mapping, _read_file])
def test_nobody_waits_for_a_pipe_into_which_nobody_writes(read: Callable[[Path], object], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="a pipe into which nobody writes"):
        read(pipe)

    def is_read() -> bool:
        with subprocess.Popen(["sh", "-c", 'echo "allow = 1" > "$0"', pipe], stderr=subprocess.DEVNULL) as writer:
            while writer.poll() is None:  # that it is no policy, and no mapping, is said of what it writes
                with suppress(ValueError):
                    read(pipe)
        return writer.returncode == 0

    # A writer that comes just as a look at the empty pipe ends is left alone: then another has to try.
    assert any(is_read() for _ in range(20))


def test_the_home_cannot_move_itself(empty_folder: Path) -> None:
    (empty_folder / ".repairchain").mkdir()
    (empty_folder / ".repairchain" / "repairchain.toml").write_text('home = "elsewhere"')
    with pytest.raises(SettingsError, match="cannot say where that is"):
        load_settings()


def test_settings_do_not_change_and_do_not_tell_secrets() -> None:
    settings = load_settings(nats_user="me", nats_password="hush-1", email_url="mailtos://me:hush-2@host")
    assert "hush" not in repr(settings)
    field = "nats_port"
    with pytest.raises(ValidationError):
        setattr(settings, field, 1)


def test_channels_are_a_table_or_json_and_their_secrets_are_not_told(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / "repairchain.toml").write_text('[channels]\nsms = "jsons://gate.example/{address}?key=hush"\n')
    settings = load_settings()
    assert settings.channels == {"sms": "jsons://gate.example/{address}?key=hush"}
    assert "hush" not in repr(settings)
    monkeypatch.setenv("REPAIRCHAIN_CHANNELS", settings.as_environment()["REPAIRCHAIN_CHANNELS"])
    (empty_folder / "repairchain.toml").unlink()
    assert load_settings().channels == settings.channels
    for wrong in ("sms=jsons://hush", '["hush"]', '{"sms": ["hush"]}'):
        monkeypatch.setenv("REPAIRCHAIN_CHANNELS", wrong)
        with pytest.raises(SettingsError, match=r"^channels in the environment") as refused:
            load_settings()
        assert "hush" not in str(refused.value)


def test_a_child_process_reads_the_same(empty_folder: Path) -> None:
    (empty_folder / "repairchain.toml").write_text("beat_seconds = 2.5\n")
    settings = load_settings(home=Path("here"), nats_url="nats://127.0.0.1:1", health_port=0)
    program = "from services.settings import load_settings; print(load_settings().model_dump_json())"
    child = subprocess.run(
        [sys.executable, "-c", program], env=settings.as_environment(), capture_output=True, text=True, check=True
    )
    expected = settings.model_copy(update={"home": settings.home.absolute()})
    assert child.stdout.strip() == expected.model_dump_json()


def test_login_comes_from_the_running_server_and_the_home(free_home: Path) -> None:
    settings = load_settings(home=free_home)
    with pytest.raises(SettingsError, match="no chain runs on"):
        login(settings, "watchdog")
    prepare(free_home)
    write_json(settings.folder.server_file, {"url": "nats://127.0.0.1:7", "pid": 0})
    found = login(settings, "watchdog")
    assert (found.url, found.credential.user) == ("nats://127.0.0.1:7", "watchdog")
    assert found.credential.seed
    assert found.credential.seed not in repr(found)
    own = load_settings(home=free_home, nats_url="nats://127.0.0.1:8", nats_user="a", nats_password="b")
    given = login(own, "watchdog")
    assert (given.url, given.credential) == ("nats://127.0.0.1:8", Credential("a", "b"))

"""The quick way to home and server says the same as the settings do."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from cli.errors import Problem
from cli.place import find_place, http_url, operator_login, server_url
from services.home import HomeFolder, write_json
from services.settings import load_settings
from tests.about import about

#: What the command line names, the environment, the file where we are and those in the homes; and an address.
WHERE = tuple(
    itertools.product(
        [None, "from-option"],
        [None, "from-environment"],
        ["", 'home = "from-file"\nnats_url = "nats://here:1"\n', 'nats_user = "u"\nnats_password = "p"\n'],
        ["", 'nats_url = "nats://home:2"\n'],
        [None, "nats://variable:3"],
    )
)


def test_both_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("from-option", "from-environment", "from-file", ".repairchain"):
        Path(name).mkdir()
    for option, variable, here, at_home, url in WHERE:
        with about(option, variable, here, at_home, url), monkeypatch.context() as patch:
            Path("repairchain.toml").write_text(here)
            for name in ("from-option", "from-environment", "from-file", ".repairchain"):
                (Path(name) / "repairchain.toml").write_text(at_home)
            for name, value in (("REPAIRCHAIN_HOME", variable), ("REPAIRCHAIN_NATS_URL", url)):
                if value:
                    patch.setenv(name, value)
            place = find_place(Path(option) if option else None)
            settings = load_settings(home=place.home if option else None)
            assert (place.home, place.url, place.user, place.password) == (
                settings.home,
                settings.nats_url,
                settings.nats_user,
                settings.nats_password,
            )


def test_the_password_is_not_shown() -> None:
    from cli.place import Place

    assert "secret" not in repr(Place(Path("x"), user="u", password="secret"))


def test_the_running_server_is_found_in_the_home(free_home: Path) -> None:
    folder = HomeFolder(free_home)
    folder.create()
    place = find_place(free_home)
    assert server_url(place) is None
    write_json(folder.server_file, {"url": "nats://127.0.0.1:4222", "pid": 1})
    assert server_url(place) == "nats://127.0.0.1:4222"
    with pytest.raises(Problem, match="no credentials of the operator"):
        operator_login(place)
    folder.login_file("operator").parent.mkdir()
    write_json(folder.login_file("operator"), {"user": "operator", "password": "p"})
    assert operator_login(place) == {"user": "operator", "password": "p"}


@pytest.mark.parametrize(
    ("settings", "running", "found"),
    [
        ("", None, None),
        ("http_port = 0", None, None),
        ("http_port = 8443", None, "http://127.0.0.1:8443"),
        ('http_port = 8443\nhttp_host = "::1"\nhttp_certificate = "c"', None, "https://[::1]:8443"),
        ('http_port = 8443\nhttp_host = "0.0.0.0"\nhttp_certificate = "c"', None, "https://SERVER:8443"),
        ("http_port = 0", "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http_port = 0", "https://[::]:9000", "https://SERVER:9000"),
        ("http_port = 8443\nhttp_behind_proxy = true", "http://127.0.0.1:8443", "https://SERVER"),
        ('http_port = "wrong"', "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_partners_are_told_where_they_reach_http(
    settings: str, running: str | None, found: str | None, free_home: Path
) -> None:
    folder = HomeFolder(free_home)
    folder.create()
    (free_home / "repairchain.toml").write_text(settings)
    if running is not None:
        write_json(folder.http_file, {"url": running, "pid": 1})
    assert http_url(find_place(free_home)) == found

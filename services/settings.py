"""The one source of configuration: repairchain.toml and the environment.

What is said on the command line wins over ``REPAIRCHAIN_…`` variables, those over ``repairchain.toml`` in the current
folder, that over ``repairchain.toml`` in the home folder, and that over the defaults below.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as SourceError

from events.streams import DEFAULT_LIMITS, Limits
from events.wording import in_words
from services.fitness import Trust
from services.home import HomeFolder, read_written

PREFIX: Final = "REPAIRCHAIN_"
FILE_NAME: Final = "repairchain.toml"

#: Where each service answers /livez and /readyz, unless told otherwise.
HEALTH_PORTS: Final = {
    "projector": 8451,
    "retailer": 8452,
    "importer": 8453,
    "repairer": 8454,
    "notifier": 8455,
    "watchdog": 8456,
    "http": 8457,
}


class SettingsError(ValueError):
    """A setting is wrong; the message is one sentence that says which, where, and what to do."""


class Settings(BaseSettings):
    """Every setting of the chain. Make them with ``load_settings``, which reads the files and the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    home: Path = Field(Path(".repairchain"), description="folder of everything that is kept")

    nats_url: str | None = Field(None, description="a server of your own; without it, the one that `up` started")
    nats_user: str | None = Field(None, description="user name there; without it, the home's credentials are used")
    nats_password: str | None = Field(None, repr=False, description="password of nats_user")
    nats_ca: Path | None = Field(
        None, description="file with what vouches for that server's certificate; without it, what this machine trusts"
    )
    nats_certificate: Path | None = Field(None, description="file with a certificate of ours, if that server wants one")
    nats_certificate_key: Path | None = Field(None, description="file with the key of nats_certificate")
    nats_allow_plain: bool = Field(
        False, description="whether a server on another machine may be talked to without TLS: a network of our own"
    )
    nats_port: int = Field(4222, ge=0, le=65535, description="port of the embedded server; 0 takes a free one")

    health_host: str = Field("127.0.0.1", description="address on which services answer health checks")
    health_port: int | None = Field(
        None, ge=0, le=65535, description="port for health checks instead of the service's own; 0 takes a free one"
    )

    http_port: int | None = Field(
        None, ge=0, le=65535, description="port on which partners may hand in over HTTP; without it they cannot"
    )
    http_host: str = Field("127.0.0.1", description="address for that; elsewhere than on loopback it asks for TLS")
    http_certificate: Path | None = Field(None, description="file with the certificate, and those that vouch for it")
    http_certificate_key: Path | None = Field(None, description="file with the key of http_certificate")
    http_behind_proxy: bool = Field(
        False, description="whether something that speaks TLS stands before the service, so that it need not itself"
    )
    http_events_per_second: float = Field(
        100.0, gt=0, le=1_000_000, description="how much one partner may hand in over HTTP, in the long run"
    )

    beat_seconds: float = Field(1.0, gt=0, le=3600, description="how often the watchdog looks")

    daily_list: bool = Field(True, description="whether parties get a list of what they have to look after, once a day")

    policy: Path | None = Field(None, description="the policy, how long everything may take; default: in the home")

    email_url: str = Field(
        "outbox://",
        repr=False,
        description="where e-mail goes, as an Apprise address such as mailtos://user:password@host; "
        "outbox:// writes files",
    )
    outbox: Path | None = Field(None, description="folder for messages written as files; default: in the home")
    sender_address: str = Field("repairs@localhost", description="the address that customers see and answer to")
    templates: Path | None = Field(None, description="folder of a shop's own templates of messages")
    channels: Mapping[str, str] = Field(
        {},
        repr=False,
        description="what serves other kinds of channels: for each (sms, whatsapp, …) an Apprise address "
        "with {address} in it where the recipient belongs",
    )
    webhook_private_networks: bool = Field(
        False, description="whether a party's webhook may be a machine that only this network reaches"
    )
    imap_url: str | None = Field(
        None,
        repr=False,
        description="the mailbox that `mail fetch` reads, such as imaps://user:password@host/INBOX",
    )

    intake_max_bytes: int = Field(
        DEFAULT_LIMITS.intake,
        ge=1024 * 1024,
        description="what operators and imports hand in and may wait to be taken in, of each role",
    )
    partner_max_bytes: int = Field(
        DEFAULT_LIMITS.partner, ge=1024 * 1024, description="what a partner hands in and may wait, of each partner"
    )
    rejected_max_bytes: int = Field(
        DEFAULT_LIMITS.rejected, ge=1024 * 1024, description="what is kept as rejected; then the oldest goes"
    )

    held_days: float = Field(
        14.0, gt=0, le=90, description="how long a submission waits for its order before it is rejected, in days"
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="how much is logged")
    log_format: Literal["text", "json"] = Field("text", description="for people or for machines")

    @field_validator("http_port")
    @classmethod
    def _is_no_health_port(cls, port: int | None, info: ValidationInfo) -> int | None:
        taken = {number: service for service, number in HEALTH_PORTS.items()}
        if port in taken and info.data.get("health_port") is None:
            raise ValueError(f"{port} is where the {taken[port]} service answers health checks: choose another port")
        return port

    @property
    def folder(self) -> HomeFolder:
        """The paths within the home."""
        return HomeFolder(self.home)

    @property
    def trust(self) -> Trust:
        """What vouches for the server, and for us."""
        return Trust(self.nats_ca, self.nats_certificate, self.nats_certificate_key, self.nats_allow_plain)

    @property
    def limits(self) -> Limits:
        """How much partners may fill."""
        return Limits(self.intake_max_bytes, self.partner_max_bytes, self.rejected_max_bytes)

    @property
    def policy_file(self) -> Path:
        """Where the operator writes the policy."""
        return self.policy or self.folder.policy

    @property
    def outbox_folder(self) -> Path:
        """Where messages are written as files."""
        return self.outbox or self.folder.outbox

    def health_port_of(self, service: str) -> int:
        """The port on which ``service`` answers health checks; 0 means a free one."""
        return HEALTH_PORTS.get(service, 0) if self.health_port is None else self.health_port

    def as_environment(self) -> dict[str, str]:
        """What was set, as variables from which a child process in the same folder reads the same settings."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        given["home"] = self.home.absolute()
        return {f"{PREFIX}{name.upper()}": _as_variable(value) for name, value in given.items() if value is not None}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line, then the environment, then the files; no .env file and no folder of secrets."""
        files = _read_files(init_settings().get("home") or env_settings().get("home"))
        merged = {name: value for values in reversed(files.values()) for name, value in values.items()}
        return init_settings, env_settings, InitSettingsSource(settings_cls, merged)


def load_settings(**given: Any) -> Settings:
    """The settings in force; ``given`` (None means: not given) wins over the environment and the files.

    Raises SettingsError for an unreadable file, an unknown name or a wrong value.
    """
    given = {name: value for name, value in given.items() if value is not None}
    for variable in os.environ:
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and name not in Settings.model_fields:
            raise SettingsError(_unknown(name, f"the environment variable {variable}"))
    try:
        return Settings(**given)
    except SourceError:  # a table that is no JSON; what it is instead may hold passwords
        raise SettingsError(f"channels in the environment ({PREFIX}CHANNELS) is wrong: write a JSON object") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        place = _place_of(name, given)
        if first["type"] == "extra_forbidden":
            raise SettingsError(_unknown(name, place)) from None
        raise SettingsError(f"{name} in {place} is wrong: {in_words(first)}") from None


def _read_files(home: object) -> dict[str, dict[str, Any]]:
    """What the files say, by path, the one that wins first."""
    here = _read_file(Path(FILE_NAME))
    at_home = Path(str(home or here.get("home") or Settings.model_fields["home"].default)) / FILE_NAME
    files = {FILE_NAME: here}
    if at_home.absolute() != Path(FILE_NAME).absolute():
        files[str(at_home)] = values = _read_file(at_home)
        if "home" in values:
            raise SettingsError(f"{at_home} lies in the home folder, so it cannot say where that is: remove home there")
    return files


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_written(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None


def _as_variable(value: object) -> str:
    """A table is JSON in the environment."""
    return json.dumps(dict(value)) if isinstance(value, Mapping) else str(value)


def _place_of(name: str, given: Mapping[str, Any]) -> str:
    """Where the value of ``name`` comes from, in words."""
    if name in given:
        return "what was asked for"
    variable = f"{PREFIX}{name.upper()}"
    if variable in os.environ:
        return f"the environment ({variable})"
    files = _read_files(given.get("home") or os.environ.get(f"{PREFIX}HOME"))
    return next((path for path, values in files.items() if name in values), "the settings")


def _unknown(name: str, place: str) -> str:
    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(Settings.model_fields))}"
    return f"{place} sets {name}, which is not a setting: {hint}"

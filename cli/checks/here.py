"""Checks of this machine and of the home folder; they need no running chain."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cli.checks.check import Check
from cli.checks.elsewhere import home_elsewhere, runs_elsewhere
from cli.errors import Problem, one_line
from cli.place import Place, settings_of
from cli.render.plain import many

_OLDEST_PYTHON: Final = (3, 11)

#: Facts are never deleted, so a disk that is nearly full is a chain that soon stands still.
_LEAST_FREE: Final = 1_000_000_000

#: Who changes accounts has told the server by then, and `up` has where they were cut off (seconds).
_TOLD_WITHIN: Final = 30.0


def checks_here(place: Place) -> Iterator[Check]:
    """All of them, in the order in which they build on each other."""
    yield python()
    yield nats_server()
    yield settings(place)
    if runs_elsewhere(place):
        yield home_elsewhere()
        return
    yield home(place)
    yield secrets(place)
    yield disk(place)
    yield policy(place)
    yield templates(place)
    yield mail(place)
    yield channels(place)
    yield webhooks(place)
    yield http(place)
    yield ways_to_reach(place)


def python() -> Check:
    found = platform.python_version()
    oldest = ".".join(map(str, _OLDEST_PYTHON))
    return Check("Python", sys.version_info >= _OLDEST_PYTHON, found, f"repairchain needs {oldest} or newer")


def nats_server() -> Check:
    from services.fitness import OLDEST_SERVER, is_new_enough
    from services.server import ServerError, find_server

    name, oldest = "nats-server", ".".join(map(str, OLDEST_SERVER))
    try:
        program = find_server()
        said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=10, check=True)
    except ServerError as error:
        return Check(name, False, "not found", one_line(error))
    except (OSError, subprocess.SubprocessError) as error:
        return Check(name, False, f"does not run ({one_line(error)})", "install this project's requirements again")
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", said.stdout)
    found = f"{version[0] if version else said.stdout.strip()} at {program}"
    return Check(name, is_new_enough(version[0] if version else ""), found, f"install {oldest} or newer")


def settings(place: Place) -> Check:
    try:
        found = settings_of(place)
    except Problem as problem:
        said = str(problem)  # whose hint may be a question
        return Check("Settings", False, said.removesuffix(".") if said.endswith("?.") else said, "mend that setting")
    given = sorted(found.model_fields_set - {"home"})
    return Check("Settings", True, f"{', '.join(given)} set" if given else "all as they come")


def home(place: Place) -> Check:
    name, folder = "Home", place.home
    if not folder.exists():
        return Check(name, None, f"{folder} is not there yet; '{place.command} up' makes it")
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Check(name, True, str(folder.absolute()))
    except OSError as error:
        advice = "make it writable for this user, or name another folder with --home"
        return Check(name, False, f"{folder} cannot be written ({error.strerror})", advice)


def secrets(place: Place) -> Check:
    """Secrets are for their owner's eyes only; how many partners have a password that the server's accounts show."""
    name, folder = "Credentials", place.folder.credentials
    if not folder.is_dir():
        return Check(name, None, "none yet")
    passwords = sorted(file for file in folder.glob("*.json") if file != place.folder.replaced_file)
    files = [*passwords, *sorted(folder.glob("*.nk"))]
    ours = [*place.folder.logins.glob("*/login.json"), place.folder.accounts_file, place.folder.replaced_file]
    closed = [file for file in (folder, *files, *ours) if file.exists()]
    open_to_others = [file for file in closed if stat.S_IMODE(file.stat().st_mode) & 0o077]
    if open_to_others:
        shown = ", ".join(map(str, open_to_others[:3])) + (", …" if len(open_to_others) > 3 else "")
        return Check(
            name, False, f"others may read {shown}", f"chmod -R go= {folder} {place.folder.logins} {place.folder.nats}"
        )
    if (broken := _broken(place)) is not None:
        return Check(name, False, *broken)
    if _untold(place):
        return Check(
            name,
            False,
            "a change of who is let in was cut off, or the server hung: who is out may be let in, or the other way",
            f"do it again, or start '{place.command} up', which carries on with it; it does so by itself where it runs",
        )
    found = f"{many(len(files), 'file')}, for their owner only"
    if passwords:
        found += f"; {len(passwords)} with a password, for which 'repairchain partner rotate' gives a key"
    return Check(name, True, found)


def _untold(place: Place) -> bool:
    """Whether the server has still not heard of accounts that somebody changed, who had the time to tell it."""
    try:
        begun = place.folder.untold_file.stat().st_mtime
    except FileNotFoundError:
        return False
    return time.time() - begun > _TOLD_WITHIN


def _broken(place: Place) -> tuple[str, str] | None:
    """What is wrong with the first secret that opens nothing, or should be gone, and what mends it."""
    from services.access import kept_out
    from services.credentials import CredentialError, credential, credential_file
    from services.parties import list_parties
    from services.rights import OWN_USERS

    for who in (*OWN_USERS, *list_parties(place.home)):
        if credential_file(place.folder, who).exists():
            try:
                credential(place.home, who)
            except CredentialError as error:
                what, _, advice = str(error).partition(": ")
                return what, advice
    for party, out in kept_out(place.home).items():
        if out.state == "revoked" and (file := credential_file(place.folder, party)).exists():
            again = f"{place.command} partner revoke {shlex.quote(party)}"
            return f"the secret of {party}, which was revoked, still lies in {file} and opens nothing", again
    return None


def disk(place: Place) -> Check:
    folder = next(each for each in (place.home.absolute(), *place.home.absolute().parents) if each.exists())
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:,.1f} GB free"
    return Check("Disk", free >= _LEAST_FREE, found, f"make room on the disk of {folder}: facts are never deleted")


def policy(place: Place) -> Check:
    """Whether the policy that is set can be used: with one that cannot, the one before holds on, or ours."""
    from projections.policy import PolicyError
    from services.adopting import read_policy

    name = "Policy"
    try:
        found = settings_of(place)
        read = read_policy(found.policy_file)
    except Problem:
        return Check(name, None, "the settings come first")
    except PolicyError as error:
        return Check(name, False, one_line(error), f"{place.command} policy check")
    if read is not None:
        return Check(name, True, str(found.policy_file))
    if found.policy is not None:
        return Check(name, False, f"there is no {found.policy}", "see policy in the settings")
    return Check(name, None, "the built-in one")


def templates(place: Place) -> Check:
    """Whether the folder of the shop's own templates is there: without it all letters are in our words."""
    name = "Templates"
    try:
        folder = settings_of(place).templates
    except Problem:
        return Check(name, None, "the settings come first")
    if folder is None:
        return Check(name, None, "ours alone")
    return Check(
        name,
        folder.is_dir(),
        f"the shop's own in {folder}" if folder.is_dir() else f"{folder} is no folder",
        "see templates in the settings",
    )


def mail(place: Place) -> Check:
    """Whether the address of the mail service can be used; nothing is sent."""
    from services.delivery import DeliveryError, email_provider

    name = "E-mail"
    try:
        found = settings_of(place)
        email_provider(found.email_url, outbox=found.outbox_folder, sender=found.sender_address)
    except Problem:
        return Check(name, None, "the settings come first")
    except DeliveryError as error:
        return Check(name, False, one_line(error), "see email_url and sender_address in the settings")
    scheme = found.email_url.partition("://")[0]
    if scheme != "outbox":
        if re.search(r"@(localhost|127\.0\.0\.1|\[::1\])$", found.sender_address):
            nobody = f"through {scheme}, from {found.sender_address}, to which nobody can answer"
            return Check(name, False, nobody, "set sender_address to one that customers can write to")
        return Check(name, True, f"through {scheme}, from {found.sender_address}")
    folder = Path(found.email_url.partition("://")[2] or found.outbox_folder)
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    writable = there.is_dir() and os.access(there, os.W_OK)
    return Check(name, writable, f"written as files into {folder}", f"let this user write into {folder}")


def channels(place: Place) -> Check:
    """Whether the addresses of the services for other kinds of channels can be used; nothing is sent."""
    from services.delivery import DeliveryError, channel_provider

    name = "Channels"
    try:
        found = settings_of(place).channels
        for kind, url in found.items():
            channel_provider(kind, url)
    except Problem:
        return Check(name, None, "the settings come first")
    except DeliveryError as error:
        return Check(name, False, one_line(error), "see the table [channels] in the settings, and docs/channels.md")
    served = [f"{kind} through {url.strip().partition('://')[0]}" for kind, url in sorted(found.items())]
    return Check(name, True if served else None, ", ".join(served) or "e-mail alone")


def webhooks(place: Place) -> Check:
    """Whether every webhook can be read, by its owner alone, and would be called; nothing is."""
    from urllib.parse import urlsplit

    from services.webhooks import WebhookError, is_private, list_webhooks

    name, folder = "Webhooks", place.folder.webhooks
    try:
        found = list_webhooks(place.home)
        allowed = settings_of(place).webhook_private_networks
    except WebhookError as error:
        return Check(name, False, one_line(error), "set it anew, or remove that file")
    except Problem:
        return Check(name, None, "the settings come first")
    if not found:
        return Check(name, None, "none")
    open_to_others = [file for file in (folder, *folder.glob("*.json")) if stat.S_IMODE(file.stat().st_mode) & 0o077]
    if open_to_others:
        return Check(name, False, f"others may read {open_to_others[0]}", f"chmod -R go= {folder}")
    private = [party for party, hook in found.items() if is_private(urlsplit(hook.url).hostname or "")]
    if private and not allowed:
        advice = "set webhook_private_networks = true if that is meant, or give it another with --webhook"
        return Check(name, False, f"that of {private[0]} is on a private network, so it is never called", advice)
    return Check(name, True, f"{len(found)}, {', '.join(sorted(found)[:3])}{', …' if len(found) > 3 else ''}")


def http(place: Place) -> Check:
    """Whether the door over HTTP may be opened as the settings have it, and which carriers' webhooks come in by it."""
    from services.carriers.secrets import NAMES, read_secrets, secret_file
    from services.http.serving import listening_as
    from services.settings import SettingsError

    name = "HTTP"
    try:
        found = settings_of(place)
        if found.http_port is None:
            return Check(name, None, "off; http_port opens it")
        where = listening_as(found)
        carriers = [each for each in NAMES if read_secrets(place.home, each)]
    except SettingsError as error:
        return Check(name, False, one_line(error), "see docs/http.md")
    except Problem:
        return Check(name, None, "the settings come first")
    except (OSError, ValueError) as error:
        return Check(name, False, f"a carrier's secret cannot be read ({one_line(error)})", "write that file anew")
    files = [secret_file(place.home, each) for each in carriers]
    if open_to_others := [file for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077]:
        return Check(name, False, f"others may read {open_to_others[0]}", f"chmod go= {open_to_others[0]}")
    way = "with TLS" if where.certificate is not None else "behind a proxy" if found.http_behind_proxy else "plain"
    told = f"; webhooks of {' and '.join(carriers)}" if carriers else ""
    return Check(name, True, f"port {where.port} of {where.host}, {way}{told}")


def ways_to_reach(place: Place) -> Check:
    """Every letter says how to reach a person of the shop that signs it: there must be a way."""
    from services.parties import list_parties

    name = "Retailers"
    try:
        cards = list_parties(place.home)
    except (OSError, ValueError) as error:
        return Check(name, False, f"{place.folder.parties_file} cannot be read ({one_line(error)})", "mend that file")
    shops = {party: card for party, card in cards.items() if party.startswith("retailer:")}
    silent = [party for party, card in shops.items() if not card.phone and not card.email]
    if silent:
        shown = ", ".join(silent[:3]) + (", …" if len(silent) > 3 else "")
        advice = f"{place.command} partner add {shlex.quote(silent[0])} --phone NUMBER --email ADDRESS"
        return Check(name, False, f"customers cannot reach {shown}", advice)
    return Check(
        name, True if shops else None, f"{len(shops)}, each with a phone number or an address" if shops else "none yet"
    )

"""The webhook of a partner that writes to its customers itself: checked, set, taken away, or with a new secret."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.errors import Problem
from cli.place import Place, settings_of

if TYPE_CHECKING:
    from services.webhooks import Webhook


def check_webhook(place: Place, url: str) -> None:
    """Refuse what would never be called, before anything is changed."""
    from urllib.parse import urlsplit

    from services.webhooks import WebhookError, check_url, is_private

    try:
        check_url(url)
    except WebhookError as error:
        raise Problem(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    if is_private(urlsplit(url).hostname or "") and not settings_of(place).webhook_private_networks:
        raise Problem(
            "The webhook is on a private network, which could have the chain call what only it can reach: set "
            "webhook_private_networks = true if that is meant."
        )


def change_webhook(place: Place, party: str, *, url: str | None, rotate: bool, remove: bool) -> dict[str, Any]:
    """What to say about the webhook of ``party``, with its secret if that is new; nothing if nothing was asked."""
    from services.webhooks import WebhookError, remove_webhook, rotate_secret, set_webhook

    found: Webhook | None = None
    new = rotate
    try:
        if remove:
            remove_webhook(place.home, party)
            return {"webhook": None}
        if url is not None:
            found, is_new = set_webhook(place.home, party, url)
            new = new or is_new
        if rotate:
            found = rotate_secret(place.home, party, datetime.now(UTC))
    except WebhookError as error:
        raise Problem(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    if found is None:
        return {}
    return {"webhook": found.origin, **({"secret": found.secrets[0].secret} if new else {})}

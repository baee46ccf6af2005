"""The pages that partners are handed, kept true by whatever command changes what they say."""

from __future__ import annotations

from pathlib import Path

from cli.place import Place, http_url, server_url


def renew_pages(place: Place, party: str) -> Path:
    """Write the page of ``party`` anew, and of the others those that name an address that is no longer so.

    Returns where the first lies. Raises OSError.
    """
    from services.welcome import renew_welcomes, write_welcome

    url, open_at = server_url(place), http_url(place)
    file = write_welcome(place.home, party, url, open_at)
    renew_welcomes(place.home, url, open_at)
    return file


def remove_page(place: Place, party: str) -> None:
    """Take away the page of a partner whose secret is destroyed: it names one that nobody has. Raises OSError."""
    from services.welcome import welcome_file

    welcome_file(place.folder, party).unlink(missing_ok=True)

"""Making the boxes of partners on the server of a home, if one runs; with nothing but the home at hand."""

from __future__ import annotations

from collections.abc import Collection

from services.home import HomeFolder, read_json


def make_boxes(folder: HomeFolder, parties: Collection[str]) -> bool:
    """Make the boxes of ``parties``; whether a server was there to do so. Else their intake makes them.

    Not from within an event loop. Raises NoRoomError if the server has no room for them, SettingsError if the settings
    cannot be read.
    """
    from services.settings import load_settings  # here, so that commands which register nobody start fast

    running = read_json(folder.server_file) if folder.in_use() else None
    settings = load_settings(home=folder.root)
    url = str(running["url"]) if running is not None else settings.nats_url
    if url is None:
        return False
    from services.boxes import open_boxes_there
    from services.credentials import CredentialError

    try:
        return open_boxes_there(settings, url, parties)
    except CredentialError:  # no server has been set up for this home yet
        return False

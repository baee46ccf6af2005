"""For a fork server: what Jinja makes of our templates, which each notifier would make anew before its first letter."""

from __future__ import annotations

from services.notifying.templating import _environment, our_templates

#: Of other languages little is written by processes that are killed and started again.
_LANGUAGE = "en/"

for _name in our_templates():
    if _name.startswith(_LANGUAGE) or "/" not in _name:
        _environment(None).get_template(_name)

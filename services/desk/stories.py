"""The whole story of an order, whatever its length: for her who asks what is held about her, or to be forgotten."""

from __future__ import annotations

from typing import Any, Final

from services.answering import Ask, TooLargeError

#: So many of each list are asked for at first where a story is too long for an answer.
_PIECE: Final = 1_000


async def whole_story(ask: Ask, order: str) -> dict[str, Any]:
    """The timeline of an order, also with what does not count; in pieces where it does not fit into an answer.

    What comes in between two pieces may stand there twice. Raises what asking raises.
    """
    about = {"order": order, "raw": True}
    try:
        return await ask("timeline", about, None)
    except TooLargeError:
        whole: dict[str, Any] = {}
    limit, offset = _PIECE, 0
    while True:
        try:
            piece = await ask("timeline", {**about, "limit": limit, "offset": offset}, None)
        except TooLargeError:
            if limit == 1:
                raise
            limit //= 2
            continue
        lists = {name: rows for name, rows in piece.items() if isinstance(rows, list)}
        whole = {**piece, **{name: whole.get(name, []) + rows for name, rows in lists.items()}}
        if all(len(rows) < limit for rows in lists.values()):
            return whole
        offset += limit

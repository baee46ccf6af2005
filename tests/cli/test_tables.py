"""Lists in a narrow terminal: lines break between words, and within one only where nothing else helps."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cli.render.tables import plain_table

ROW = ("shop-20250141", "a cargo bike with a rain tent", "retailer:Filiaal Utrecht", "Wed 31 Dec 2025")


def printed(width: int) -> str:
    table = plain_table("Order", "Product", "Held by", "Since", whole=("Since",))
    table.add_row(*ROW)
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    return out.getvalue()


@pytest.mark.parametrize(("width", "whole"), [(100, 4), (72, 2), (60, 1), (56, 1)])
def test_no_word_is_broken_while_there_is_room_for_each(width: int, whole: int) -> None:
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    for word in " ".join(ROW).split():
        assert word in text
    assert sum(cell in text for cell in ROW) >= whole


def test_where_nothing_else_helps_words_are_broken() -> None:
    text = printed(30)
    assert max(map(len, text.splitlines())) <= 30
    assert "shop-20250141" not in text

"""Waiting for a condition instead of for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_LOOK_AGAIN = 0.02


@overload
async def eventually(condition: Callable[[], Awaitable[T | None]], what: str = "", *, patience: float = 30.0) -> T: ...
@overload
async def eventually(condition: Callable[[], T | None], what: str = "", *, patience: float = 30.0) -> T: ...
async def eventually(condition: Callable[[], Any], what: str = "", *, patience: float = 30.0) -> Any:
    """The first true value of ``condition``, a function or a coroutine function, within ``patience`` seconds.

    ``what`` it is that should come true stands in the AssertionError if it does not.
    """
    seen: Any = None
    try:
        async with asyncio.timeout(patience):
            while True:
                seen = condition()
                if isawaitable(seen):
                    seen = await seen
                if seen:
                    return seen
                await asyncio.sleep(_LOOK_AGAIN)
    except TimeoutError:
        raise AssertionError(f"{what or condition} did not come true in {patience:g} s; last seen: {seen!r}") from None

"""Asking for many things a few at a time: what comes next is under way while one looks at what has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def one_ahead(
    calls: Iterable[Callable[[], Coroutine[Any, Any, Answer]]],
) -> AsyncIterator[Answer]:
    """The answers in order. Never more than two are asked for at the same time: the one that is awaited, and one ahead."""
    coming: asyncio.Task[Answer] | None = None
    try:
        for call in calls:
            following = asyncio.create_task(call())
            following.add_done_callback(_looked_at)
            if coming is not None:
                try:
                    answer = await coming
                finally:
                    coming = following
                yield answer
            coming = following
        if coming is not None:
            yield await coming
    finally:
        if coming is not None:
            coming.cancel()


async def scanned_ahead(
    scan: Callable[[int], Coroutine[Any, Any, tuple[int, Answer]]],
) -> AsyncIterator[Answer]:
    """What a scan answers from cursor 0 until it comes to 0 again. The next is asked for as soon as its cursor is known."""
    coming = asyncio.create_task(scan(0))
    try:
        while True:
            cursor, answer = await coming
            if cursor:
                coming = asyncio.create_task(scan(cursor))
                coming.add_done_callback(_looked_at)
            yield answer
            if not cursor:
                return
    finally:
        coming.cancel()


def _looked_at(task: asyncio.Task[Any]) -> None:
    """Who asked may be gone: what went wrong is nobody's then."""
    if not task.cancelled():
        task.exception()

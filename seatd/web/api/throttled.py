"""Whatever checks a password or a code: counted as failed before it is tried, and taken back when it succeeds.

Only this counts failures. What becomes of a client that asks for a seat has nothing to do with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from seatd.web.errors import Problem
from seatd.web.passwords import Busy
from seatd.web.services import Services


@asynccontextmanager
async def throttled(services: Services, name: str, address: str, *failures: str) -> AsyncIterator[None]:
    """Around the check, which raises a problem of `failures` when it fails. The problem `too_many_attempts` when it may not
    be tried now."""
    wait_ms = await services.store.attempt(name, address, at_ms=services.now_ms())
    if wait_ms:
        raise _later(wait_ms)
    try:
        yield
    except Busy:
        await services.store.forgive(name, address)
        raise _later(1000) from None
    except Problem as problem:
        if problem.code not in failures:
            await services.store.forgive(name, address)
        raise
    await services.store.forgive(name, address)


async def fresh_hash(services: Services, password: str) -> str:
    """The hash of a new password; the problem `too_many_attempts` while too many are being made."""
    try:
        return await services.passwords.hash(password)
    except Busy:
        raise _later(1000) from None


def _later(wait_ms: int) -> Problem:
    wait_s = -(-wait_ms // 1000)
    return Problem(
        "too_many_attempts", f"Try again in {wait_s} seconds.", headers={"Retry-After": str(wait_s)}
    )

"""Letting go of connections without cutting off what is on its way."""

from __future__ import annotations

from contextlib import suppress

from redis.asyncio.connection import ConnectionPool
from redis.exceptions import RedisError


async def drop(pool: ConnectionPool) -> None:
    """Ends the idle connections now and each of the others as soon as it has its answers.

    The pool's own `disconnect` closes idle ones while it still hands them out (redis-py 8.1), so they are taken first.
    """
    (idle, _), _ = pool.get_connection_count()
    taken = [pool.get_available_connection() for _ in range(idle)]  # type: ignore[no-untyped-call]
    await pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
    for connection in taken:
        with suppress(RedisError, OSError):  # to be rid of it was all that was wanted
            await pool.release(connection)

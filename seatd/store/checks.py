"""What a server must be able to do for seatd, and what it had better do."""

from __future__ import annotations

from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from seatd.store.pipeline import AWAY
from seatd.store.values import WrongDeployment

REPLID = "return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')"
"""What the guard reads in every script, see `lua/shared/guard.lua`."""


async def check(server: Redis, *, clustered: bool = False) -> set[str]:
    """What is unwise about a server, a sentence each. Raises `WrongDeployment` when it would break the rules of seats.

    `clustered`: it is taken for one of a cluster. Not every server lets us look: what cannot be seen is not warned of.
    """
    if not clustered and (await _info(server, "cluster")).get("cluster_enabled"):
        raise WrongDeployment("the store is one of a cluster: name it redis+cluster://HOST:PORT,HOST:PORT")
    await _scripts_may_read_info(server)
    policy = (await _info(server, "memory")).get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise WrongDeployment(
            f"the store's maxmemory-policy is {policy}: it could throw seats away; set noeviction"
        )
    return {*await _on_disk(server), *await _on_replicas(server)}


async def _scripts_may_read_info(server: Redis) -> None:
    try:
        found = await server.eval(REPLID, 0)
    except AWAY:
        raise
    except exceptions.ResponseError as error:
        raise WrongDeployment(
            f"the store does not let scripts read INFO, by which seatd notices that a server was replaced: {error}"
        ) from error
    if not found:
        raise WrongDeployment(
            "the store hides master_replid from INFO, by which seatd notices that a server was replaced"
        )


async def _on_disk(server: Redis) -> set[str]:
    if (await _info(server, "persistence")).get("aof_enabled", 1):
        return set()
    return {"the store's append-only file is off: what it acknowledged is lost when it is restarted"}


async def _on_replicas(server: Redis) -> set[str]:
    replicas = int((await _info(server, "replication")).get("connected_slaves", 0))
    wanted = await _replicas_to_write(server)
    if not replicas or wanted is None:
        return set()
    if wanted == 0:
        return {
            "the store has replicas, but min-replicas-to-write is 0: a primary that was replaced goes on "
            "accepting writes for a while, all of which are lost"
        }
    if replicas <= wanted:
        return {
            f"min-replicas-to-write is {wanted} with as many replicas: after a failover the store refuses writes "
            "until the old primary is back; give every primary one replica more"
        }
    return set()


async def _info(server: Redis, section: str) -> dict[str, Any]:
    try:
        return dict(await server.info(section))
    except exceptions.NoPermissionError:
        return {}


async def _replicas_to_write(server: Redis) -> int | None:
    try:
        found = await server.config_get("min-replicas-to-write")
    except AWAY:
        raise
    except exceptions.ResponseError:  # no permission, or renamed as managed stores do
        return None
    return int(found["min-replicas-to-write"] or 0) if found else None

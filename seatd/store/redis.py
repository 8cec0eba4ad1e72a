"""The store as the rest of seatd knows it: one object with one short method per verb."""

from __future__ import annotations

from redis import exceptions

from seatd.store.keys import DEPLOYMENT
from seatd.store.nodes import NodeVerbs
from seatd.store.pipeline import AWAY
from seatd.store.policies import PolicyVerbs
from seatd.store.registry import RegistryVerbs
from seatd.store.sessions import SessionVerbs
from seatd.store.values import StoreUnavailable, WrongDeployment


class Store(SessionVerbs, NodeVerbs, PolicyVerbs, RegistryVerbs):
    """Seats, sessions, nodes and the registry, on Redis or Valkey."""

    async def join(self) -> None:
        """Records the deployment's fixed settings when it is born; refuses a store that has others."""
        try:
            await self.client.hsetnx(DEPLOYMENT, "partitions", str(self.partitions))
            recorded = int(await self.client.hget(DEPLOYMENT, "partitions") or 0)
            policy = await self._memory_policy()
        except AWAY as error:
            raise StoreUnavailable(str(error) or type(error).__name__) from error
        if recorded != self.partitions:
            raise WrongDeployment(
                f"the store was made with {recorded} partitions, this node is set to {self.partitions}: "
                f"set [store] partitions = {recorded}"
            )
        if policy not in ("noeviction", ""):
            raise WrongDeployment(
                f"the store's maxmemory-policy is {policy}: it could throw seats away; set noeviction"
            )

    async def close_client(self) -> None:
        """Ends the connections, after what is on its way."""
        await self.pipeline.close()
        await self.client.aclose()

    async def _memory_policy(self) -> str:
        try:
            info = await self.client.info("memory")
        except exceptions.NoPermissionError:
            return ""
        return str(info.get("maxmemory_policy", ""))

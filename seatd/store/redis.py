"""The store as the rest of seatd knows it: one object with one short method per verb."""

from __future__ import annotations

import structlog

from seatd.store.checks import check
from seatd.store.cluster import Cluster
from seatd.store.keys import DEPLOYMENT
from seatd.store.nodes import NodeVerbs
from seatd.store.pipeline import AWAY
from seatd.store.policies import PolicyVerbs
from seatd.store.registry import RegistryVerbs
from seatd.store.sessions import SessionVerbs
from seatd.store.values import StoreUnavailable, WrongDeployment

log = structlog.get_logger(__name__)


class Store(SessionVerbs, NodeVerbs, PolicyVerbs, RegistryVerbs):
    """Seats, sessions, nodes and the registry, on Redis or Valkey."""

    async def join(self) -> None:
        """Records the deployment's fixed settings when it is born; refuses a store that has others, or that cannot do it.

        Raises `WrongDeployment`, or `StoreUnavailable`. What is only unwise is logged.
        """
        try:
            unwise = await self._unwise()
            await self.pipeline.command("HSETNX", DEPLOYMENT, "partitions", str(self.partitions))
            recorded = int(await self.pipeline.command("HGET", DEPLOYMENT, "partitions") or 0)
        except AWAY as error:
            raise StoreUnavailable(str(error) or type(error).__name__) from error
        except StoreUnavailable as error:
            raise StoreUnavailable(str(error.__cause__ or error)) from error
        for warning in unwise:
            log.warning(warning)
        if recorded != self.partitions:
            raise WrongDeployment(
                f"the store was made with {recorded} partitions, this node is set to {self.partitions}: "
                f"set [store] partitions = {recorded}"
            )

    async def _unwise(self) -> list[str]:
        clustered = isinstance(self.pipeline, Cluster)
        found = [await check(server, clustered=clustered) for server in await self.pipeline.servers()]
        return sorted(set().union(*found))

    async def close_client(self) -> None:
        """Ends the connections, after what is on its way."""
        await self.pipeline.close()
        await self.client.aclose()

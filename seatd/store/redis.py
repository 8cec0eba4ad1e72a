"""The store as the rest of seatd knows it: one object with one short method per verb."""

from __future__ import annotations

import secrets

import structlog

from seatd.store.administrators import AdministratorVerbs
from seatd.store.api_tokens import ApiTokenVerbs
from seatd.store.attempts import AttemptVerbs
from seatd.store.checks import check
from seatd.store.cluster import Cluster
from seatd.store.exposure import exposure
from seatd.store.extensions import ExtensionVerbs
from seatd.store.idempotency import IdempotencyVerbs
from seatd.store.keys import DEPLOYMENT
from seatd.store.nodes import NodeVerbs
from seatd.store.pipeline import AWAY
from seatd.store.policies import PolicyVerbs
from seatd.store.registrations import RegistrationVerbs
from seatd.store.sessions import SessionVerbs
from seatd.store.sign_ins import SignInVerbs
from seatd.store.statements import StatementVerbs
from seatd.store.values import StoreUnavailable, WrongDeployment
from seatd.store.webhooks import WebhookVerbs
from seatd.store.weeks import WeekVerbs

log = structlog.get_logger(__name__)

TICKET_KEY_BYTES = 32
TICKET_KEYS = 4


class AccessVerbs(AdministratorVerbs, ApiTokenVerbs, SignInVerbs, AttemptVerbs):
    """Who may call the REST API."""


class Store(
    SessionVerbs,
    NodeVerbs,
    PolicyVerbs,
    ExtensionVerbs,
    RegistrationVerbs,
    StatementVerbs,
    WeekVerbs,
    AccessVerbs,
    IdempotencyVerbs,
    WebhookVerbs,
):
    """Seats, sessions, nodes, the registry and its administrators, on Redis or Valkey."""

    ticket_keys: tuple[bytes, ...] = ()
    """With which tickets are signed: the deployment's own first, then those that it had before (see `found_again`).
    Empty before `join`."""

    async def join(self) -> None:
        """Records the deployment's fixed settings when it is born; refuses a store that has others, or that cannot do it.

        Raises `WrongDeployment`, or `StoreUnavailable`. What is only unwise is logged.
        """
        try:
            unwise = await self.unwise()
            recorded = await self.found_again()
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

    async def found_again(self) -> int:
        """Puts back what a deployment is born with, where the store has lost it; answers the recorded number of partitions.

        The key of the tickets is the one that this node knows. Where another node came first with a new one, that counts for
        new tickets, and those that were given out before stay good.
        """
        key = self.ticket_keys[0] if self.ticket_keys else secrets.token_bytes(TICKET_KEY_BYTES)
        await self.pipeline.command("HSETNX", DEPLOYMENT, "partitions", str(self.partitions))
        await self.pipeline.command("HSETNX", DEPLOYMENT, "ticket_key", key)
        partitions, key = await self.pipeline.command("HMGET", DEPLOYMENT, "partitions", "ticket_key")
        if key is not None:
            self.ticket_keys = tuple(dict.fromkeys((key, *self.ticket_keys)))[:TICKET_KEYS]
        return int(partitions or 0)

    async def unwise(self) -> list[str]:
        """What is unwise about the store's servers, a sentence each. Raises `WrongDeployment` for what would break a rule."""
        clustered = isinstance(self.pipeline, Cluster)
        found: set[str] = set()
        for server in await self.pipeline.servers():
            found |= await check(server, clustered=clustered) | await exposure(server)
        return sorted(found)

    async def close_client(self) -> None:
        """Ends the connections, after what is on its way."""
        await self.pipeline.close()
        await self.client.aclose()

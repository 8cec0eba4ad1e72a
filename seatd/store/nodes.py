"""The verbs between nodes: beat, sweep, kick, and the wake-ups."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import msgpack
import msgspec

from seatd.store.audit import AuditVerbs
from seatd.store.audit_values import Deed
from seatd.store.keys import customer_key, partition_key
from seatd.store.values import (
    Beat,
    Due,
    Ended,
    Held,
    KickedSession,
    KickTarget,
    Places,
    Reasserted,
    StoreUnavailable,
    Swept,
    Value,
)

BATCH = 200
"""Sessions looked at in one script at the most: a script runs alone, so everybody else waits for it."""


class NodeLease(Value, frozen=True, kw_only=True):
    """What a partition knows of a node: until when its lease lasts (in its own time), and how many sessions it holds."""

    partition: int
    node: str
    until_ms: int
    sessions: int


class NodeVerbs(AuditVerbs):
    """What nodes tell each other through the store."""

    async def beat(self, partition: int, node: str, *, done: int, joined: bool, leave: bool = False) -> Beat:
        """Renews the node's lease in a partition (or ends it: `leave`) and answers its orders and what is due.

        `done` is the number of the last order carried out; `joined` says that the node believes to hold a lease, so that
        the answer can say when it had lapsed.
        """
        answer = await self.call_partition(
            "beat",
            partition,
            node=node,
            lease_ms=self.options.node_lease_ms,
            joined=joined,
            leave=leave,
            done=done,
            limit=BATCH,
        )
        return answer.to(Beat, epoch=self.epochs[partition])

    async def sweep(self, customer: str, due: Sequence[Due]) -> Swept:
        """Parks and ends the sessions of a customer that are due."""
        items = [{"session": item.session, "node": item.node} for item in due]
        return (await self.call("sweep", customer, due=items)).to(Swept)

    async def reassert(self, customer: str, node: str, held: Sequence[Held]) -> Reasserted:
        """Tells which sessions this node holds; answers those it has lost, and those that the store had lost.

        Raises `StoreUnavailable` when the node has no lease: then it must beat first.
        """
        lost: list[str] = []
        restored: list[str] = []
        for start in range(0, len(held), BATCH):
            items = [msgspec.to_builtins(item) for item in held[start : start + BATCH]]
            answer = await self.call("reassert", customer, node=node, held=items)
            if answer.word == "lapsed":
                raise StoreUnavailable("this node's lease has lapsed")
            lost += answer.body["lost"]
            restored += answer.body["restored"]
        return Reasserted(lost=tuple(lost), restored=tuple(restored))

    async def rebury(self, customer: str, ended: Sequence[Ended]) -> int:
        """Tells which sessions have ended; answers how many of them the store had brought back to life."""
        revived = 0
        for start in range(0, len(ended), BATCH):
            items = [msgspec.to_builtins(item) for item in ended[start : start + BATCH]]
            answer = await self.call("rebury", customer, ended=items)
            revived += answer.body["revived"]
        return revived

    async def held_by(self, partition: int, node: str) -> list[str]:
        """The sessions that the partition believes to be on a node, each as `customer\\0session`: there may be very many, and
        text is nothing that the garbage collector looks at."""
        held: list[str] = []
        after: str | None = None
        while True:
            answer = await self.call_partition("held_by", partition, node=node, after=after, limit=BATCH)
            held += answer.body["sessions"]
            after = answer.body.get("cursor")
            if after is None:
                return held

    async def node_leases(self) -> list[NodeLease]:
        """All nodes that are known, in each partition. One that has left nothing behind is forgotten with its lease."""
        names = [partition_key("nodes", number) for number in range(self.partitions)]
        known = await self.pipeline.commands(("ZRANGE", name, 0, -1) for name in names)
        found = [(number, node.decode()) for number, nodes in enumerate(known) for node in nodes]
        ends = await self.pipeline.commands(("ZSCORE", names[number], node) for number, node in found)
        held = await self.pipeline.commands(
            ("ZLEXCOUNT", partition_key("by_node", number), f"[{node}\0", f"({node}\1")
            for number, node in found
        )
        return [
            NodeLease(partition=number, node=node, until_ms=int(float(until_ms)), sessions=sessions)
            for (number, node), until_ms, sessions in zip(found, ends, held, strict=True)
            if until_ms is not None
        ]

    async def fence_of(self, customer: str, session: str) -> int | None:
        """A session's fence as the store has it; None when it has no such session."""
        name = customer_key("sessions", self.partition(customer), customer)
        packed = await self.pipeline.command("HGET", name, session)
        return msgpack.unpackb(packed)["fence"] if packed is not None else None

    async def report(self, partition: int, node: str, *, durable: bool) -> bool:
        """This node has told all it knows. True while the partition still recovers.

        `durable`: the node's registration is on disk and on every replica, so the window may end before its time.
        """
        answer = await self.call_partition("report", partition, node=node, durable=durable)
        return bool(answer.body["recovering"])

    async def serve(self, customer: str) -> Places:
        """Hands on what has become free by itself; answers everybody who waits, in order."""
        return (await self.call("serve", customer)).to(Places)

    async def kick(
        self,
        customer: str,
        target: KickTarget,
        *,
        message: str,
        by: str,
        cooldown_ms: int,
        reply_to: str,
        code: str = "forced",
        order_type: str = "logout",
        deed: Deed | None = None,
    ) -> list[KickedSession]:
        """Forces sessions out: committed when this returns. Receipts come as orders to the node `reply_to`.

        `deed` goes into the audit trail.
        """
        kick = partial(
            self.call,
            "kick",
            customer,
            user=target.user,
            target_session=target.session,
            license=target.license,
            target_domain=target.domain,
            everyone=target.everyone,
            limit=BATCH,
            code=code,
            message=message,
            by=by,
            cooldown_ms=cooldown_ms,
            reply_to=reply_to,
            order_type=order_type,
        )
        kicked: list[KickedSession] = []
        answer = await self.audited(customer, deed, lambda audit: kick(after=None, audit=audit))
        while True:
            kicked += msgspec.convert(answer.body["sessions"], list[KickedSession])
            after = answer.body.get("cursor")
            if after is None:
                return kicked
            answer = await kick(after=after, audit=None)

    async def vouch(self, previous_replid: str) -> None:
        """Says of every partition that the engine's restart lost nothing of the run `previous_replid`.

        Only who runs the engine can know that. A partition that another run wrote is left as it is.
        """
        await asyncio.gather(
            *(
                self.call_partition("vouch", partition, previous=previous_replid)
                for partition in range(self.partitions)
            )
        )

"""The nodes of the deployment, as the store knows them."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

import msgspec

from seatd.store.nodes import NodeLease
from seatd.store.values import node_name
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Nothing

ops = Ops("deployment")

NodeState = Literal["up", "partly", "gone"]


class NodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A node. `state`: whether its lease is good everywhere (`up`), in some partitions (`partly`), or nowhere (`gone`: what
    it held is being given back). `sessions`: how many it holds."""

    node: str
    state: NodeState
    sessions: int


class Nodes(msgspec.Struct, frozen=True, kw_only=True):
    """All nodes, by name. One that was stopped, or has left nothing behind, is not there any more."""

    items: tuple[NodeView, ...]


@ops.op("GET", "/api/v1/nodes", "deployment.read")
async def list_nodes(call: Call[Nothing, Nothing, Nothing]) -> Nodes:
    """The nodes of the deployment"""
    services = call.services
    named: defaultdict[str, list[NodeLease]] = defaultdict(list)
    for lease in await services.store.node_leases():
        named[node_name(lease.node)].append(lease)
    now_ms = [services.hub.leases.store_time_ms(number)[0] for number in range(services.store.partitions)]
    return Nodes(items=tuple(view(name, leases, now_ms) for name, leases in sorted(named.items())))


def view(name: str, leases: list[NodeLease], now_ms: list[int]) -> NodeView:
    """A node, which may have been started anew: then the former process is part of it until its sessions have moved."""
    good_in = {lease.partition for lease in leases if lease.until_ms > now_ms[lease.partition]}
    state: NodeState = "up" if len(good_in) == len(now_ms) else "partly" if good_in else "gone"
    return NodeView(node=name, state=state, sessions=sum(lease.sessions for lease in leases))

"""What lies in a partition, read key by key, and what should lie there for a model's sessions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgpack
import msgspec

from seatd.store.keys import customer_key, deployment_key, partition_key
from seatd.store.redis import Store
from tests.model import Model
from tests.model_queue import member
from tests.model_state import Held, Session, Waiting

Contents = dict[str, Any]

HISTORY = ("events", "meters", "spread", "usage", "refused")

AT_REST = (
    "by_node",
    "deadlines",
    "orders",
    "tombs",
    "cooldowns",
    "nodes",
    "seats",
    "sessions",
    "by_user",
    "queue",
    "deliveries",
    "delivery_times",
    "delivery_bodies",
)
"""Keys that must be empty when everybody has left and time has passed."""


async def contents(store: Store, partition: int, customers: Iterable[str]) -> Contents:
    """Everything in the partition that has to do with sessions, unpacked, in one look."""
    names = list(customers)
    async with store.client.pipeline() as pipe:
        for name in ("nodes", "deadlines", "tombs", "cooldowns", "by_node", "orders"):
            pipe.zrange(partition_key(name, partition), 0, -1, withscores=True)
        for customer in names:
            pipe.hgetall(customer_key("sessions", partition, customer))
            for name in ("seats", "by_user", "assignments", "queue"):
                pipe.zrange(customer_key(name, partition, customer), 0, -1)
            pipe.hgetall(customer_key("offers", partition, customer))
        nodes, deadlines, tombs, cooldowns, by_node, orders, *rest = await pipe.execute()
    found: Contents = {
        "nodes": _scores(nodes),
        "deadlines": _scores(deadlines),
        "tombs": _scores(tombs),
        "cooldowns": _scores(cooldowns),
        "by_node": sorted(member.decode() for member, _ in by_node),
        "orders": sorted((*_node_and_number(member),) for member, _ in orders),
    }
    for number, customer in enumerate(names):
        sessions, seats, by_user, assignments, queue, offers = rest[6 * number : 6 * number + 6]
        found[customer] = {
            "sessions": {key.decode(): msgpack.unpackb(packed) for key, packed in sessions.items()},
            "seats": [member.decode() for member in seats],
            "by_user": [member.decode() for member in by_user],
            "assignments": [member.decode() for member in assignments],
            "queue": [member.decode() for member in queue],
            "offers": {field.decode(): msgpack.unpackb(packed) for field, packed in offers.items()},
        }
    return found


def implied(model: Model, customers: Iterable[str]) -> Contents:
    """What `contents` must find: every index follows from the sessions, every offer from the licenses."""
    everyone = [(name, session) for name in customers for session in model.customer(name).sessions.values()]
    return {
        "nodes": model.nodes,
        "deadlines": {f"{name}\0{s.id}": at for name, s in everyone if (at := _deadline(s))},
        "tombs": model.tombs,
        "cooldowns": {"\0".join(key): until_ms for key, until_ms in model.cooldowns.items()},
        "by_node": sorted(f"{s.node}\0{name}\0{s.id}" for name, s in everyone if s.node),
        "orders": sorted((node, order.number) for node, orders in model.orders.items() for order in orders),
        **{name: _of_customer(model, name) for name in customers},
    }


async def leftovers(store: Store) -> list[str]:
    """The keys that ought to be empty by now, and are not."""
    keys = [key.decode() async for key in store.client.scan_iter("seatd:{*")]
    return sorted(key for key in keys if key.rpartition(":")[2] in AT_REST)


async def everything(store: Store) -> dict[bytes, bytes]:
    """The whole database, but for what every first script writes and what is only counted: did a verb change anything?"""
    meta = {partition_key("meta", number).encode() for number in range(store.partitions)}
    meta.add(deployment_key("meta").encode())
    keys = [key async for key in store.client.scan_iter() if key not in meta and not is_history(key)]
    return {key: await store.client.dump(key) or b"" for key in sorted(keys)}


def is_history(key: bytes) -> bool:
    """Whether a key tells what has happened, denials too: it stays when everybody has left."""
    return key.decode().rpartition(":")[2] in HISTORY


def _of_customer(model: Model, name: str) -> Contents:
    customer = model.customer(name)
    fields = {
        (domain, license.product) for license in customer.licenses.values() for domain in license.domains
    }
    return {
        "sessions": {s.id: _record(s) for s in customer.sessions.values()},
        "seats": sorted(
            {f"{seat.license}\0{seat.holder}" for seat in customer.counted()}
            | {
                f"{seat.license}\1{seat.reserved}\0{seat.holder}"
                for seat in customer.counted()
                if seat.reserved
            }
        ),
        "by_user": sorted(f"{s.user}\0{s.id}" for s in customer.sessions.values()),
        "assignments": sorted(f"{license}\0{user}" for license, user in customer.assigned),
        "queue": [member(s, s.waiting) for s in model.queue(name) if s.waiting],
        "offers": {
            f"{domain}\0{product}": [license.id for license in customer.offers(domain, product)]
            for domain, product in fields
        },
    }


def _record(session: Session) -> dict[str, Any]:
    record = {
        "user": session.user,
        "domain": session.domain,
        "device": {"kind": session.device.kind, "id": session.device.id},
        "secret": session.secret,
        "node": session.node,
        "fence": session.fence,
        "state": session.state,
        "since_ms": session.since_ms,
        "until_ms": session.until_ms,
        "seats": [_seat(seat) for seat in session.seats],
        "need": list(session.need),
    }
    more = {
        "reply_to": session.reply_to,
        "groups": list(session.groups),
        "busy": session.busy,
        "losing": session.losing and vars(session.losing) | {"seats": list(map(_seat, session.losing.seats))},
        "waiting": session.waiting and _waiting(session, session.waiting),
    }
    return record | {name: value for name, value in more.items() if value}


def _seat(seat: Held) -> dict[str, Any]:
    return {name: value for name, value in vars(seat).items() if value is not None and value is not False}


def _deadline(session: Session) -> int | None:
    """When somebody must look after a session."""
    own = [session.until_ms] if session.until_ms else []
    return min([*own, *([session.losing.until_ms] if session.losing else [])], default=None)


def _waiting(session: Session, waiting: Waiting) -> dict[str, Any]:
    record = {
        "member": member(session, waiting),
        "need": [msgspec.to_builtins(want) for want in waiting.need],
        "want": [msgspec.to_builtins(want) for want in waiting.want],
        "product": waiting.product,
        "priority": waiting.priority,
    }
    return record | ({} if waiting.ref is None else {"ref": waiting.ref})


def _scores(members: list[tuple[bytes, float]]) -> dict[str, int]:
    return {member.decode(): int(score) for member, score in members}


def _node_and_number(member: bytes) -> tuple[str, int]:
    node, number, _ = member.split(b"\0", 2)
    return node.decode(), int(number)

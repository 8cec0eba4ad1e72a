"""Is what lies in a store whole? Each script writes a record and its indexes at once, so half of one would show."""

from __future__ import annotations

import msgpack
from redis import Redis

from seatd.store.keys import key, partition_of
from tests.faults.trial import PARTITIONS
from tests.topologies import Server


def broken(server: Server, customer: str) -> list[str]:
    """What does not fit together on a server, by the index that says other than the sessions do."""
    partition = partition_of(customer, PARTITIONS)
    with Redis(port=server.port, socket_timeout=10) as client:
        pipe = client.pipeline(transaction=True)
        pipe.hgetall(key("sessions", partition, customer))
        for name in ("seats", "by_user"):
            pipe.zrange(key(name, partition, customer), 0, -1)
        for name in ("by_node", "deadlines"):
            pipe.zrange(key(name, partition, None), 0, -1)
        sessions, seats, by_user, by_node, deadlines = pipe.execute()
    records = {name.decode(): msgpack.unpackb(packed) for name, packed in sessions.items()}
    own = {name: f"{customer}\0{name}" for name in records}
    wanted = {
        "seats": {f"{seat['license']}\0{seat['holder']}" for r in records.values() for seat in r["seats"]},
        "by_user": {f"{record['user']}\0{name}" for name, record in records.items()},
        "by_node": {f"{r['node']}\0{own[name]}" for name, r in records.items() if r["node"]},
        "deadlines": {own[name] for name, record in records.items() if record["until_ms"]},
    }
    found = {"seats": seats, "by_user": by_user, "by_node": by_node, "deadlines": deadlines}
    return [
        f"{name}: {sorted(wanted[name] ^ has)[:3]}"
        for name, members in found.items()
        if (has := {member.decode() for member in members}) != wanted[name]
    ]

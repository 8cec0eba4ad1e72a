"""Faults that cannot be judged yet, and what they wait for: they are reported as not run."""

from __future__ import annotations

from tests.faults.fault import later

REASSERT = "re-assertion of sessions that the store has lost"
SENTINEL = "stores behind Sentinel"
CLUSTER = "stores on a Cluster"
QUEUE = "the queue"
LICENSES = "what becomes of sessions when their license ends or shrinks"
CLOCK = "an engine whose clock can be moved (Valkey with libc's malloc under libfaketime)"

_PLANNED = (
    (
        "F08",
        "store killed and started again 3 s later, AOF always",
        "nothing acknowledged lost; nobody disconnected; grants pause at most 5 s",
        REASSERT,
    ),
    ("F09", "the same with AOF everysec", "as F08: the end of a process loses nothing", REASSERT),
    (
        "F10",
        "power loss: the store killed and the AOF's tail cut at random places",
        "every one loads; no half script; nobody disconnected",
        REASSERT,
    ),
    (
        "F11",
        "the store's data deleted",
        "at least 99.9 % of sessions go on; new grants at most R + 2 s later; nobody who was forced out comes back",
        REASSERT,
    ),
    (
        "F12",
        "AOF damaged in the middle: the store does not start",
        "no grants; sockets closed within the leases; back at most 5 s after the repair",
        REASSERT,
    ),
    (
        "F13",
        "disk of the AOF full, everysec",
        "all grants refused with one code; normal at most 2 s after there is room",
        REASSERT,
    ),
    ("F14", "disk of the AOF full, always: the store ends", "as F08 after it starts again", REASSERT),
    ("F15", "maxmemory reached", "refused before the first write; no half script in 10,000", REASSERT),
    ("F16", "Sentinel: SIGKILL the primary", "no writes for at most 10 s; nobody disconnected", SENTINEL),
    ("F17", "a replica that is 3 s behind is promoted under load", "never above the limit", SENTINEL),
    (
        "F18",
        "SENTINEL FAILOVER under 2,000 operations a second",
        "never above the limit, no seat left behind, 20 of 20",
        SENTINEL,
    ),
    ("F19", "primary frozen and woken with one node still on it", "never above the limit", SENTINEL),
    (
        "F20",
        "the same with min-replicas-to-write 1",
        "no write acknowledged by the old primary after it wakes",
        SENTINEL,
    ),
    (
        "F21",
        "old primary and one node on the minority side for 60 s",
        "the minority closes all its clients in time; never above the limit after it heals",
        SENTINEL,
    ),
    (
        "F22",
        "Cluster of 3 + 3: SIGKILL one primary",
        "its slots back at most 9 s later; others' longest gap 0.5 s",
        CLUSTER,
    ),
    ("F23", "Cluster: 100 slots move under load", "no error that a client could see", CLUSTER),
    (
        "F24",
        "Cluster: primary and replica of a shard killed",
        "that shard refuses; others without an error",
        CLUSTER,
    ),
    ("F25", "Cluster: min-replicas 1 with one replica", "a warning at the start; no wrong grant", CLUSTER),
    (
        "F39",
        "forced logout, then a failover that loses it",
        "nobody revived while a node that saw it lives",
        SENTINEL,
    ),
    (
        "F40",
        "500 wait, a node crashes, the store fails over",
        "served in order but for the lost window",
        QUEUE,
    ),
    ("F41", "a license ends, hard and soft", "hard: all closed at most 1 s later; soft: nobody", LICENSES),
    (
        "F42",
        "limit 100 lowered to 40 at 100 used; with eviction",
        "use never grows, no grant until below 40; exactly the 60 newest go",
        LICENSES,
    ),
    ("F43", "limit raised while 200 wait", "all let in at most 1 s later", QUEUE),
    ("F44", "the store's clock jumps an hour", "no mass expiry, no stuck seats", CLOCK),
    (
        "F45",
        "the store's clock runs at double speed for 60 s",
        "an alarm at most 15 s later; never above the limit",
        CLOCK,
    ),
    ("F51", "256 file descriptors", "503 for the rest; no crash; recovers", "its own story"),
    ("F52", "24 h of everything at random", "memory and descriptors steady; no violation", "its own story"),
    ("F53", "two faults at once, at random, 60 min", "no violation", "its own story"),
    ("F54", "two versions side by side", "no protocol error; the same rules hold", "a second version"),
    ("F55", "a backup one hour old restored", "never above the limit", REASSERT),
    ("F56", "the connection lands on a replica", "found out at most 2 s later; no grant", SENTINEL),
    (
        "F57",
        "two failovers, back to the first server, no script between",
        "the guard fires, 20 of 20",
        SENTINEL,
    ),
    ("F58", "a first replica joins a single server", "one recovery at the most", REASSERT),
    ("F59", "a node registers, grants and dies within the lost window", "never above the limit", REASSERT),
)

for _fault in _PLANNED:
    later(*_fault)

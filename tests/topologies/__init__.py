"""Private stores of several servers for tests: a primary with replicas behind sentinels, and a cluster.

    with sentinel_group() as group:            # 1 primary, 2 replicas, 3 sentinels
        connect(group.url, ...)
        group.primary().kill()                 # SIGKILL; `freeze()` and `thaw()`, or `with server.paused():`
        group.fail_over()                      # planned, as `SENTINEL FAILOVER`
        group.until_primary_is_not(old)

    with cluster() as cluster_:                # 3 primaries, each with a replica
        cluster_.owner(slot).kill()
        cluster_.until_healed()
        cluster_.move_slot(slot, to)           # while others read and write

    with engine_under_acl() as engine:         # one server, and a user with the rights that `deploy/` gives seatd
        connect(engine.url, ...)
        connect(engine.url_of("operator"), ...)

All are real servers of the tested engine on free ports of the loopback (or where `places` says), in a folder that is gone
afterwards. The methods wait for what they do and block: a test that keeps a load running calls them by `asyncio.to_thread`.
"""

from tests.topologies.as_engine import ClusterAsEngine, watching
from tests.topologies.clusters import Cluster, cluster
from tests.topologies.sentinels import SentinelGroup, sentinel_group
from tests.topologies.servers import Server
from tests.topologies.under_acl import EngineUnderAcl, engine_under_acl

__all__ = [
    "Cluster",
    "ClusterAsEngine",
    "EngineUnderAcl",
    "SentinelGroup",
    "Server",
    "cluster",
    "engine_under_acl",
    "sentinel_group",
    "watching",
]

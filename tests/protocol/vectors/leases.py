"""Leases on a virtual clock."""

from collections.abc import Iterable, Mapping

from tests.protocol.vectors import Map


def lease() -> Map:
    """Leases on a virtual clock: what happens at which second, and until when the lease then runs."""
    return {"client": list(client_leases()), "node": list(node_leases())}


def steps(*rows: tuple[float, str, Mapping[str, float], float | None]) -> list[Map]:
    return [{"at_s": at_s, "do": do, **given, "until_s": until_s} for at_s, do, given, until_s in rows]


def client_leases() -> Iterable[Map]:
    c = {"lease_s": 24}
    yield {
        "name": "the worked example",
        "steps": steps(
            (100.0, "hello_sent", {}, None),
            (100.5, "welcomed", c, 124.0),
            (108.5, "beat", {"n": 1, **c}, 124.0),
            (108.5, "alive_sent", {"n": 1}, 124.0),
            (116.5, "beat", {"n": 2, **c}, 132.5),
            (116.5, "alive_sent", {"n": 2}, 132.5),
            (124.5, "beat", {"n": 3, **c}, 140.5),
        ),
        "valid": [[100.5, True], [140.25, True], [140.5, False], [141.0, False]],
    }
    yield {
        "name": "delay only shortens",
        "steps": steps(
            (0.0, "hello_sent", {}, None),
            (20.0, "welcomed", c, 24.0),
            (28.0, "beat", {"n": 1, **c}, 24.0),
            (28.0, "alive_sent", {"n": 1}, 24.0),
            (50.0, "beat", {"n": 2, **c}, 52.0),
        ),
        "valid": [[23.75, True], [51.75, True], [52.0, False]],
    }
    yield {
        "name": "sending extends nothing",
        "steps": steps(
            (0.0, "hello_sent", {}, None),
            (1.0, "welcomed", c, 24.0),
            (8.0, "beat", {"n": 1, **c}, 24.0),
            (8.0, "alive_sent", {"n": 1}, 24.0),
            (16.0, "alive_sent", {"n": 2}, 24.0),
        ),
        "valid": [[23.75, True], [24.0, False]],
    }
    yield {
        "name": "a waiter's lease runs while it waits",
        "steps": steps(
            (0.0, "hello_sent", {}, None),
            (1.0, "beat", {"n": 1, **c}, 24.0),
            (1.0, "alive_sent", {"n": 1}, 24.0),
            (9.0, "beat", {"n": 2, **c}, 25.0),
            (9.0, "alive_sent", {"n": 2}, 25.0),
            (17.0, "beat", {"n": 3, **c}, 33.0),
            (17.0, "alive_sent", {"n": 3}, 33.0),
            (20.0, "welcomed", c, 33.0),
        ),
        "valid": [[20.0, True], [33.0, False]],
    }
    yield {
        "name": "a resume begins anew and forgets nothing",
        "steps": steps(
            (0.0, "hello_sent", {}, None),
            (1.0, "welcomed", c, 24.0),
            (9.0, "beat", {"n": 1, **c}, 24.0),
            (9.0, "alive_sent", {"n": 1}, 24.0),
            (20.0, "hello_sent", {}, 24.0),
            (21.0, "welcomed", c, 44.0),
            (29.0, "beat", {"n": 1, **c}, 44.0),
            (29.0, "alive_sent", {"n": 1}, 44.0),
            (37.0, "beat", {"n": 2, **c}, 53.0),
        ),
        "valid": [[52.75, True], [53.0, False]],
    }
    yield {
        "name": "a waiter on a new connection",
        "steps": steps(
            (0.0, "hello_sent", {}, None),
            (1.0, "beat", {"n": 1, **c}, 24.0),
            (1.0, "alive_sent", {"n": 1}, 24.0),
            (10.0, "hello_sent", {}, 24.0),
            (11.0, "beat", {"n": 1, **c}, 34.0),
        ),
        "valid": [[33.75, True], [34.0, False]],
    }
    yield {
        "name": "a hello without an answer extends nothing",
        "steps": steps(
            (0.0, "hello_sent", {}, None), (1.0, "welcomed", c, 24.0), (20.0, "hello_sent", {}, 24.0)
        ),
        "valid": [[23.75, True], [24.0, False]],
    }
    yield {
        "name": "a beat out of turn confirms nothing",
        "steps": steps(
            (0.0, "hello_sent", {}, None),
            (1.0, "welcomed", c, 24.0),
            (9.0, "beat", {"n": 1, **c}, 24.0),
            (9.0, "alive_sent", {"n": 1}, 24.0),
            (17.0, "beat", {"n": 3, **c}, 24.0),
            (18.0, "beat", {"n": 1, **c}, 24.0),
        ),
        "valid": [[23.75, True], [24.0, False]],
    }
    yield {
        "name": "a shorter lease does not take back what was given",
        "steps": steps(
            (0.0, "hello_sent", {}, None),
            (1.0, "welcomed", c, 24.0),
            (4.0, "beat", {"n": 1, "lease_s": 6}, 24.0),
            (4.0, "alive_sent", {"n": 1}, 24.0),
            (12.0, "beat", {"n": 2, "lease_s": 6}, 24.0),
            (12.0, "alive_sent", {"n": 2}, 24.0),
            (20.0, "beat", {"n": 3, "lease_s": 30}, 42.0),
        ),
        "valid": [[41.75, True], [42.0, False]],
    }
    yield {
        "name": "nothing before a welcome",
        "steps": steps((0.0, "hello_sent", {}, None)),
        "valid": [[0.0, False]],
    }


def node_leases() -> Iterable[Map]:
    yield {
        "name": "counted from before the renewal was sent",
        "lease_s": 10,
        "steps": steps(
            (0.5, "renewed", {"sent_s": 0.0}, 10.0),
            (3.0, "renewed", {"sent_s": 2.5}, 12.5),
            (9.0, "renewed", {"sent_s": 1.0}, 12.5),
        ),
        "valid": [[12.25, True], [12.5, False]],
    }
    yield {
        "name": "given up",
        "lease_s": 10,
        "steps": steps(
            (0.5, "renewed", {"sent_s": 0.0}, 10.0),
            (1.0, "lapse", {}, None),
            (2.0, "renewed", {"sent_s": 1.5}, 11.5),
        ),
        "valid": [[2.0, True], [11.5, False]],
    }

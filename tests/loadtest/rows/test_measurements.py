"""Each measurement on servers of its own, with a handful of clients: it gives its rows, and they are about what they say."""

from __future__ import annotations

import os

import pytest

from loadtest.processes import children
from loadtest.rows import MEASUREMENTS, fairness
from loadtest.rows.cores import together
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale

TINY = Scale(
    clients=12,
    turns_s=0.3,
    beats=1,
    logouts=4,
    rounds=1,
    signing_in=200,  # what fewer cost is less than the kernel counts
    grants_at=(10, 50),
    customers=2,
    licenses=20,
    users=200,
    seats=40,
    asked=2,
    grants_s=0.3,
)


async def rows_of(*names: str) -> dict[str, Row]:
    (one,) = (one for one in MEASUREMENTS if set(names) <= set(one.names))
    said: list[str] = []
    before = set(children(os.getpid()))
    try:
        rows = {row.name: row for row in await one.run(TINY, names, said.append)}
    finally:
        together()
    assert said
    assert not [row.wrong for row in rows.values() if row.wrong]
    assert set(children(os.getpid())) <= before  # the tests' own store may be one
    return rows


async def test_only_what_is_wanted_of_a_crowd() -> None:
    rows = await rows_of("store-memory", "logout-all")
    assert set(rows) == {"store-memory", "logout-all"}
    assert rows["store-memory"].seatd > 0
    assert rows["logout-all"].floor is None


async def test_a_crowd_against_the_floor() -> None:
    rows = await rows_of("memory", "acquire")
    assert set(rows) == {"memory", "acquire"}
    assert (rows["acquire"].floor or 0) > rows["acquire"].seatd > 0
    assert set(rows["acquire"].more) == {"node_us", "store_us", "clients_us"}


async def test_single_logouts_on_another_node() -> None:
    row = (await rows_of("logout"))["logout"]
    assert row.more["logouts"] == TINY.logouts
    assert 0 < row.more["p50_ms"] <= row.seatd <= row.more["max_ms"]


async def test_a_killed_node() -> None:
    row = (await rows_of("kill"))["kill"]
    assert row.more["back"] == row.more["sessions_by_the_server"] == TINY.clients
    assert 0 < row.more["p50_s"] <= row.seatd


async def test_one_customer_beside_a_noisy_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "TURNS_PER_S", 50)  # a busy machine may not have room for more
    row = (await rows_of("fairness"))["fairness"]
    assert row.more["noise_per_s"] > 0
    assert 0 < row.more["p50_ms"] <= row.seatd
    assert 0 < row.more["p50_ms_alone"] <= (row.floor or 0)


async def test_noise_that_nobody_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "ENOUGH", 100)
    monkeypatch.setattr(fairness, "TURNS_PER_S", 50)
    with pytest.raises(ValueError, match="had only"):
        await rows_of("fairness")


async def test_two_nodes_against_one() -> None:
    row = (await rows_of("two-nodes"))["two-nodes"]
    assert row.judged <= row.more["ratio_of_the_other"]


@pytest.mark.parametrize("names", [("queue",), ("pages", "pages-grants")])
async def test_the_others(names: tuple[str, ...]) -> None:
    rows = await rows_of(*names)
    assert set(rows) == set(names)

"""One script for many: of one turn, in order, so many at the most; and what one of them meets is no concern of the others."""

from __future__ import annotations

import asyncio

from seatd.store.keys import customer_key
from seatd.store.together import Together
from seatd.store.values import Gone, Granted, StoreUnavailable
from tests.licenses import Licensed
from tests.store.office import Office


class Asked:
    """Answers each item with its double, and keeps what came together."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int]]] = []
        self.fault: Exception | None = None

    async def all(self, key: str, items: list[int]) -> list[int]:
        self.batches.append((key, items))
        await asyncio.sleep(0)
        if self.fault:
            raise self.fault
        return [2 * item for item in items]


async def test_what_is_asked_in_one_turn_goes_together() -> None:
    asked = Asked()
    together = Together(asked.all)
    answers = await asyncio.gather(*(together.of("acme", number) for number in (1, 2, 3)))
    assert (answers, asked.batches) == ([2, 4, 6], [("acme", [1, 2, 3])])
    assert await together.of("acme", 4) == 8
    assert asked.batches[1:] == [("acme", [4])]


async def test_each_key_has_a_batch_of_its_own() -> None:
    asked = Asked()
    together = Together(asked.all)
    await asyncio.gather(together.of("acme", 1), together.of("beta", 2), together.of("acme", 3))
    assert asked.batches == [("acme", [1, 3]), ("beta", [2])]


async def test_only_so_many_go_together() -> None:
    asked = Asked()
    together = Together(asked.all, most=4)
    assert await asyncio.gather(*(together.of("acme", n) for n in range(10))) == [2 * n for n in range(10)]
    assert [items for _, items in asked.batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_all_are_told_that_the_store_is_away() -> None:
    asked = Asked()
    asked.fault = StoreUnavailable("away")
    together = Together(asked.all)
    calls = (together.of("acme", n) for n in range(3))
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in told] == [StoreUnavailable] * 3


async def test_who_gives_up_does_not_hinder_the_others() -> None:
    asked = Asked()
    together = Together(asked.all)
    tasks = [asyncio.create_task(together.of("acme", n)) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    assert await asyncio.gather(tasks[0], tasks[2]) == [0, 4]


# -- with the engine ------------------------------------------------------------------------------


async def test_a_crowd_is_let_in_up_to_the_limit_in_one_script(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 3, id="cc")
    answers = await asyncio.gather(*(office.ask(f"user{n}", "CALL_CENTER") for n in range(5)))
    assert [isinstance(answer, Granted) for answer in answers] == [True] * 3 + [False] * 2
    assert await office.used("cc") == 3


async def test_one_that_fails_is_told_alone_and_the_others_are_served(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 3, id="cc")
    opened = [await office.open(name, "CALL_CENTER", session=name) for name in ("alice", "bob")]
    store = office.store
    acquire = store.ask("acquire", "acme", session="bob", fence="no number", need=7, groups=[], ref=0,
                        wait=False, priority=0, queue_limit=1)  # fmt: skip
    good = store.ask("acquire", "acme", session="alice", fence=opened[0].fence, need=[], groups=[], ref=0,
                     wait=False, priority=0, queue_limit=1)  # fmt: skip
    lost = store.ask("acquire", "acme", session="carol", fence=1, need=[], groups=[], ref=0,
                     wait=False, priority=0, queue_limit=1)  # fmt: skip
    bad, fine, gone = await asyncio.gather(acquire, good, lost, return_exceptions=True)
    assert not isinstance(fine, BaseException)
    assert fine.word == "granted"
    assert not isinstance(gone, BaseException)
    assert gone.to(Gone).reason == "unknown"
    assert not isinstance(bad, BaseException)
    assert bad.to(Gone).reason == "superseded"


async def test_a_record_that_cannot_be_read_fails_alone(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 3, id="cc")
    for name in ("alice", "bob"):
        await office.open(name, "CALL_CENTER", session=name)
    key = customer_key("sessions", office.partition, office.customer)
    await office.store.client.hset(key, "bob", b"\xc1")
    ends = (office.store.close("acme", session=name, fence=1) for name in ("bob", "alice"))
    bob, alice = await asyncio.gather(*ends, return_exceptions=True)
    assert isinstance(bob, Exception)
    assert alice is True
    assert await office.used("cc") == 1


async def test_nobody_waits_for_an_answer_that_is_missing() -> None:
    async def answers_one(_: str, items: list[int]) -> list[int]:
        return items[:1]

    together = Together(answers_one)
    first, *others = await asyncio.gather(*(together.of("acme", n) for n in range(3)), return_exceptions=True)
    assert first == 0
    assert [type(one) for one in others] == [ValueError] * 2

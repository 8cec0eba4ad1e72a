"""No call looks at more sessions than its bound, however many devices people have; and callers go on until all is done."""

from __future__ import annotations

from typing import Any

import pytest

from seatd.store import nodes, policies
from seatd.store.redis import Store
from seatd.store.verbs import Answer
from tests.conftest import Clock
from tests.licenses import Licensed
from tests.store.contents import contents
from tests.store.endings import look, told
from tests.store.office import DAYS_MS, Office, person

BOUND = 10
USERS = 8
DEVICES = 4


class Calls:
    """What the store was asked and answered."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self._answers: list[tuple[str, Answer]] = []
        really = store._run

        async def recorded(verb: str, *call: Any) -> Answer:
            answer = await really(verb, *call)
            self._answers.append((verb, answer))
            return answer

        monkeypatch.setattr(store, "_run", recorded)

    def of(self, verb: str, field: str) -> list[Any]:
        """A field of each answer to a verb."""
        return [answer.body[field] for asked, answer in self._answers if asked == verb]


@pytest.fixture
def calls(store: Store, monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setattr(nodes, "BATCH", BOUND)
    monkeypatch.setattr(policies, "BATCH", BOUND)
    return Calls(store, monkeypatch)


async def crowd(office: Office, licensed: Licensed, **fields: Any) -> set[str]:
    """Everybody has a seat on several devices."""
    await licensed("CALL_CENTER", 99, id="cc", **fields)
    return {
        (await office.open(f"user{user}", "CALL_CENTER", device=f"d{device}")).session
        for user in range(USERS)
        for device in range(DEVICES)
    }


async def test_a_kick_by_license(office: Office, licensed: Licensed, calls: Calls) -> None:
    out = await crowd(office, licensed)
    kicked = [item.session for item in await office.kick(license="cc")]
    assert (len(kicked), set(kicked)) == (len(out), out)
    sizes = [len(page) for page in calls.of("kick", "sessions")]
    assert max(sizes) < BOUND + DEVICES
    assert min(sizes[:-1]) >= BOUND
    assert set((await office.states()).values()) == {"draining"}


async def test_a_kick_by_license_goes_on_past_those_who_are_out_already(
    office: Office, licensed: Licensed, calls: Calls
) -> None:
    """They are looked at, too."""
    out = await crowd(office, licensed)
    for number in range(USERS - 1):
        await office.kick(user=person(f"user{number}"))
    before = len(calls.of("kick", "sessions"))
    assert len(await office.kick(license="cc")) == DEVICES
    pages = calls.of("kick", "sessions")[before:]
    assert [len(page) for page in pages] == [0, 0, DEVICES]
    assert len(await office.states()) == len(out)


async def test_a_kick_by_user(office: Office, licensed: Licensed, calls: Calls) -> None:
    await licensed("CALL_CENTER", 1, id="cc")
    many = {
        (await office.open("alice", "CALL_CENTER", device=f"d{number}", per_user=99)).session
        for number in range(3 * BOUND + 1)
    }
    kicked = {item.session for item in await office.kick(user=person("alice"), cooldown_ms=5000)}
    assert kicked == many
    assert [len(page) for page in calls.of("kick", "sessions")] == [BOUND, BOUND, BOUND, 1]
    assert (await office.refused("alice", device="new")).code == "cooldown"


async def test_an_ip_phone_is_a_holder_each_and_its_user_is_looked_at_once(
    office: Office, licensed: Licensed, calls: Calls
) -> None:
    """Who has more devices than the bound is forced out in one call: it cannot be cut in two."""
    await licensed("VOIP_DEVICE", 99, id="ip")
    for number in range(2 * BOUND):
        await office.open("alice", "VOIP_DEVICE", kind="ip_phone", device=f"d{number}", per_user=99)
    await office.open("bob", "VOIP_DEVICE", kind="ip_phone", device="b")
    assert len(await office.kick(license="ip")) == 2 * BOUND + 1
    assert [len(page) for page in calls.of("kick", "sessions")] == [2 * BOUND, 0, 1]


async def test_a_review_and_its_enforcement(
    office: Office, licensed: Licensed, calls: Calls, clock: Clock
) -> None:
    end_ms = clock.now_ms + DAYS_MS
    out = await crowd(office, licensed, valid_till_ms=end_ms, policy={"on_expiry": "evict"})
    await office.pass_ms(DAYS_MS, "n1")
    clock.pass_ms(end_ms - clock.now_ms)
    assert await look(office) == len(out)
    holders = [len(page) for page in calls.of("review", "holders")]
    assert sum(holders) == USERS
    assert (min(holders[:-1]), max(holders)) == (3, 3)
    assert calls.of("enforce", "done") == [3, 3, 2]
    assert calls.of("enforce", "ended") == [3 * DEVICES, 3 * DEVICES, 2 * DEVICES]
    assert len(await told(office)) == BOUND
    assert set((await office.states()).values()) == {"draining"}


async def test_of_too_many_holders_exactly_so_many_go_however_the_calls_are_cut(
    office: Office, licensed: Licensed, calls: Calls
) -> None:
    await crowd(office, licensed, policy={"on_lower": "evict"})
    await licensed("CALL_CENTER", 1, id="cc", policy={"on_lower": "evict"})
    assert await look(office) == (USERS - 1) * DEVICES
    assert await look(office) == 0
    assert list((await office.states()).values()).count("attached") == DEVICES


async def left_over(office: Office, licensed: Licensed, *, of_nodes: int, parked: int) -> None:
    """Two nodes die over their sessions, while the time of others is over."""
    await licensed("CALL_CENTER", 99, id="cc")
    await office.join("d1", "d2")
    for number in range(parked):
        await office.park(await office.open(f"parked{number}", "CALL_CENTER"))
    for number in range(of_nodes):
        await office.open(f"left{number}", "CALL_CENTER", node=("d1", "d2")[number % 2])
    await office.pass_ms(office.store.options.linger_ms, "n1", "n2")


async def test_a_beat_names_no_more_than_its_bound_and_something_of_everything(
    office: Office, licensed: Licensed, calls: Calls
) -> None:
    await left_over(office, licensed, of_nodes=4 * BOUND, parked=4 * BOUND)
    beat = await office.beat("n1")
    assert (len(beat.due), beat.more) == (BOUND, True)
    assert len([item for item in beat.due if item.node]) == BOUND // 2


@pytest.mark.parametrize(
    ("of_nodes", "parked", "named"),
    [(3, 4 * BOUND, (3, BOUND - 3)), (4 * BOUND, 3, (BOUND - 3, 3)), (2, 1, (2, 1)), (0, 99, (0, BOUND))],
)
async def test_what_the_one_kind_leaves_of_the_bound_is_the_others(
    office: Office, licensed: Licensed, calls: Calls, of_nodes: int, parked: int, named: tuple[int, int]
) -> None:
    await left_over(office, licensed, of_nodes=of_nodes, parked=parked)
    beat = await office.beat("n1")
    left = len([item for item in beat.due if item.node])
    assert (left, len(beat.due) - left) == named
    assert beat.more == (sum(named) == BOUND)


async def test_every_due_session_is_named_whichever_node_beats(
    office: Office, licensed: Licensed, store: Store, calls: Calls
) -> None:
    """And a dead node is forgotten only when nothing of it is left."""
    await left_over(office, licensed, of_nodes=4 * BOUND, parked=4 * BOUND)
    beats = 0
    while (beat := await office.beat(("n1", "n2")[beats % 2])).more:
        assert len(beat.due) == BOUND
        await office.sweep(beat.due)
        beats += 1
    await office.sweep(beat.due)
    assert beats <= 8
    assert list((await office.states()).values()) == ["parked"] * 4 * BOUND
    await office.beat("n1")
    assert set((await contents(store, office.partition, []))["nodes"]) == {"n1", "n2"}

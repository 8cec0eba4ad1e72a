"""No call looks at more sessions than its bound, however many devices people have; and callers go on until all is done."""

from __future__ import annotations

from typing import Any

import pytest

from seatd.store import nodes, policies
from seatd.store.redis import Store
from seatd.store.verbs import Answer
from tests.conftest import Clock
from tests.licenses import Licensed
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

"""What clients are told when a license ends, shrinks or goes, and what the store learns of it."""

from __future__ import annotations

import time

import pytest

from seatd.hub.hub import Hub
from seatd.hub.policies import _span
from seatd.store.redis import Store
from seatd.store.values import DueLicense, StoreUnavailable
from seatd_protocol.messages import (
    Ack,
    Acquire,
    Alive,
    Beat,
    Busy,
    Changed,
    Error,
    Granted,
    Logout,
    Notice,
    Refresh,
    Release,
    TakeOver,
    Welcome,
)
from tests.conftest import Clock
from tests.hub.conftest import Hubs, Peer, hello, refused, signed_in, states
from tests.hub.token_factory import SECRET, signed
from tests.licenses import Licensed
from tests.servers import eventually

HOUR_MS = 3600 * 1000
EVICT = {"on_expiry": "evict", "on_lower": "evict", "on_remove": "evict"}


async def looks(hub: Hub) -> None:
    """Between two beats the hub looks after the license `cc`; the second brings its orders."""
    await hub.leases._beat(hub.store.partition("acme"))
    hub.policies.look_after([DueLicense(customer="acme", license="cc")])
    await eventually(lambda: not hub.policies._under_way)
    hub.leases.wake(hub.store.partition("acme"))


async def alive(peer: Peer) -> None:
    """The next beat and its answer."""
    peer.session.beat()
    beat = await peer.heard(Beat)
    await peer.say(Alive(n=beat.n))


async def test_a_license_that_ends_takes_its_sessions_with_it(
    hubs: Hubs, store: Store, clock: Clock, licensed: Licensed
) -> None:
    hub = await hubs()
    await licensed("CALL_CENTER", 2, id="cc", valid_till_ms=clock.now_ms + HOUR_MS, policy=EVICT)
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await signed_in(hub, "bob", "CALL_CENTER")
    clock.pass_ms(HOUR_MS)
    await looks(hub)
    for peer in (ann, bob):
        logout = await peer.heard(Logout)
        assert (logout.code, logout.cooldown_s) == ("license_ended", 0)
        assert logout.message == "The license of CALL_CENTER has ended."
    await ann.say(Ack(order=ann.session._ordered_out.number if ann.session._ordered_out else 0))
    assert await ann.closed() == (4303, "license_ended")
    assert await bob.closed() == (4303, "license_ended")
    assert await states(store) == {}


async def test_by_default_they_stay_and_are_told_so(hubs: Hubs, clock: Clock, licensed: Licensed) -> None:
    hub = await hubs()
    await licensed("CALL_CENTER", 2, id="cc", valid_till_ms=clock.now_ms + HOUR_MS)
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    notice = await ann.heard(Notice)
    assert (notice.code, notice.message) == ("license_expiring", "The license of CALL_CENTER ends in 1 hour.")
    assert notice.until_ms == clock.now_ms + HOUR_MS
    clock.pass_ms(HOUR_MS - 5 * 60_000)
    await looks(hub)
    assert (await ann.heard(Notice)).message == "The license of CALL_CENTER ends in 5 minutes."
    clock.pass_ms(5 * 60_000)
    await looks(hub)
    await ann.drop()
    again = Peer(hub)
    await again.say(hello("ann", "CALL_CENTER", resume=ann.resume))
    assert (await again.heard(Welcome)).resumed
    assert "has ended" in (await again.heard(Notice)).message


async def test_a_license_that_lasts_is_not_spoken_of(hubs: Hubs, licensed: Licensed) -> None:
    hub = await hubs()
    await licensed("CALL_CENTER", 2, id="cc")
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    await alive(ann)
    assert ann.wire.told == []


async def test_seats_that_were_only_wanted_are_lost_without_the_session(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    hub = await hubs()
    await licensed("EMAIL", 2, id="mail")
    await licensed("CALL_CENTER", 1, id="cc", policy=EVICT)
    ann = await signed_in(hub, "ann", "EMAIL", want=("CALL_CENTER",))
    await alive(ann)
    await hub.store.drop_license("acme", "cc")
    changed = await ann.heard(Changed)
    assert [seat.product for seat in changed.seats] == ["EMAIL"]
    assert changed.reason == "The license of CALL_CENTER was withdrawn."
    assert changed.sections == hub.catalog.sections(["EMAIL"])
    assert list(ann.session.seats) == ["EMAIL"]
    key = f"seatd:{{{store.partition('acme'):02}}}:c:acme:seats"
    assert await store.client.zcard(key) == 2
    await alive(ann)

    async def free() -> bool:
        return bool(await store.client.zcard(key) == 1)

    await eventually(free)
    assert await states(store) == {"ann": "attached"}


async def test_a_seat_that_is_lost_while_another_one_is_given_back_in_vain_stays_lost(
    hubs: Hubs, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = await hubs()
    await licensed("EMAIL", 2, id="mail")
    await licensed("CALL_CENTER", 1, id="cc", policy=EVICT)
    ann = await signed_in(hub, "ann", "EMAIL", want=("CALL_CENTER",))
    await alive(ann)

    async def away(*_: object, **__: object) -> None:
        await hub.store.drop_license("acme", "cc")
        await ann.heard(Changed)
        raise StoreUnavailable("away")

    monkeypatch.setattr(hub.store, "release", away)
    await ann.say(Release(ref=1, products=("EMAIL",)))
    assert (await ann.heard(Error)).code == "unavailable"
    assert list(ann.session.seats) == ["EMAIL"]


async def test_an_answer_that_was_on_its_way_does_not_count(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    hub = await hubs()
    await licensed("EMAIL", 2, id="mail")
    await licensed("CALL_CENTER", 1, id="cc", policy=EVICT)
    ann = await signed_in(hub, "ann", "EMAIL", want=("CALL_CENTER",))
    ann.session.beat()
    beat = await ann.heard(Beat)
    await hub.store.drop_license("acme", "cc")
    await ann.heard(Changed)
    await ann.say(Alive(n=beat.n))
    assert ann.session._losing is not None
    await alive(ann)
    assert ann.session._losing is None


async def test_a_resumed_session_confirms_what_it_lost_meanwhile(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    hub = await hubs()
    other = await hubs("b")
    await licensed("EMAIL", 2, id="mail")
    await licensed("CALL_CENTER", 1, id="cc", policy=EVICT)
    ann = await signed_in(hub, "ann", "EMAIL", want=("CALL_CENTER",))
    await ann.drop()
    await hub.store.drop_license("acme", "cc")
    await looks(hub)
    key = f"seatd:{{{store.partition('acme'):02}}}:c:acme:seats"
    again = Peer(other)
    await again.say(hello("ann", "EMAIL", resume=ann.resume))
    welcome = await again.heard(Welcome)
    assert (welcome.resumed, [seat.product for seat in welcome.seats]) == (True, ["EMAIL"])
    assert await store.client.zcard(key) == 2
    await alive(again)

    async def free() -> bool:
        return bool(await store.client.zcard(key) == 1)

    await eventually(free)
    await licensed("EMAIL", 1, id="mail", policy=EVICT, valid_till_ms=1_790_000_000_001)
    assert again.session.need == ("EMAIL",)


async def test_a_call_is_waited_for_also_after_a_resume(
    hubs: Hubs, clock: Clock, store: Store, licensed: Licensed
) -> None:
    hub = await hubs()
    other = await hubs("b")
    policy = {"on_expiry": "after_call"}
    await licensed("CALL_CENTER", 2, id="cc", valid_till_ms=clock.now_ms + 1000, policy=policy)
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    await ann.say(Busy(busy=True))
    await ann.drop()
    clock.pass_ms(1000)
    await looks(hub)
    again = Peer(other)
    await again.say(hello("ann", "CALL_CENTER", resume=ann.resume))
    assert (await again.heard(Welcome)).resumed
    await again.say(Busy(busy=True))
    await alive(again)
    await looks(other)
    assert await states(store) == {"ann": "attached"}
    await again.say(Busy(busy=False))
    assert (await again.heard(Logout)).code == "license_ended"


async def test_a_call_that_ended_while_the_connection_was_away_is_over(
    hubs: Hubs, clock: Clock, licensed: Licensed
) -> None:
    """`busy` holds for the connection: who does not say it again has no call."""
    hub = await hubs()
    policy = {"on_expiry": "after_call"}
    await licensed("CALL_CENTER", 2, id="cc", valid_till_ms=clock.now_ms + 1000, policy=policy)
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    await ann.say(Busy(busy=True))
    await ann.drop()
    clock.pass_ms(1000)
    again = Peer(hub)
    await again.say(hello("ann", "CALL_CENTER", resume=ann.resume))
    await again.heard(Welcome)
    assert again.session.known_busy
    await alive(again)
    assert (await again.heard(Logout)).code == "license_ended"


async def test_a_call_is_not_taken_over(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    hub = await hubs()
    await licensed("CALL_CENTER", 2, id="cc")
    desk = await signed_in(hub, "ann", "CALL_CENTER")
    phone = await signed_in(hub, "ann", "CALL_CENTER", device="m1", kind="mobile")
    await desk.say(Busy(busy=True))
    await phone.say(TakeOver(ref=1, session=desk.session.key))
    error = await phone.heard(Error)
    assert (error.code, error.temporary, error.ref) == ("busy_elsewhere", True, 1)
    assert (await store.sessions()).total == 2


async def test_somebody_waits(hubs: Hubs, clock: Clock, licensed: Licensed) -> None:
    """Holders are told, on whichever node; those in a call last, and nobody more than once a minute."""
    hub, other = await hubs(), await hubs("b")
    await licensed("CALL_CENTER", 2, id="cc", policy={"notify_waiting": True})
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    bob = await signed_in(other, "bob", "CALL_CENTER")
    for number, name in enumerate(("eve", "zoe"), 1):
        waiter = Peer(hub)
        await waiter.say(hello(name, "CALL_CENTER", wait_s=60))
        clock.pass_ms(60_000 if number == 1 else 0)
    for peer in (ann, bob):
        notice = await peer.heard(Notice)
        assert (notice.code, notice.until_ms) == ("someone_waits", None)
        assert notice.message == "Somebody waits for a seat of CALL_CENTER."
        await alive(peer)
        assert not any(isinstance(message, Notice) for message in peer.wire.told)


async def test_nobody_is_told_where_the_license_does_not_ask_for_it(hubs: Hubs, licensed: Licensed) -> None:
    hub = await hubs()
    await licensed("CALL_CENTER", 1, id="cc")
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    waiter = Peer(hub)
    await waiter.say(hello("eve", "CALL_CENTER", wait_s=60))
    await looks(hub)
    await alive(ann)
    assert ann.wire.told == []


async def test_groups_of_the_token_count(hubs: Hubs, licensed: Licensed) -> None:
    hub = await hubs()
    reservations = [{"group": "sales", "seats": 1}]
    await licensed("CALL_CENTER", 1, id="cc", policy={"reservations": reservations})
    await licensed("EMAIL", 5, id="mail")
    denied = await refused(hub, "ann", "CALL_CENTER")
    assert (denied.limit, denied.used) == (1, 0)
    assert denied.message == "No seat of CALL_CENTER is free for you: the free ones are kept for others."
    peer = await signed_in(hub, "sue", "EMAIL")
    token = signed(SECRET, "HS256", sub="sue@acme.example", exp=int(time.time() + 3600), groups=["sales"])
    await peer.say(Refresh(token=token), Acquire(ref=1, products=("CALL_CENTER",)))
    assert (await peer.heard(Granted)).ref == 1


async def test_the_newer_device_takes_the_place_of_the_older(hubs: Hubs, licensed: Licensed) -> None:
    hub, other = await hubs(), await hubs("b")
    await licensed("CALL_CENTER", 1, id="cc", policy={"device": "take_over"})
    old = await signed_in(hub, "ann", "CALL_CENTER", device="d1")
    await signed_in(other, "ann", "CALL_CENTER", device="d2")
    assert await old.closed() == (4301, "replaced")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(86400, "24 hours"), (3599.9, "1 hour"), (299, "5 minutes"), (60, "1 minute"), (0.1, "1 minute")],
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert _span(seconds) == words

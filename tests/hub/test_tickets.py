"""Tickets: a store that has forgotten a session whose node is gone too believes its client, and nobody who only says so."""

from __future__ import annotations

import base64

import msgspec
import pytest

from seatd.hub.hub import Hub
from seatd.hub.targets import LogoutTargets
from seatd.hub.tickets import MAX_TICKET, Tickets, _packed, _unpacked
from seatd.hub.tokens import Identity
from seatd.store.keys import DEPLOYMENT
from seatd.store.redis import Store
from seatd.store.values import Claim, Ended
from seatd_protocol.messages import (
    Acquire,
    Beat,
    Bye,
    Device,
    Granted,
    Logout,
    Release,
    Released,
    Resume,
    Seat,
    Welcome,
)
from tests.conftest import Clock
from tests.hub.conftest import Hubs, Peer, hello, refused, states, used
from tests.hub.test_recovery import beat, fall_back, remember
from tests.licenses import Licensed

ANN = "ann@acme.example"


async def seated(hub: Hub, name: str = "ann", *need: str) -> tuple[Peer, Resume]:
    """A client with a session; what it shows to have it back, ticket and all."""
    peer = Peer(hub)
    await peer.say(hello(name, *(need or ("CALL_CENTER",))))
    welcome = await peer.heard(Welcome)
    assert welcome.ticket is not None
    return peer, Resume(session=welcome.session, secret=welcome.secret, ticket=welcome.ticket)


async def lost(hubs: Hubs, store: Store, name: str = "ann") -> tuple[Hub, Resume]:
    """Somebody's session is lost by the store, and its node does not come back; the other node, and what the client shows."""
    a, b = await hubs("a"), await hubs("b")
    was = await remember(store)
    _, shown = await seated(a, name)
    await fall_back(store, was)
    await beat(b)
    assert await states(store) == {}
    return b, shown


async def back(hub: Hub, shown: Resume, name: str = "ann", **how: object) -> Peer:
    peer = Peer(hub)
    await peer.say(hello(name, "CALL_CENTER", resume=shown, **how))
    return peer


async def is_resumed(hub: Hub, shown: Resume) -> bool:
    return (await (await back(hub, shown)).heard(Welcome)).resumed


async def test_a_ticket_puts_a_lost_seat_back(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    """The node that had granted it registered, granted and died in what was lost: nobody else gets the seat."""
    await licensed(limit=1)
    b, shown = await lost(hubs, store)
    assert (await refused(b, "bob", "CALL_CENTER")).code == "recovering"
    again = await back(b, shown)
    welcome = await again.heard(Welcome)
    assert (welcome.resumed, welcome.session, len(welcome.seats)) == (True, shown.session, 1)
    assert welcome.ticket not in (None, shown.ticket)
    clock.pass_ms(store.options.recovery_ms)
    await beat(b)
    assert (await refused(b, "bob", "CALL_CENTER")).code == "no_seat"
    assert (await states(store), await used(store)) == ({"ann": "attached"}, 1)


async def test_the_window_waits_for_a_node_whose_clients_may_use_lost_seats(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    """That the store knows of nothing that the dead node holds, and that its lease is over, says nothing."""
    await licensed(limit=1)
    b, shown = await lost(hubs, store)
    number = store.partition("acme")
    await store.report(number, b.node, durable=True)
    clock.pass_ms(store.options.node_lease_ms + 1000)
    await beat(b)
    assert await store.report(number, b.node, durable=True)
    assert (await refused(b, "bob", "CALL_CENTER")).code == "recovering"
    assert await is_resumed(b, shown)


async def test_without_it_the_client_waits_for_its_node(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    b, shown = await lost(hubs, store)
    bare = Resume(session=shown.session, secret=shown.secret)
    assert (await (await back(b, bare)).closed())[0] == 4002


async def test_even_above_the_limit(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    a, b = await hubs("a"), await hubs("b")
    was = await remember(store)
    first, shown = await seated(a)
    await first.say(Bye())
    await first.closed()
    a.memory._ends.clear()  # it is gone, with what it knew
    await seated(b, "bob")
    await fall_back(store, was)
    await beat(b)
    assert await is_resumed(b, shown)
    assert await used(store) == 2


async def test_outside_of_a_recovery_it_is_ignored(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=1)
    b, shown = await lost(hubs, store)
    clock.pass_ms(store.options.recovery_ms)
    await beat(b)
    assert not await is_resumed(b, shown)


async def test_after_its_time_it_is_worth_nothing(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=1)
    a, b = await hubs("a"), await hubs("b")
    was = await remember(store)
    _, shown = await seated(a)
    clock.pass_ms(2 * store.options.client_lease_ms + store.options.old_primary_ms + 1000)
    await fall_back(store, was)
    await beat(b)
    assert (await (await back(b, shown)).closed())[0] == 4002


async def test_who_has_left_does_not_come_back_by_it(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    """The store has lost the session, but not its end."""
    await licensed(limit=1)
    b, shown = await lost(hubs, store)
    await store.rebury("acme", [Ended(user=ANN, session=shown.session, fence=1)])
    assert (await back(b, shown)).session.key != shown.session
    assert await states(store) == {}


@pytest.mark.parametrize("how", ["bye", "forced out"])
async def test_an_end_that_is_told_later_still_counts(
    hubs: Hubs, store: Store, licensed: Licensed, how: str
) -> None:
    await licensed(limit=1)
    a, b = await hubs("a", ack_s=60), await hubs("b")  # the node that knows of the end says nothing by itself
    was = await remember(store)
    peer, shown = await seated(a)
    if how == "bye":
        await peer.say(Bye())
        await peer.closed()
    else:
        targets = LogoutTargets(users=(ANN,))
        await a.logouts.logout(targets, message="lunch", cooldown_s=0, by="boss", wait_s=0.01)
        # Only then may the store lose it: of an order that nobody has read nobody knows.
        await peer.heard(Logout)
    await fall_back(store, was)
    await beat(b)
    assert await is_resumed(b, shown)
    await beat(a)
    await beat(b)
    assert await states(store) == ({} if how == "bye" else {"ann": "draining"})


async def test_who_is_refused_has_no_use_for_it(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    b, shown = await lost(hubs, store)
    await store.rebury("acme", [Ended(user=ANN, cooldown_ms=60_000)])
    await back(b, shown)
    assert await states(store) == {}


async def test_shown_twice_the_second_replaces_the_first(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed(limit=1)
    b, shown = await lost(hubs, store)
    c = await hubs("c")
    first = await back(b, shown)
    assert (await first.heard(Welcome)).resumed
    assert await is_resumed(c, shown)
    await beat(b)
    assert (await first.closed())[0] == 4301
    assert (await states(store), await used(store)) == ({"ann": "attached"}, 1)


# -- forged and foreign ---------------------------------------------------------------------------


IDENTITY = Identity(user=ANN, domain="acme.example", customer="acme", expires_s=0)
DEVICE = Device(kind="desktop", id="d1")


@pytest.mark.parametrize("changed", ["body", "mac", "cut", "empty", "no base64"])
async def test_an_altered_ticket_is_none(hubs: Hubs, licensed: Licensed, changed: str) -> None:
    await licensed(limit=1)
    hub = await hubs()
    _, shown = await seated(hub)
    assert isinstance(hub.tickets.read(shown, IDENTITY, DEVICE), Claim)
    assert shown.ticket
    sealed = bytearray(base64.urlsafe_b64decode(shown.ticket + "=" * (-len(shown.ticket) % 4)))
    sealed[-1 if changed == "body" else 0] ^= 1
    ticket = base64.urlsafe_b64encode(bytes(sealed)).decode().rstrip("=")
    ticket = {"cut": shown.ticket[:-4], "empty": "", "no base64": "a"}.get(changed, ticket)
    forged = msgspec.structs.replace(shown, ticket=ticket)
    assert hub.tickets.read(forged, IDENTITY, DEVICE) is None


@pytest.mark.parametrize(
    "other",
    [
        {"user": "eve@acme.example"},
        {"customer": "globex"},
        {"device": "d2"},
        {"session": "another"},
        {"secret": "another"},
    ],
)
async def test_nobody_elses_ticket_counts(hubs: Hubs, licensed: Licensed, other: dict[str, str]) -> None:
    await licensed(limit=1)
    hub = await hubs()
    _, shown = await seated(hub)
    of_token = {name: other[name] for name in ("user", "customer") if name in other}
    of_resume = {name: other[name] for name in ("session", "secret") if name in other}
    identity = msgspec.structs.replace(IDENTITY, **of_token)
    device = Device(kind="desktop", id=other.get("device", "d1"))
    assert hub.tickets.read(msgspec.structs.replace(shown, **of_resume), identity, device) is None


async def test_another_deployments_ticket_is_none(hubs: Hubs, licensed: Licensed) -> None:
    await licensed(limit=1)
    hub = await hubs()
    _, shown = await seated(hub)
    hub.store.ticket_keys = (b"k" * 32,)
    assert hub.tickets.read(shown, IDENTITY, DEVICE) is None


# -- what clients are given -----------------------------------------------------------------------


async def next_beat(hub: Hub, peer: Peer) -> Beat:
    peer.session._alive_n = peer.session._beat_n
    peer.session.beat()
    return await peer.heard(Beat)


async def test_a_new_ticket_comes_when_the_old_one_no_longer_says_what_is_true(
    hubs: Hubs, licensed: Licensed, clock: Clock
) -> None:
    await licensed(limit=1)
    await licensed("EMAIL", limit=1)
    hub = await hubs()
    peer, _ = await seated(hub)
    assert (await next_beat(hub, peer)).ticket is None
    await peer.say(Acquire(ref=1, products=("EMAIL",)))
    await peer.heard(Granted)
    ticket = (await next_beat(hub, peer)).ticket
    assert ticket
    claim = hub.tickets.read(msgspec.structs.replace(peer.resume, ticket=ticket), IDENTITY, DEVICE)
    assert claim
    assert claim.record.seats == tuple(peer.session.seats.values())
    assert (await next_beat(hub, peer)).ticket is None
    await peer.say(Release(ref=2, products=("EMAIL",)))
    await peer.heard(Released)
    assert (await next_beat(hub, peer)).ticket
    clock.pass_ms(round(hub.options.client_lease_s * 1000) + 1000)
    await beat(hub)
    assert (await next_beat(hub, peer)).ticket


async def test_a_ticket_covers_what_the_client_may_believe(
    hubs: Hubs, licensed: Licensed, clock: Clock
) -> None:
    """Beat after beat: the last ticket is valid for a client lease at least."""
    await licensed(limit=1)
    hub = await hubs()
    peer, shown = await seated(hub)
    for _ in range(12):
        clock.pass_ms(8000)
        await beat(hub)
        ticket = (await next_beat(hub, peer)).ticket
        shown = msgspec.structs.replace(shown, ticket=ticket or shown.ticket)
        claim = hub.tickets.read(shown, IDENTITY, DEVICE)
        assert claim
        assert claim.until_ms >= clock() + hub.options.client_lease_s * 1000


async def test_too_many_seats_for_a_ticket(hubs: Hubs, licensed: Licensed) -> None:
    await licensed(limit=1)
    hub = await hubs()
    peer, _ = await seated(hub)
    (seat,) = peer.session.seats.values()
    sizes = []
    for number in range(1, 40):
        many = [f"{seat.product}_{n}" for n in range(number)]
        peer.session.hold(tuple(msgspec.structs.replace(seat, product=name, license=name) for name in many))
        sizes.append(len(Tickets(hub).issue(peer.session) or ""))
    assert 0 < sizes[5] <= max(sizes) <= MAX_TICKET
    assert sizes[-1] == 0


async def test_a_session_without_seats_has_none(hubs: Hubs, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", limit=1)
    hub = await hubs()
    peer = Peer(hub)
    await peer.say(hello("ann"))
    assert (await peer.heard(Welcome)).ticket is None


def test_seats_come_back_as_they_were() -> None:
    """Every field, also of a seat that is not the user's own, and of a device with all its fields."""
    seat = Seat(
        product="A", license="l", kind="nominal", holder=f"{ANN}/d1", since_ms=1, until_ms=2, overdraft=True
    )
    assert _unpacked(_packed(seat, ANN), ANN) == seat


# -- the key --------------------------------------------------------------------------------------


async def test_nodes_share_a_key_and_put_it_back(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=1)
    a, b = await hubs("a"), await hubs("b")
    (key,) = a.store.ticket_keys
    assert b.store.ticket_keys == (key,)
    assert len(key) == 32
    await store.client.delete(DEPLOYMENT)
    await fall_back(store, {})
    await beat(a)
    assert await store.client.hget(DEPLOYMENT, "ticket_key") == key
    assert await store.client.hget(DEPLOYMENT, "partitions") == str(store.partitions).encode()


async def test_tickets_outlive_a_key_that_another_node_has_replaced(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed(limit=1)
    b, shown = await lost(hubs, store)
    await store.client.hset(DEPLOYMENT, "ticket_key", b"n" * 32)
    await b.found_again()
    assert b.store.ticket_keys[0] == b"n" * 32
    assert await is_resumed(b, shown)

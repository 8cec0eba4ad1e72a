"""Licenses after the store has lost everything: as they were, for every customer that has somebody at work."""

from __future__ import annotations

import pytest

from seatd.hub.hub import Hub
from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.store.keys import customer_key, deployment_key, partition_key
from seatd.store.redis import Store
from seatd.store.registry_values import LicenseRow
from seatd_protocol.messages import Bye
from tests.conftest import Clock
from tests.hub.conftest import Hubs, refused, signed_in, states, used
from tests.hub.test_recovery import beat, fall_back, remember
from tests.licenses import Licensed, license_claim, license_key
from tests.servers import eventually

ANN = "ann@acme.example"


async def remembers(hub: Hub, *ids: str) -> None:
    """Waits until a node knows that exactly these licenses stand."""

    def knows() -> bool:
        known = hub.licenses._known.get("acme")
        return known is not None and set(known.standing.licenses) == set(ids)

    await eventually(knows)


async def lose_everything(store: Store, *hubs: Hub) -> None:
    """An empty store; the nodes have seen it before, so it is not taken for a new one."""
    await store.client.flushall()
    await beat(*hubs)


async def rows(store: Store) -> list[LicenseRow]:
    return sorted(await store.registry(), key=lambda row: row.id)


async def test_they_are_put_back_as_they_were(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    hub = await hubs()
    await licensed(limit=2, id="cc", overdraft=1)
    await licensed("CALL_MANAGER", limit=3, id="named", kind="nominal")
    await store.assign("acme", "named", ANN, domain="acme.example")
    await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc", "named")
    was = await rows(store)
    key = await store.license_key("acme", "cc")
    await lose_everything(store, hub)
    assert await rows(store) == was
    assert key
    assert await store.license_key("acme", "cc") == key
    assert (await store.assign("acme", "named", ANN, domain="acme.example")).status == "already"
    assert await store.customers() == ["acme"]
    assert await states(store) == {"ann": "attached"}


async def test_the_limit_holds_again_when_the_window_is_over(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    hub = await hubs()
    await licensed(limit=2, id="cc")
    await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc")
    await lose_everything(store, hub)
    clock.pass_ms(store.options.recovery_ms)
    await beat(hub)
    await signed_in(hub, "bob", "CALL_CENTER")
    assert (await refused(hub, "eve", "CALL_CENTER")).code == "no_seat"
    assert await used(store) == 2


async def test_changes_are_learned_while_people_work(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    hub = await hubs()
    await licensed(limit=1, id="cc")
    await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc")
    await licensed("CALL_MANAGER", id="named", kind="nominal")
    await remembers(hub, "cc", "named")
    await store.assign("acme", "named", ANN, domain="acme.example")
    await eventually(lambda: hub.licenses._known["acme"].standing.assignments)
    await store.unassign("acme", "named", ANN)
    await eventually(lambda: not hub.licenses._known["acme"].standing.assignments)
    await store.drop_license("acme", "cc")
    await remembers(hub, "named")
    assert set(hub.licenses._known["acme"].withdrawn) == {"cc"}


async def test_what_was_withdrawn_does_not_come_back(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    """Not even by a node that has not heard of it."""
    a, b = await hubs("a"), await hubs("b")
    await licensed(limit=1, id="old")
    await licensed(limit=1, id="new")
    await signed_in(a, "ann", "CALL_CENTER")
    await signed_in(b, "bob", "CALL_CENTER")
    await remembers(a, "new", "old")
    await remembers(b, "new", "old")
    deaf = b.licenses._known["acme"]
    await store.drop_license("acme", "old")
    await remembers(a, "new")
    await remembers(b, "new")
    b.licenses._known["acme"] = deaf
    await lose_everything(store, b, a)
    assert [row.id for row in await rows(store)] == ["new"]


async def test_a_license_of_that_id_that_was_imported_again_stays(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    hub = await hubs()
    await licensed(limit=1, id="other")
    key = license_key(license_claim("cc", limit=7), jti="the same")
    await store.put_license(key)
    await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc", "other")
    await store.drop_license("acme", "cc")
    await remembers(hub, "other")
    memory = hub.licenses._known["acme"]
    clock.pass_ms(1)
    await store.put_license(key)
    await remembers(hub, "cc", "other")
    hub.licenses._known["acme"] = memory  # it has not heard of the import
    await fall_back(store, await remember(store))
    await beat(hub)
    assert {row.id: row.limit for row in await rows(store)} == {"cc": 7, "other": 1}


async def test_what_a_failover_brings_back_is_withdrawn_again(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    hub = await hubs()
    await licensed(limit=1, id="other")
    await licensed(limit=1, id="cc")
    await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc", "other")
    names = [customer_key(n, store.partition("acme"), "acme") for n in ("licenses", "offers", "license_keys")]
    was = {name: await store.client.dump(name) for name in names}
    await store.drop_license("acme", "cc")
    await remembers(hub, "other")
    await fall_back(store, was)
    await beat(hub)
    assert [row.id for row in await rows(store)] == ["other"]


async def test_what_is_there_already_counts(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    """An administrator was quicker, with a newer key."""
    hub = await hubs()
    await licensed(limit=1, id="cc")
    await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc")
    await store.client.flushall()
    number = store.partition("acme")
    store.epochs.clear()
    hub.store.epochs[number] += 1  # whoever asks first knows that it is not new
    store.epochs[number] = hub.store.epochs[number]
    await store.put_license(license_key(license_claim("cc", limit=9), jti="newer", iat=1_800_000_000))
    await beat(hub)
    assert [(row.id, row.limit) for row in await rows(store)] == [("cc", 9)]


async def test_nothing_is_learned_from_a_store_that_has_lost_it(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    hub = await hubs()
    await licensed(limit=1, id="cc")
    await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc")
    await store.client.flushall()
    hub.licenses.changed("acme")
    await hub.licenses._fetch()
    await remembers(hub, "cc")
    await beat(hub)
    assert [row.id for row in await rows(store)] == ["cc"]


async def test_a_customer_without_sessions_is_forgotten(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    hub = await hubs()
    await licensed(limit=1, id="cc")
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc")
    hub.licenses._renew()
    assert set(hub.licenses._known) == hub.licenses._wanted == {"acme"}
    await ann.drop()
    hub.licenses._renew()
    assert hub.licenses._known == {}


@pytest.mark.parametrize("recovering", [True, False])
async def test_a_store_without_data_is_no_reason_outside_of_a_recovery(
    hubs: Hubs, store: Store, licensed: Licensed, recovering: bool
) -> None:
    hub = await hubs()
    await licensed(limit=1, id="cc")
    await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc")
    if recovering:
        await lose_everything(store, hub)
    number = store.partition("acme")
    await store.client.hset(partition_key("meta", number), "recover_until_ms", 0)
    await store.drop_license("acme", "cc")
    known = hub.licenses._known["acme"]
    assert (await hub.store.reregister("acme", known.standing, {})).added == ()
    assert await rows(store) == []


async def test_who_was_suspended_stays_suspended(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    hub = await hubs()
    await licensed(limit=2, id="cc")
    await licensed("CHAT", limit=2, id="chat", kind="nominal")
    await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc", "chat")
    await store.occupy("acme", "CHAT", "acme.example", "web", combine="max")
    await eventually(lambda: hub.licenses._known["acme"].standing.resources)

    async def decide() -> list[Change]:
        after = {"status": "suspended", "name": "Acme Ltd", "delete_at_ms": clock.now_ms + 10_000_000}
        return [Change(place="account", field=field, after=value) for field, value in after.items()]

    async def renamed() -> list[Change]:
        return [Change(place="account", field="name", before="?", after="Acme AG")]

    await store.change_account("acme", Deed(by=SYSTEM, action="test"), decide)
    await eventually(lambda: "status" in hub.licenses._known["acme"].standing.account)
    was = await store.account("acme")
    await lose_everything(store, hub)
    assert await store.account("acme") == was
    await store.change_account("acme", Deed(by=SYSTEM, action="test"), renamed)
    await beat(hub)
    assert (await store.account("acme")).name == "Acme AG"
    assert [item.resource for item in await store.resources("acme")] == ["web"]
    assert await store.owner_of("acme.example") == "acme"
    assert list(await store.facts("acme", "domains")) == ["acme.example"]
    clock.pass_ms(store.options.recovery_ms)
    await beat(hub)
    assert (await refused(hub, "eve", "CALL_CENTER")).code == "suspended"
    member = await store.client.zscore(partition_key("expiries", store.partition("acme")), "acme\0")
    assert member == was.delete_at_ms


async def test_domains_are_found_again_where_only_their_index_is_lost(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    hub = await hubs()
    await licensed(limit=2, id="cc")
    await store.claim_domains("acme", ["acme.example"])
    await store.client.delete(deployment_key("domain_owners"))
    await hub.found_again()
    assert await store.owner_of("acme.example") == "acme"
    await store.claim_domains("beta", ["beta.example"])
    await store.release_domains("acme", ["acme.example"])
    await hub.found_again()  # nothing is lost: what was given up is not taken again
    assert await store.owner_of("acme.example") is None


async def test_it_is_renewed_however_much_is_asked_for_meanwhile(
    hubs: Hubs, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy node has new customers and changes all the time; who has left is forgotten all the same."""
    monkeypatch.setattr("seatd.hub.license_memory.REFRESH_S", 0.3)
    hub = await hubs()
    await licensed(id="cc")
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    await remembers(hub, "cc")
    await ann.say(Bye())

    def forgotten() -> bool:
        hub.licenses.want("beta")
        hub.licenses.changed("beta")
        return "acme" not in hub.licenses._known

    await eventually(forgotten)

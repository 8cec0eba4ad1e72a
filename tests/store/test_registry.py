"""The registry: license keys in and out, assignments, and who holds what, page by page."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from seatd.store import registry
from seatd.store.access_values import Grant, TokenRecord
from seatd.store.redis import Store
from seatd.store.registry_values import Assigned, Imported
from seatd.store.values import StoreUnavailable
from seatd.store.verbs import StoreOptions
from tests.conftest import Clock
from tests.licenses import DOMAIN, FROM_MS, TILL_MS, Licensed, license_claim, license_key
from tests.store.contents import everything
from tests.store.office import Office, drawn, person

# -- import ---------------------------------------------------------------------------------------


async def test_an_import_shows_in_the_registry(store: Store, clock: Clock) -> None:
    profile = {"name": "Acme Ltd", "agency": "wholesale", "external_id": "X-1"}
    claim = license_claim("cc-1", limit=25, overdraft=2, name="order 7", tier="gold", policy={"a": {"b": 1}})
    assert await store.put_license(license_key(claim, profile=profile)) == Imported(
        status="imported", added=("cc-1",)
    )
    (row,) = await store.registry()
    assert (row.id, row.product, row.kind, row.limit, row.overdraft) == (
        "cc-1",
        "CALL_CENTER",
        "competitive",
        25,
        2,
    )
    assert (row.customer, row.customer_name, row.agency, row.external_id) == ("acme", *profile.values())
    assert (row.name, row.tier, row.domains, row.jti, row.iat) == (
        "order 7",
        "gold",
        (DOMAIN,),
        "key-1",
        1_700_000_000,
    )
    assert (row.valid_from_ms, row.valid_till_ms, row.created_ms) == (FROM_MS, TILL_MS, clock.now_ms)
    assert (row.used, row.online) == (0, 0)
    assert await store.customers() == ["acme"]


async def test_the_same_key_twice_is_one_import(store: Store) -> None:
    key = license_key(license_claim("cc-1"), license_claim("cc-2"))
    await store.put_license(key)
    before = await everything(store)
    assert await store.put_license(key) == Imported(status="already_imported")
    assert await everything(store) == before


async def test_a_newer_key_replaces_the_license_of_the_same_id(store: Store) -> None:
    await store.put_license(license_key(license_claim("cc-1", limit=5)))
    newer = license_key(license_claim("cc-1", limit=9), license_claim("cc-2"), jti="key-2", iat=1_700_000_001)
    assert await store.put_license(newer) == Imported(status="imported", added=("cc-2",), replaced=("cc-1",))
    assert [(row.id, row.limit) for row in await store.registry()] == [("cc-1", 9), ("cc-2", 5)]


async def test_an_older_key_is_refused_as_a_whole(store: Store) -> None:
    await store.put_license(license_key(license_claim("cc-1", limit=5)))
    before = await everything(store)
    older = license_key(
        license_claim("cc-1", limit=99), license_claim("cc-2"), jti="key-0", iat=1_600_000_000
    )
    assert await store.put_license(older) == Imported(status="older_key", faulty=("cc-1",))
    assert await everything(store) == before


async def test_another_customers_license_id_is_refused_as_a_whole(store: Store) -> None:
    await store.put_license(license_key(license_claim("cc-1")))
    before = await everything(store)
    foreign = license_key(license_claim("cc-1"), license_claim("cc-2"), customer="beta", jti="key-2")
    assert await store.put_license(foreign) == Imported(status="other_customer", faulty=("cc-1",))
    assert await everything(store) == before


async def test_a_dry_run_says_what_would_change_and_changes_nothing(store: Store) -> None:
    await store.put_license(license_key(license_claim("cc-1")))
    before = await everything(store)
    newer = license_key(license_claim("cc-1"), license_claim("cc-2"), jti="key-2", iat=1_700_000_001)
    assert await store.put_license(newer, dry_run=True) == Imported(
        status="imported", added=("cc-2",), replaced=("cc-1",)
    )
    assert await everything(store) == before


async def test_a_license_that_moves_to_another_domain_is_offered_there_only(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 5, id="cc")
    await licensed("CALL_CENTER", 5, id="cc", domains=("acme.test",))
    assert (await office.refused("alice", "CALL_CENTER")).code == "not_licensed"
    await office.open("bob", "CALL_CENTER", user=person("bob", "acme.test"))


async def test_a_license_that_becomes_another_product_is_offered_as_that(
    office: Office, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 5, id="x")
    await licensed("CALL_MANAGER", 5, id="x")
    assert (await office.refused("alice", "CALL_CENTER")).code == "not_licensed"
    await office.open("alice", "CALL_MANAGER")


async def test_the_text_of_a_key_is_kept_while_one_of_its_licenses_stands(store: Store) -> None:
    await store.put_license(license_key(license_claim("cc-1"), license_claim("cc-2")))
    newer = license_key(license_claim("cc-1"), jti="key-2", iat=1_700_000_001)
    await store.put_license(newer)
    assert await store.license_key("acme", "cc-1") == "text of key-2"
    assert await store.license_key("acme", "cc-2") == "text of key-1"
    assert await store.license_key("acme", "nothing") is None
    await store.drop_license("acme", "cc-2")
    assert await store.client.hkeys("seatd:{02}:c:acme:license_keys") == [b"key-2"]


# -- withdraw -------------------------------------------------------------------------------------


async def test_a_withdrawn_license_grants_nothing_more(
    office: Office, store: Store, licensed: Licensed
) -> None:
    cc = await licensed("CALL_CENTER", 5)
    session = await office.open("alice", "CALL_CENTER")
    assert await store.drop_license("acme", cc)
    assert (await office.refused("bob", "CALL_CENTER")).code == "not_licensed"
    (row,) = (await store.sessions(customer="acme")).items
    assert [seat.license for seat in row.seats] == [cc]
    assert row.seats[0].until_ms == 0
    assert await office.close(session)
    assert not await store.drop_license("acme", cc)


async def test_seats_on_a_license_that_comes_back_still_count(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 1, id="cc")
    await office.open("alice", "CALL_CENTER")
    await store.drop_license("acme", "cc")
    await licensed("CALL_CENTER", 1, id="cc")
    assert (await office.refused("bob", "CALL_CENTER")).used == 1


async def test_a_customer_without_licenses_is_still_a_customer(store: Store, licensed: Licensed) -> None:
    cc = await licensed("CALL_CENTER", 5)
    await store.drop_license("acme", cc)
    assert await store.customers() == ["acme"]
    left = {key.rpartition(b":")[2] for key in await everything(store) if b":c:" in key}
    assert left == {b"profile", b"account", b"domains"}


# -- assignments ----------------------------------------------------------------------------------


async def assign(store: Store, license: str, name: str, **how: str) -> Assigned:
    return await store.assign("acme", license, person(name), **{"domain": DOMAIN, **how})


async def test_assignments_are_counted_and_bounded(store: Store, licensed: Licensed) -> None:
    cc = await licensed("CALL_CENTER", 2, kind="nominal")
    assert await assign(store, cc, "alice") == Assigned(status="assigned", limit=2, used=1)
    assert await assign(store, cc, "alice") == Assigned(status="already", limit=2, used=1)
    assert await assign(store, cc, "bob") == Assigned(status="assigned", limit=2, used=2)
    assert await assign(store, cc, "carol") == Assigned(status="full", limit=2, used=2)
    assert await store.unassign("acme", cc, person("bob"))
    assert not await store.unassign("acme", cc, person("bob"))
    assert (await assign(store, cc, "carol")).status == "assigned"
    (row,) = await store.registry()
    assert (row.used, row.online) == (2, 0)


async def test_of_a_max_product_the_largest_license_bounds_all_assignments(
    store: Store, licensed: Licensed
) -> None:
    await licensed("EMAIL", 1, id="small", kind="nominal")
    await licensed("EMAIL", 2, id="large", kind="nominal")
    assert (await assign(store, "small", "alice", combine="max")).limit == 2
    assert (await assign(store, "large", "bob", combine="max")).used == 2
    assert await assign(store, "large", "carol", combine="max") == Assigned(status="full", limit=2, used=2)


async def test_what_cannot_be_assigned(store: Store, licensed: Licensed) -> None:
    floating = await licensed("CALL_CENTER", 2)
    named = await licensed("CALL_CENTER", 2, kind="nominal")
    assert (await assign(store, "nothing", "alice")).status == "unknown_license"
    assert (await assign(store, floating, "alice")).status == "not_nominal"
    assert (await assign(store, named, "alice", domain="other.example")).status == "wrong_domain"


async def test_taking_an_assignment_back_leaves_the_live_session_alone(
    office: Office, store: Store, licensed: Licensed
) -> None:
    cc = await licensed("CALL_CENTER", 2, kind="nominal")
    await assign(store, cc, "alice")
    await office.open("alice", "CALL_CENTER")
    await store.unassign("acme", cc, person("alice"))
    assert (await office.refused("alice", "CALL_CENTER", device="d2")).code == "not_assigned"
    (row,) = await store.registry()
    assert (row.used, row.online) == (0, 1)


async def test_withdrawing_a_license_takes_its_assignments_along(store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1, id="cc", kind="nominal")
    await assign(store, "cc", "alice")
    await store.drop_license("acme", "cc")
    await licensed("CALL_CENTER", 1, id="cc", kind="nominal")
    assert (await assign(store, "cc", "bob")).status == "assigned"


# -- who holds what -------------------------------------------------------------------------------


async def users(store: Store, license: str, **page: object) -> tuple[list[str], int]:
    found = await store.license_users("acme", license, **page)  # type: ignore[arg-type] # as the test says
    assert found
    return [row.user.partition("@")[0] for row in found.items], found.total


async def test_users_of_a_competitive_license_are_who_holds_a_seat(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 9, id="cc")
    await office.open("alice", "CALL_CENTER", device="d1")
    office.clock.pass_ms(5)
    await office.open("alice", "CALL_CENTER", device="d2")
    page = await store.license_users("acme", "cc")
    assert page
    (row,) = page.items
    assert (row.user, row.domain, row.online, row.sessions) == (person("alice"), DOMAIN, True, 2)
    assert (row.since_ms, row.assigned) == (office.clock.now_ms - 5, False)


async def test_users_of_a_nominal_license_are_who_has_it(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 9, id="cc", kind="nominal")
    for name in ("alice", "bob"):
        await assign(store, "cc", name)
    await office.open("alice", "CALL_CENTER")
    page = await store.license_users("acme", "cc")
    assert page
    assert [(row.user, row.assigned, row.online, row.since_ms is None) for row in page.items] == [
        (person("alice"), True, True, False),
        (person("bob"), True, False, True),
    ]


async def test_who_was_forced_out_is_not_online(office: Office, store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 9, id="cc")
    await office.open("alice", "CALL_CENTER")
    await office.kick(user=person("alice"))
    page = await store.license_users("acme", "cc")
    assert page
    assert [(row.online, row.sessions) for row in page.items] == [(False, 0)]


async def test_users_come_in_pages(office: Office, store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 9, id="cc")
    for name in ("erin", "bob", "dave", "alice", "carol"):
        await office.open(name, "CALL_CENTER")
    assert await users(store, "cc", offset=0, size=2) == (["alice", "bob"], 5)
    assert await users(store, "cc", offset=4, size=2) == (["erin"], 5)
    assert await users(store, "cc", offset=9, size=2) == ([], 5)


async def test_users_can_be_searched(
    office: Office, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MEMBERS_AT_ONCE", 2)
    await licensed("CALL_CENTER", 9, id="cc")
    for name in ("Anna", "hannah", "bob", "johanna", "carol"):
        await office.open(name, "CALL_CENTER")
    assert await users(store, "cc", search="ANNA") == (["Anna", "hannah", "johanna"], 3)
    assert await users(store, "cc", search="anna", offset=1, size=1) == (["hannah"], 3)
    assert await users(store, "cc", search="nobody") == ([], 0)


async def test_users_of_a_nominal_license_and_of_devices_can_be_searched(
    office: Office, store: Store, licensed: Licensed
) -> None:
    await licensed("MOBILE", 9, id="m", kind="nominal")
    await licensed("VOIP_DEVICE", 9, id="v")
    for name in ("anna", "bob"):
        assert (await store.assign("acme", "m", person(name), domain=DOMAIN)).status == "assigned"
    await office.open("anna", "VOIP_DEVICE", kind="ip_phone", device="x/bob@y")
    assert await users(store, "m", search="ann") == (["anna"], 1)
    assert await users(store, "m", domains={DOMAIN}) == (["anna", "bob"], 2)
    assert await users(store, "m", domains={"else.example"}) == ([], 0)
    assert await users(store, "v", search="ann") == (["anna"], 1)
    assert await users(store, "v", search="bob") == ([], 0)  # the device's name is not the user's


async def test_users_of_an_unknown_license(store: Store) -> None:
    assert await store.license_users("acme", "nothing") is None
    assert await store.license_users("acme", "nothing", search="x") is None


async def test_sessions_come_by_customer_and_user_in_pages(
    office: Office, store: Store, licensed: Licensed, clock: Clock
) -> None:
    other = Office(store, clock, "beta", "beta.example")
    await other.join("n1~1")
    await office.join("n1~1")
    await licensed("CALL_CENTER", 9)
    await licensed("CALL_CENTER", 9, customer="beta", domains=("beta.example",))
    for name in ("bob", "alice"):
        await office.open(name, "CALL_CENTER", session=f"{name}-1", node="n1~1")
        await other.open(name, "CALL_CENTER", session=f"{name}-2", node="n1~1")

    async def page(**what: object) -> tuple[list[str], int]:
        found = await store.sessions(**what)  # type: ignore[arg-type] # as the test says
        return [row.session for row in found.items], found.total

    assert await page() == (["alice-1", "bob-1", "alice-2", "bob-2"], 4)
    assert await page(offset=1, size=2) == (["bob-1", "alice-2"], 4)
    assert await page(offset=3, size=2) == (["bob-2"], 4)
    assert await page(customer="beta") == (["alice-2", "bob-2"], 2)
    assert await page(user=person("alice")) == (["alice-1"], 1)
    assert await page(customer="nobody") == ([], 0)


async def test_a_session_can_be_looked_up(office: Office, store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 9, id="cc")
    await office.join("desk~7f")
    opened = await office.open("alice", "CALL_CENTER", node="desk~7f")
    row = await store.session(opened.session)
    assert row
    assert (row.customer, row.user, row.domain, row.state) == ("acme", person("alice"), DOMAIN, "attached")
    assert (row.node, row.since_ms, row.until_ms) == ("desk", office.clock.now_ms, None)
    assert row.seats == opened.seats
    assert await store.session("nobody's") is None


async def test_the_registry_counts_every_customer(
    office: Office, store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed("CALL_CENTER", 9, id="ours")
    await licensed("CALL_CENTER", 9, id="theirs", customer="beta")
    await office.open("alice", "CALL_CENTER")
    assert [(row.id, row.used, row.online) for row in await store.registry()] == [
        ("ours", 1, 1),
        ("theirs", 0, 0),
    ]
    assert drawn(await office.open("alice", "CALL_CENTER", device="d2")) == [("CALL_CENTER", "ours")]


# -- tokens ---------------------------------------------------------------------------------------


async def test_api_tokens_are_known_by_their_hash(store: Store) -> None:
    record = TokenRecord(name="ci", grant=Grant(role="auditor"), created_ms=1)
    await store.register_token("a hash", record)
    assert await store.token("a hash") == record
    assert await store.token("another") is None


# -- trouble --------------------------------------------------------------------------------------


async def test_an_engine_that_refuses_writes_is_unavailable(spare_client: Redis) -> None:
    store = Store(spare_client, StoreOptions(partitions=4), checked=True)
    record = TokenRecord(name="ci", grant=Grant(role="auditor"), created_ms=1)
    await spare_client.config_set("min-replicas-to-write", "1")
    with pytest.raises(StoreUnavailable, match="NOREPLICAS"):
        await store.register_token("a hash", record)
    with pytest.raises(StoreUnavailable, match="NOREPLICAS"):
        await store.put_license(license_key(license_claim()))
    await spare_client.config_set("min-replicas-to-write", "0")
    assert await store.token("a hash") is None
    assert await store.registry() == []

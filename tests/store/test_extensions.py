"""Extensions: all of them or none, what was bought is the bound, and users get the nominal licenses that they need."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seatd.licensing.catalog import Catalog
from seatd.licensing.extensions import Extension
from seatd.store.audit_values import SYSTEM, Change, Deed, first_broken
from seatd.store.extensions import MOST_FAULTS, Faults, Provisioned
from seatd.store.redis import Store
from seatd.store.values import Denied, Gone, Granted, Queued
from tests.licenses import Licensed
from tests.store.office import Office, person

CATALOG = Catalog.load()
DEED = Deed(by=SYSTEM, action="test")
BLOCK = {"first": "200", "last": "299"}


@pytest.fixture
async def site(store: Store, licensed: Licensed) -> Store:
    """A customer with ten base licenses, three of each of two add-ons, and the block 200 to 299."""
    await licensed("phone_system", 10, id="base")
    await licensed("device_mobile_app", 2, id="mobile-1", kind="nominal")
    await licensed("device_mobile_app", 1, id="mobile-2", kind="nominal")
    await licensed("call_recording", 3, id="recording", kind="nominal")

    async def decide() -> list[Change]:
        return [Change(place="account", field="number_blocks", after=[BLOCK])]

    await store.amend("acme", DEED, decide, creates=True)
    return store


def extension(digits: str, user: str = "", *add_ons: str) -> Extension:
    return Extension(extension=digits, user=person(user) if user else "", add_ons=add_ons)


async def provision(store: Store, *new: Extension) -> Faults:
    return await store.provision("acme", new, CATALOG, DEED)


async def assigned(store: Store, name: str) -> list[str]:
    """Ids of the nominal licenses that somebody has."""
    found = []
    for license_ in ("mobile-1", "mobile-2", "recording"):
        page = await store.license_users("acme", license_)
        assert page
        found += [license_ for row in page.items if row.user == person(name)]
    return found


async def test_consecutive_extensions(site: Store) -> None:
    assert await provision(site, *(extension(str(number)) for number in range(200, 210))) == []
    assert list(await site.extensions("acme")) == [str(number) for number in range(200, 210)]


async def test_all_or_none(site: Store) -> None:
    ((place, wrong),) = await provision(site, extension("200"), extension("201"), extension("300"))
    assert (place, wrong.field) == (2, "extension")
    assert await site.extensions("acme") == {}


async def test_what_was_bought_is_the_bound(site: Store) -> None:
    assert await provision(site, *(extension(str(number)) for number in range(200, 208))) == []
    faults = await provision(site, *(extension(str(number)) for number in range(210, 214)))
    assert [(place, wrong.field) for place, wrong in faults] == [(2, "extension"), (3, "extension")]
    ((place, wrong),) = await provision(
        site, extension("220", "", "device_mobile_app", *["call_recording"], "team_chat")
    )
    assert (place, wrong.field) == (0, "add_ons[2]")
    assert "all 0 licenses of team_chat" in wrong.message


async def test_only_the_first_faults_are_told(site: Store) -> None:
    new = [extension(str(number), "", *["team_chat"] * 100) for number in range(200, 230)]
    assert len(await provision(site, *new)) == MOST_FAULTS
    assert len(await site.check_extensions("acme", new, CATALOG)) == MOST_FAULTS


async def test_one_extension(site: Store) -> None:
    await provision(site, extension("200", "ann"), extension("201"))
    found = await site.extension("acme", "200")
    assert found == (await site.extensions("acme"))["200"]
    assert await site.extension("acme", "202") is None


async def test_the_user_is_given_the_nominal_licenses(site: Store) -> None:
    devices = ("device_mobile_app", "device_mobile_app", "call_recording")
    assert await provision(site, extension("200", "ann", *devices)) == []
    assert await assigned(site, "ann") == ["mobile-1", "mobile-2", "recording"]
    assert (await site.extensions("acme"))["200"].assigned == ("mobile-1", "mobile-2", "recording")


async def test_another_user_takes_them_over(site: Store) -> None:
    await provision(site, extension("200", "ann", "device_mobile_app", "call_recording"))
    change: dict[str, Any] = {"user": person("bob")}
    assert isinstance(await site.change_extension("acme", "200", change, CATALOG, DEED), Provisioned)
    assert await assigned(site, "ann") == []
    assert await assigned(site, "bob") == ["mobile-1", "recording"]
    assert isinstance(await site.change_extension("acme", "200", {"user": ""}, CATALOG, DEED), Provisioned)
    assert await assigned(site, "bob") == []


async def test_other_add_ons(site: Store) -> None:
    await provision(site, extension("200", "ann", "device_mobile_app"))
    change = {"add_ons": ("call_recording",)}
    assert isinstance(await site.change_extension("acme", "200", change, CATALOG, DEED), Provisioned)
    assert await assigned(site, "ann") == ["recording"]
    faults = await site.change_extension("acme", "200", {"add_ons": ("team_chat",)}, CATALOG, DEED)
    assert faults
    assert await assigned(site, "ann") == ["recording"]
    assert await site.change_extension("acme", "299", change, CATALOG, DEED) is None


async def test_what_an_administrator_has_assigned_stays(site: Store) -> None:
    await site.assign("acme", "recording", person("ann"), domain="acme.example")
    await provision(site, extension("200", "ann", "call_recording"))
    assert (await site.extensions("acme"))["200"].assigned == ()
    assert await site.remove_extension("acme", "200", DEED)
    assert await assigned(site, "ann") == ["recording"]
    assert not await site.remove_extension("acme", "200", DEED)


async def test_what_an_administrator_took_back_is_not_counted_again(site: Store) -> None:
    for name in ("bob", "carl", "dora"):
        await site.assign("acme", "recording", person(name), domain="acme.example")
    await site.unassign("acme", "recording", person("dora"), deed=DEED)
    await provision(site, extension("200", "ann", "call_recording"))
    assert await site.unassign("acme", "recording", person("ann"), deed=DEED)
    assert not await site.unassign("acme", "recording", person("ann"), deed=DEED)
    assert (await site.extensions("acme"))["200"].assigned == ()
    await site.assign("acme", "recording", person("dora"), domain="acme.example")
    assert isinstance(
        await site.change_extension("acme", "200", {"user": person("eve")}, CATALOG, DEED), Provisioned
    )
    assert await assigned(site, "eve") == []


async def test_a_record_of_what_is_gone_makes_no_room(site: Store) -> None:
    for name in ("bob", "carl"):
        await site.assign("acme", "recording", person(name), domain="acme.example")
    await provision(site, extension("200", "ann", "call_recording"))
    await site.unassign("acme", "recording", person("ann"))
    await site.assign("acme", "recording", person("dora"), domain="acme.example")
    assert isinstance(
        await site.change_extension("acme", "200", {"user": person("eve")}, CATALOG, DEED), Provisioned
    )
    assert await assigned(site, "eve") == []
    *_, last = [recorded.entry() async for recorded in site.audit_trail("acme")]
    assert [change.field for change in last.changes] == ["200", person("ann"), person("eve")]


async def test_what_was_given_again_by_hand_stays(site: Store) -> None:
    await provision(site, extension("200", "ann", "call_recording"))
    await site.unassign("acme", "recording", person("ann"), deed=DEED)
    await site.assign("acme", "recording", person("ann"), domain="acme.example")
    assert await site.remove_extension("acme", "200", DEED)
    assert await assigned(site, "ann") == ["recording"]


async def test_a_user_has_one_extension_and_is_of_the_customer(site: Store) -> None:
    await provision(site, extension("200", "ann"))
    faults = await provision(
        site,
        extension("201", "ann"),
        Extension(extension="202", user="eve@elsewhere.example"),
        extension("203", "bob"),
        extension("204", "bob"),
        extension("203"),
    )
    assert [(place, wrong.field) for place, wrong in faults] == [
        (0, "user"), (1, "user"), (3, "user"), (4, "extension"),
    ]  # fmt: skip


async def test_two_administrators_at_once_get_no_more_than_was_bought(site: Store) -> None:
    asked = [
        provision(site, *(extension(str(number)) for number in range(start, start + 4)))
        for start in (200, 210, 220, 230)
    ]
    answers = await asyncio.gather(*asked)
    assert len(await site.extensions("acme")) == 8
    assert sum(not faults for faults in answers) == 2
    trail = [recorded async for recorded in site.audit_trail("acme")]
    assert first_broken(trail) is None


async def test_what_has_changed_is_in_the_trail(site: Store) -> None:
    await provision(site, extension("200", "ann", "call_recording"))
    *_, last = [recorded.entry() async for recorded in site.audit_trail("acme")]
    assert [(change.place, change.field) for change in last.changes] == [
        ("extensions", "200"),
        ("assignments", f"recording {person('ann')}"),
        ("users", person("ann")),
    ]


async def test_as_many_devices_as_the_extension_has_add_ons(office: Office, site: Store) -> None:
    await provision(site, extension("200", "ann", "device_mobile_app", "device_mobile_app"))

    async def asks(name: str, device: str, kind: str = "mobile") -> Granted | Queued | Denied | Gone:
        return await office.ask(name, "phone_system", device=device, kind=kind)

    assert isinstance(await asks("ann", "m1"), Granted)
    assert isinstance(await asks("ann", "m2"), Granted)
    denied = await asks("ann", "m3")
    assert isinstance(denied, Denied)
    assert (denied.code, denied.product, denied.limit) == ("no_seat", "device_mobile_app", 2)
    assert isinstance(
        await site.change_extension("acme", "200", {"add_ons": ("call_recording",)}, CATALOG, DEED),
        Provisioned,
    )
    denied = await asks("ann", "m4")
    assert isinstance(denied, Denied)
    assert (denied.code, denied.product) == ("not_assigned", "device_mobile_app")


async def test_who_has_no_extension_is_bound_by_the_catalog_alone(office: Office, site: Store) -> None:
    await site.assign("acme", "mobile-1", person("bob"), domain="acme.example")
    assert isinstance(await office.ask("bob", "phone_system", device="m1", kind="mobile"), Granted)

"""What a device is: the same one again replaces itself, several of one user share a seat, some products count each."""

from __future__ import annotations

import pytest

from seatd_protocol.messages import DeviceKind
from tests.scenarios.client import Closed
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair


@pytest.mark.parametrize("node", [0, 1], ids=["same node", "other node"])
async def test_the_same_device_again_replaces_its_older_session(
    pair: Pair, company: Company, node: int
) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    first = await company.sign_in(pair.a, "ann", "CALL_CENTER", device="laptop")
    second = await company.sign_in(pair[node], "ann", "CALL_CENTER", device="laptop")
    assert await first.recv() == Closed(4301, "replaced")
    assert not second.welcome.resumed
    assert second.welcome.session != first.welcome.session
    assert await company.used() == 1
    await second.bye()
    assert (await company.used(), await company.sessions()) == (0, [])


async def test_the_same_device_again_replaces_a_session_without_socket(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    lost = await company.sign_in(pair.a, "ann", "CALL_CENTER", device="laptop")
    lost.drop()
    second = await company.sign_in(pair.b, "ann", "CALL_CENTER", device="laptop")
    assert not second.welcome.resumed
    await second.bye()
    assert (await company.used(), await company.sessions()) == (0, [])
    assert (await company.sign_in(pair.a, "bob", "CALL_CENTER")).seats


async def test_the_same_device_id_of_another_user_is_another_device(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    ann = await company.sign_in(pair.a, "ann", "CALL_CENTER", device="shared desk")
    await company.sign_in(pair.a, "bob", "CALL_CENTER", device="shared desk")
    assert ann.heard_nothing()
    assert await company.used() == 2


async def test_three_devices_of_one_user_are_one_seat(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    kinds: tuple[DeviceKind, ...] = ("desktop", "mobile", "web_phone")
    devices = [
        await company.sign_in(node, "ann", "CALL_CENTER", kind=kind, device=kind)
        for node, kind in zip((*pair, pair.a), kinds, strict=True)
    ]
    assert {seat.holder for client in devices for seat in client.seats} == {company.user("ann")}
    assert await company.used() == 1
    (row,) = await company.rows()
    users = await pair.b.call("GET", f"/api/v1/licenses/{row['id']}/users")
    assert [(user["user"], user["sessions"]) for user in users["items"]] == [(company.user("ann"), 3)]
    for client in devices[:2]:
        await client.bye()
        assert await company.used() == 1
    await devices[2].bye()
    assert await company.used() == 0


async def test_a_product_that_counts_devices_takes_a_seat_for_each(pair: Pair, company: Company) -> None:
    await company.licensed("VOIP_DEVICE:competitive:2")
    phones = [
        await company.sign_in(node, "ann", "VOIP_DEVICE", kind="ip_phone", device=node.name) for node in pair
    ]
    assert [client.seats[0].holder for client in phones] == [
        f"{company.user('ann')}/a",
        f"{company.user('ann')}/b",
    ]
    assert await company.used("VOIP_DEVICE") == 2
    third = await company.sign_in(pair.a, "ann", "VOIP_DEVICE", kind="ip_phone", device="c")
    assert (third.denied.code, third.denied.used) == ("no_seat", 2)
    assert len(third.denied.holders) == 2


@pytest.mark.parametrize("kind", ["desktop", "web_phone", "mobile"])
async def test_a_product_of_another_device_kind(pair: Pair, company: Company, kind: DeviceKind) -> None:
    await company.licensed("VOIP_DEVICE:competitive:2")
    client = await company.sign_in(pair.a, "ann", "VOIP_DEVICE", kind=kind)
    assert (client.denied.code, client.denied.product) == ("device_not_allowed", "VOIP_DEVICE")


async def test_a_token_may_name_the_device_kinds(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:2")
    token = company.token("ann", device=["mobile"])
    refused = await company.sign_in(pair.a, "ann", "CALL_CENTER", token=token, kind="desktop")
    assert refused.denied.code == "device_not_allowed"
    assert (await company.sign_in(pair.a, "ann", "CALL_CENTER", token=token, kind="mobile")).seats


async def test_a_resume_keeps_the_device_it_was_opened_on(pair: Pair, company: Company) -> None:
    """Whatever a resuming client now calls itself: the session's seats are counted against the device it is of."""
    await company.licensed("VOIP_DEVICE:competitive:2")
    phone = await company.sign_in(pair.a, "ann", "VOIP_DEVICE", kind="ip_phone", device="desk")
    phone.drop()
    back = await company.sign_in(
        pair.b, "ann", "VOIP_DEVICE", kind="ip_phone", device="new name", resume=phone.resume
    )
    assert back.welcome.resumed
    assert [seat.holder for seat in back.seats] == [f"{company.user('ann')}/desk"]
    (row,) = await company.sessions()
    assert row["device"]["id"] == "desk"


async def test_a_user_has_only_so_many_sessions(pair: Pair, company: Company) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    for number in range(20):
        assert (await company.sign_in(pair.a, "ann", "CALL_CENTER", device=f"d{number}")).seats
    client = await company.sign_in(pair.b, "ann", "CALL_CENTER", device="one more")
    assert (client.denied.code, client.denied.limit, client.denied.used) == ("device_not_allowed", 20, 20)
    assert (await company.sign_in(pair.b, "ann", "CALL_CENTER", device="d3")).seats

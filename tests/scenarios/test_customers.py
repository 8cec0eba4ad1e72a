"""Customers and their agencies, as administrators live with them: suspended, cancelled, several orders, permissions.

Beside `test_administration.py`: over HTTP only, on two nodes, with real clients.
"""

from __future__ import annotations

from tests.scenarios.administrator import Administrator, people, seats_in_use
from tests.scenarios.company import Company


async def test_a_suspended_customer_keeps_what_it_has_and_gets_nothing_new(
    company: Company, root: Administrator
) -> None:
    await company.licensed("CALL_CENTER:competitive:5", "CHAT:nominal:2")
    ann = (await people(company, "ann"))["ann"]
    assert (await root.call("POST", f"/customers/{company.name}/suspend"))["status"] == "suspended"
    for node in company.nodes:
        assert (await company.sign_in(node, "bob", "CALL_CENTER")).denied.code == "suspended"
    gateway = f"/domains/{company.domain}/resources/CHAT/r1"
    assert await root.refused("PUT", gateway, status=409) == "customer_suspended"
    assert ann.heard_nothing()
    assert await seats_in_use(company) == 1
    assert (await root.call("POST", f"/customers/{company.name}/resume"))["status"] == "active"
    await people(company, "bob")
    assert await seats_in_use(company) == 2


async def test_a_cancellation_is_taken_back(company: Company, root: Administrator) -> None:
    await company.licensed("CALL_CENTER:competitive:5")
    ended = await root.call("POST", f"/customers/{company.name}/cancel")
    assert ended["status"] == "pending_deletion"
    assert ended["delete_at"].endswith("-01T00:00:00Z")
    await people(company, "ann")  # it works as normal until then
    assert await seats_in_use(company) == 1
    found = await root.get(f"/customers?status=pending_deletion&search={company.name}")
    assert [item["id"] for item in found["items"]] == [company.name]
    back = await root.call("POST", f"/customers/{company.name}/reinstate")
    assert (back["status"], back["delete_at"]) == ("active", None)
    assert await seats_in_use(company) == 1


async def test_several_orders_are_one_total(company: Company, root: Administrator) -> None:
    await company.licensed("CALL_CENTER:competitive:1")
    await company.licensed("CALL_CENTER:competitive:2", "EMAIL:nominal:4")
    await company.licensed("EMAIL:nominal:10")
    await people(company, "ann", "bob", "cid")
    refused = await company.sign_in(company.nodes[1], "dan", "CALL_CENTER")
    assert refused.denied.code == "no_seat"
    totals = (await root.get(f"/customers/{company.name}"))["products"]
    assert {total["product"]: (total["licenses"], total["limit"], total["used"]) for total in totals} == {
        "CALL_CENTER": (2, 3, 3),  # the sum
        "EMAIL": (2, 10, 0),  # the largest
    }
    assert await seats_in_use(company) == 3


async def test_an_agency_may_do_what_the_customer_permits(company: Company, root: Administrator) -> None:
    await company.licensed("CALL_CENTER:competitive:5")
    (license_,) = [row["id"] for row in await company.rows()]
    await people(company, "ann")
    agency = f"agency-{company.name}"
    await root.call("POST", "/agencies", {"id": agency, "name": "Wholesale"})
    await root.call("PUT", f"/customers/{company.name}/agency", {"agency": agency})
    owner = await root.given("owner", customers=[company.name])
    partner = await root.given("agency", agency=agency)

    async def permit(*permissions: str) -> None:
        await owner.call("PUT", f"/customers/{company.name}/permissions", {"permissions": permissions})

    await permit()
    assert (await partner.get("/customers"))["items"] == []
    assert await partner.refused("GET", f"/licenses/{license_}", status=404) == "unknown_license"
    await permit("see")
    assert (await partner.get(f"/licenses/{license_}"))["used"] == 1
    assert await partner.refused("GET", f"/licenses/{license_}/users", status=404) == "unknown_license"
    everybody = {"customer": company.name}
    assert await partner.refused("POST", "/logout", everybody, status=404) == "unknown_customer"
    await permit("see", "people", "logout")
    assert (await partner.get(f"/licenses/{license_}/users"))["total"] == 1
    assert await partner.logout(**everybody) == {company.user("ann"): "acknowledged"}
    assert await seats_in_use(company) == 0

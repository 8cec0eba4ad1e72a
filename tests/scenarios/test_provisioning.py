"""Provisioning as administrators live it: over HTTP only, on two nodes, with a real phone that signs in afterwards."""

from __future__ import annotations

import aiohttp

from seatd_protocol.messages import Denied, Welcome
from tests.scenarios.administrator import Administrator
from tests.scenarios.company import Company


async def test_from_number_blocks_to_a_phone_that_signs_in(company: Company, root: Administrator) -> None:
    await company.licensed("phone_system:competitive:4", "device_desktop_app:nominal:2")
    at = f"/customers/{company.name}"
    provision = {"start": "200", "count": 2, "add_ons": ["device_desktop_app"]}
    assert await root.refused("POST", f"{at}/provision", provision, status=422) == "cannot_provision"
    await root.call("PATCH", at, {"number_blocks": [{"first": "200", "last": "299"}]})
    assert (await root.call("POST", f"{at}/provision", provision))["extensions"] == ["200", "201"]
    again = {"start": "202", "add_ons": ["device_desktop_app"]}
    assert await root.refused("POST", f"{at}/provision", again, status=422) == "cannot_provision"
    given = await root.call("PATCH", f"{at}/extensions/200", {"user": company.user("ann")})
    assert (given["user"], len(given["assigned"])) == (company.user("ann"), 1)
    phone = await company.sign_in(company.nodes[1], "ann", "phone_system")
    assert isinstance(phone.first, Welcome)
    assert {seat.product for seat in phone.first.seats} == {"phone_system", "device_desktop_app"}
    second = await company.sign_in(company.nodes[0], "ann", "phone_system", device="another")
    assert isinstance(second.first, Denied)
    assert (second.first.code, second.first.product) == ("no_seat", "device_desktop_app")
    trail = await root.get(f"/audit?customer={company.name}&action=provisioning.change")
    assert trail["items"][0]["target"] == "200"


async def test_a_file_is_all_or_nothing(company: Company, root: Administrator) -> None:
    await company.licensed("phone_system:competitive:3")
    at = f"/customers/{company.name}"
    await root.call("PATCH", at, {"number_blocks": [{"first": "200", "last": "299"}]})
    template = await root.get(f"{at}/provision/template.csv")
    header = template.splitlines()[0]
    for rows, status, there in (
        ("201\n999\n", 422, []),
        (f"201,,{company.user('ann')}\n202\n", 200, ["201", "202"]),
        ("203\n204\n", 422, ["201", "202"]),
    ):
        assert await upload(root, f"{at}/provision/bulk", f"{header}\n{rows}") == status
        found = (await root.get(f"{at}/extensions"))["items"]
        assert [row["extension"] for row in found] == there


async def upload(root: Administrator, path: str, text: str) -> int:
    """The status of an uploaded file."""
    headers = {"Authorization": f"Bearer {root.token}", "Content-Type": "text/csv"}
    address = f"http://{root.node.admin}/api/v1{path}"
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(address, data=text.encode()) as answer,
    ):
        return answer.status

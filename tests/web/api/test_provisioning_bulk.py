"""Files of extensions whose making is disturbed: by others, by the store, by whoever goes away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd.web.api import provisioning_bulk
from seatd.web.api.downloads import Download
from tests.web.api import test_provisioning as single
from tests.web.api.test_provisioning import PATH, listed, made, upload
from tests.web.conftest import Site

site = single.site


async def many(site: Site) -> str:
    """A file of 600 extensions, for a customer that may have them."""
    await site.imported({"id": "many", "product": "phone_system", "limit": 600}, jti="key-2")
    await site.call("PATCH", PATH, json={"number_blocks": [{"first": "1000", "last": "9999"}]})
    return "Ext key\n" + "".join(f"{number}\n" for number in range(1000, 1600))


@pytest.mark.parametrize("is_away", [False, True])
async def test_all_is_taken_back_but_for_what_others_have_changed(
    site: Site, is_away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, provision = await many(site), Store.provision

    async def late(self: Store, customer: str, new: Any, *args: Any, **options: Any) -> Any:
        if new[0].extension == "1500":
            monkeypatch.setattr(Store, "provision", provision)
            await site.call("PATCH", f"{PATH}/extensions/1001", json={"number": "+43 1"})
            await made(site, "1550")
            if is_away:
                raise StoreUnavailable("for a moment")
        return await provision(self, customer, new, *args, **options)

    monkeypatch.setattr(Store, "provision", late)
    status, answer = await upload(site, text)
    assert status == (503 if is_away else 422)
    if not is_away:
        assert [error["path"] for error in answer["errors"]] == ["1001", "row 552, Ext key"]
    assert await listed(site) == ["1001", "1550"]


async def test_who_goes_away_stops_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    text = await many(site)

    async def send(self: Download, request: Any) -> Any:
        async for piece in self.pieces:
            if b'"made"' in piece:
                raise web.HTTPBadRequest

    monkeypatch.setattr(Download, "send", send)
    await upload(site, text, "?progress=true")
    await asyncio.gather(*provisioning_bulk._running)
    status, answer = await site.call("GET", f"{PATH}/extensions?size=1")
    assert (status, answer["total"]) == (200, 600)

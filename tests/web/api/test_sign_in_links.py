"""Links that sign in once."""

from __future__ import annotations

import asyncio

from seatd.web.api.sign_in_links import GOOD_FOR_MS
from seatd.web.session_cookie import digest_of
from tests.conftest import Clock
from tests.web.conftest import NOW_MS, Site
from tests.web.people import PASSWORD, TOTP, Browser, administrator, code_now, sign_in

NEW = "another good pass phrase"


async def link_for(site: Site, name: str) -> str:
    status, view = await site.call("POST", "/api/v1/sign-in-links", json={"name": name})
    assert (status, view["path"]) == (200, f"/console/sign-in#{view['link']}")
    return str(view["link"])


async def test_a_link_signs_in_once(site: Site) -> None:
    await administrator(site, "root", password_hash="")
    link = await link_for(site, "root")
    answers = await asyncio.gather(*(sign_in(site, link=link) for _ in range(5)))
    assert [status for status, _, _ in answers].count(200) == 1
    secret = next(secret for _, _, secret in answers if secret)
    browser = Browser(site, secret)
    assert (await browser.call("PUT", "profile/password", json={"new": NEW}))[0] == 200
    assert (await browser.call("PUT", "profile/password", json={"new": PASSWORD}))[0] == 403


async def test_a_link_is_over_after_ten_minutes_or_when_something_has_changed(
    site: Site, clock: Clock
) -> None:
    await administrator(site, "root")
    await administrator(site, "ann")
    late, changed, gone = [await link_for(site, "ann") for _ in range(3)]
    clock.pass_ms(GOOD_FOR_MS)
    assert (await sign_in(site, link=late))[1]["code"] == "sign_in_refused"
    changed = await link_for(site, "ann")
    await site.call("PATCH", "/api/v1/administrators/ann", json={"password": NEW})
    assert (await sign_in(site, link=changed))[0] == 401
    gone = await link_for(site, "ann")
    await site.call("DELETE", "/api/v1/administrators/ann")
    assert (await sign_in(site, link=gone))[0] == 401
    assert (await sign_in(site, link="A" * 43))[0] == 401


async def test_a_link_does_not_replace_the_one_time_code(site: Site) -> None:
    await administrator(site, "root", totp_secret=TOTP)
    link = await link_for(site, "root")
    assert (await sign_in(site, link=link))[0] == 401
    assert (await sign_in(site, link=link, code=code_now(now_ms=NOW_MS)))[0] == 200


async def test_links_leave_a_trail_and_are_stored_by_their_hash(site: Site) -> None:
    await administrator(site, "root")
    link = await link_for(site, "root")
    trail = [recorded async for recorded in site.services.store.audit_trail(None)]
    assert (trail[-1].entry().action, trail[-1].entry().target) == ("administrator.link", "root")
    assert digest_of(link) not in str(trail)
    assert link not in str(await site.services.store.client.hgetall("seatd:{all}:sign_in_links"))


async def test_a_link_for_a_disabled_administrator(site: Site) -> None:
    await administrator(site, "ann", disabled=True)
    status, answer = await site.call("POST", "/api/v1/sign-in-links", json={"name": "ann"})
    assert (status, answer["code"]) == (404, "unknown_administrator")

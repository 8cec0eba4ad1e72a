"""One-time codes: set up in two steps, required where somebody says so."""

from __future__ import annotations

import pytest

from seatd.web.console import ConsoleOptions
from seatd.web.totp import STEP_S, code_at
from tests.web.conftest import NOW_MS, Site
from tests.web.people import PASSWORD, TOTP, Browser, administrator, code_now, sign_in, signed_in

STEP = NOW_MS // 1000 // STEP_S


async def begun(browser: Browser) -> str:
    status, view = await browser.call("POST", "profile/totp", json={"password": PASSWORD})
    assert (status, view["uri"].startswith("otpauth://totp/")) == (200, True)
    return str(view["secret"])


async def test_setting_up(site: Site) -> None:
    root = await administrator(site, "root")
    browser, other = await signed_in(site, root), await signed_in(site, root)
    secret = await begun(browser)
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 200
    assert (await browser.call("PUT", "profile/totp", json={"code": "000000"}))[1]["code"] == "wrong_code"
    before = browser.secret
    status, view = await browser.call("PUT", "profile/totp", json={"code": code_at(secret, STEP)})
    assert (status, view["totp"]) == (200, True)
    assert browser.secret != before
    assert (await other.call("GET", "profile/sessions"))[0] == 401
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 401
    again = code_at(secret, STEP)
    assert (await sign_in(site, name="root", password=PASSWORD, code=again))[0] == 401
    fresh = code_at(secret, STEP + 1)
    assert (await sign_in(site, name="root", password=PASSWORD, code=fresh))[0] == 200


async def test_a_stolen_session_sets_up_none(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root"))
    status, answer = await browser.call("POST", "profile/totp", json={"password": "wrong"})
    assert (status, answer["code"]) == (403, "wrong_password")
    assert (await browser.call("PUT", "profile/totp", json={"code": code_now()}))[1]["code"] == "wrong_code"


async def test_who_has_codes_proves_one_before_a_new_secret(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root", totp_secret=TOTP))
    for code in ("", "000000"):
        status, answer = await browser.call("POST", "profile/totp", json={"password": PASSWORD, "code": code})
        assert (status, answer["code"]) == (403, "wrong_code")
    body = {"password": PASSWORD, "code": code_now()}
    status, view = await browser.call("POST", "profile/totp", json=body)
    assert status == 200
    code = code_at(view["secret"], STEP + 1)
    assert (await browser.call("PUT", "profile/totp", json={"code": code}))[0] == 200


async def test_doing_without(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root", totp_secret=TOTP))
    assert (await browser.call("DELETE", "profile/totp", json={"code": "000000"}))[1]["code"] == "wrong_code"
    status, view = await browser.call("DELETE", "profile/totp", json={"code": code_now()})
    assert (status, view["totp"]) == (200, False)
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 200


async def test_codes_cannot_be_guessed(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root", totp_secret=TOTP))
    codes = [
        (await browser.call("DELETE", "profile/totp", json={"code": f"{n:06}"}))[1]["code"] for n in range(6)
    ]
    assert codes == ["wrong_code"] * 5 + ["too_many_attempts"]


async def held_up(site: Site, browser: Browser) -> None:
    """Until the code is set up, there is nothing else to do."""
    _, view = await browser.call("GET", "profile")
    assert view["totp_needed"] is True
    for method, path in (("GET", "licenses"), ("GET", "administrators"), ("DELETE", "tokens/x")):
        status, answer = await browser.call(method, path)
        assert (status, answer["code"]) == (403, "totp_needed")
    secret = await begun(browser)
    await browser.call("PUT", "profile/totp", json={"code": code_at(secret, STEP)})
    assert (await browser.call("GET", "licenses"))[0] == 200
    status, answer = await browser.call("DELETE", "profile/totp", json={"code": code_at(secret, STEP + 1)})
    assert (status, answer["code"]) == (403, "totp_needed")


async def test_an_administrator_who_must(site: Site) -> None:
    await held_up(site, await signed_in(site, await administrator(site, "root", must_totp=True)))


class TestRequired:
    """`[admin] require_totp`."""

    @pytest.fixture
    def console(self) -> ConsoleOptions:
        return ConsoleOptions(require_totp=True)

    async def test_everybody_must(self, site: Site) -> None:
        await held_up(site, await signed_in(site, await administrator(site, "root")))

    async def test_tokens_go_on(self, site: Site) -> None:
        assert (await site.call("GET", "/api/v1/licenses"))[0] == 200

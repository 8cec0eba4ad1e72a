"""Signing in, and everything that is tried against it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from seatd.store.access_values import Grant
from seatd.store.keys import deployment_key
from seatd.web.passwords import Cost, Passwords
from seatd.web.session_cookie import csrf_of, digest_of
from tests.conftest import Clock
from tests.web.conftest import NOW_MS, TOKEN, Site
from tests.web.people import HASH, PASSWORD, TOTP, Browser, administrator, code_now, sign_in, signed_in

REFUSED = (401, "sign_in_refused")


async def refused(site: Site, **body: str) -> tuple[int, str]:
    status, answer, secret = await sign_in(site, **body)
    assert secret == ""
    return status, answer["code"]


async def test_who_signs_in_may_call(site: Site) -> None:
    await administrator(site, "root")
    status, profile, secret = await sign_in(site, name="root", password=PASSWORD)
    assert status == 200
    assert (profile["name"], profile["grant"]["role"], profile["totp_needed"]) == ("root", "operator", False)
    assert profile["csrf"] == csrf_of(secret)
    browser = Browser(site, secret)
    assert (await browser.call("GET", "licenses"))[0] == 200
    assert (await browser.call("GET", "profile"))[1] == profile


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_pages(site: Site) -> None:
    await administrator(site, "root")
    async with site.admin.post("/api/v1/sign-in", json={"name": "root", "password": PASSWORD}) as response:
        cookie = response.cookies["seatd"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert not cookie["domain"]
    assert len(cookie.value) == 43


async def test_no_secret_is_stored_logged_or_answered(site: Site) -> None:
    await administrator(site, "root", totp_secret=TOTP)
    with capture_logs() as logs:
        _, profile, secret = await sign_in(site, name="root", password=PASSWORD, code=code_now())
        await refused(site, name="root", password="a wrong pass phrase")
        await refused(site, name="a wrong pass phrase", password="typed in the wrong field")
    kept = str(await site.services.store.client.hgetall(deployment_key("sign_ins")))
    trail = str([recorded.text async for recorded in site.services.store.audit_trail(None)])
    for text in (kept, trail, str(logs), json.dumps(profile)):
        for word in (secret, PASSWORD, HASH, TOTP, "a wrong pass phrase"):
            assert word not in text
    assert digest_of(secret) in kept


async def test_every_refusal_is_the_same_after_the_same_work(site: Site, clock: Clock) -> None:
    """Same work is counted in hashes, not in time."""
    await administrator(site, "root", totp_secret=TOTP)
    await administrator(site, "gone", disabled=True)
    await administrator(site, "linked", password_hash="")
    answers = []
    for name, password, code in (
        ("nobody", PASSWORD, ""),
        ("root", "wrong", code_now()),
        ("root", PASSWORD, ""),
        ("root", PASSWORD, "000000"),
        ("gone", PASSWORD, ""),
        ("linked", PASSWORD, ""),
        ("linked", "", ""),
    ):
        before = site.services.passwords.done
        status, answer, _ = await sign_in(site, name=name, password=password, code=code)
        answers.append((status, json.dumps(answer), site.services.passwords.done - before))
        clock.pass_ms(3_600_000)
    assert len(set(answers)) == 1
    assert answers[0][0] == 401
    assert answers[0][2] == 1


async def test_a_code_is_good_once(site: Site, clock: Clock) -> None:
    await administrator(site, "root", totp_secret=TOTP)
    code = code_now()
    assert (await sign_in(site, name="root", password=PASSWORD, code=code))[0] == 200
    assert await refused(site, name="root", password=PASSWORD, code=code) == REFUSED
    assert await refused(site, name="root", password=PASSWORD, code=code_now(-1)) == REFUSED
    clock.pass_ms(30_000)
    assert (await sign_in(site, name="root", password=PASSWORD, code=code_now(1)))[0] == 200


async def test_a_replayed_code_loses_every_race(site: Site) -> None:
    await administrator(site, "root", totp_secret=TOTP)
    body = {"name": "root", "password": PASSWORD, "code": code_now()}
    answers = await asyncio.gather(*(sign_in(site, **body) for _ in range(4)))
    assert [status for status, _, _ in answers].count(200) == 1


async def test_who_does_not_know_the_password_uses_no_code_up(site: Site) -> None:
    await administrator(site, "root", totp_secret=TOTP)
    assert await refused(site, name="root", password="wrong", code=code_now()) == REFUSED
    assert (await sign_in(site, name="root", password=PASSWORD, code=code_now()))[0] == 200


async def test_brute_force_is_slowed_down_and_costs_no_hashes(site: Site, clock: Clock) -> None:
    await administrator(site, "root")
    for _ in range(5):
        assert await refused(site, name="root", password="wrong") == REFUSED
    done = site.services.passwords.done
    async with site.admin.post("/api/v1/sign-in", json={"name": "root", "password": PASSWORD}) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
    assert site.services.passwords.done == done
    clock.pass_ms(1000)
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 200


async def test_strangers_lock_nobody_out(site: Site) -> None:
    await administrator(site, "root")
    for number in range(8):
        await site.services.store.attempt("root", f"198.51.100.{number}", at_ms=NOW_MS)
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 200
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 200


async def test_refused_seats_count_nothing(site: Site) -> None:
    await administrator(site, "root")
    for number in range(8):
        await site.signed_in(f"user{number}@acme.example", "CALL_CENTER", device=f"d{number}")
    assert await site.services.store.client.hlen(deployment_key("attempts")) == 0
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 200


async def test_too_many_at_once_are_sent_away_and_not_blamed(site: Site) -> None:
    await administrator(site, "root")
    site.services.passwords._room = 0
    status, answer, _ = await sign_in(site, name="root", password=PASSWORD)
    assert (status, answer["code"]) == (429, "too_many_attempts")
    assert await site.services.store.client.hlen(deployment_key("attempts")) == 0


async def test_a_hash_at_an_older_cost_is_made_anew(site: Site) -> None:
    older = await Passwords(Cost(memory_kib=16, passes=1)).hash(PASSWORD)
    await administrator(site, "root", password_hash=older)
    _, _, secret = await sign_in(site, name="root", password=PASSWORD)
    found = await site.services.store.administrator("root")
    assert found is not None
    assert "$m=8,t=1,p=1$" in found.password_hash
    assert (await Browser(site, secret).call("GET", "profile"))[0] == 200
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 200


# -- sessions that others choose, guess or keep --------------------------------------------------------


async def test_fixation(site: Site) -> None:
    """A secret that was there before the sign-in is worth nothing after it."""
    await administrator(site, "root")
    chosen = "A" * 43
    _, _, secret = await sign_in(site, {"Cookie": f"seatd={chosen}"}, name="root", password=PASSWORD)
    assert secret != chosen
    assert (await Browser(site, chosen).call("GET", "profile"))[0] == 401
    _, _, second = await sign_in(site, {"Cookie": f"seatd={secret}"}, name="root", password=PASSWORD)
    assert (await Browser(site, secret).call("GET", "profile"))[0] == 401
    assert (await Browser(site, second).call("GET", "profile"))[0] == 200


@pytest.mark.parametrize("guess", ["", "x", "A" * 43, "A" * 44, "../../etc", "%00" * 20, "'" * 43])
async def test_a_guessed_session(site: Site, guess: str) -> None:
    await signed_in(site, await administrator(site, "root"))
    status, answer = await Browser(site, guess).call("GET", "profile")
    assert (status, answer["code"]) == (401, "unauthenticated")


async def test_the_stored_hash_is_no_session(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root"))
    assert (await Browser(site, digest_of(browser.secret)[:43]).call("GET", "profile"))[0] == 401


async def test_signing_out(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root"))
    secret = browser.secret
    assert (await browser.call("POST", "sign-out"))[0] == 204
    assert browser.secret == ""
    assert (await Browser(site, secret).call("GET", "profile"))[0] == 401
    assert (await site.call("POST", "/api/v1/sign-out"))[0] == 204


async def test_a_session_ends_when_nobody_uses_it_and_in_any_case(site: Site, clock: Clock) -> None:
    root = await administrator(site, "root")
    idle, busy = await signed_in(site, root), await signed_in(site, root)
    for _ in range(29):
        clock.pass_ms(25 * 60_000)
        if clock.now_ms - NOW_MS < 12 * 3_600_000:
            assert (await busy.call("GET", "profile"))[0] == 200
    assert (await busy.call("GET", "profile"))[0] == 401
    assert (await idle.call("GET", "profile"))[0] == 401


async def test_what_a_page_asks_by_itself_keeps_no_session(site: Site, clock: Clock) -> None:
    root = await administrator(site, "root")
    watching = await signed_in(site, root)
    by_itself = {"X-Seatd-Background": "1"}
    for _ in range(2):
        clock.pass_ms(14 * 60_000)
        assert (await watching.call("GET", "profile", headers=by_itself))[0] == 200
    clock.pass_ms(3 * 60_000)
    assert (await watching.call("GET", "profile"))[0] == 401


# -- pages of others -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Seatd-CSRF": ""},
        {"X-Seatd-CSRF": "0" * 64},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_call_by_cookie_from_another_page(site: Site, headers: dict[str, str]) -> None:
    browser = await signed_in(site, await administrator(site, "root"))
    for method, path, body in (
        ("POST", "logout", {"users": ["ann@acme.example"]}),
        ("DELETE", "profile/sessions", None),
        ("PUT", "profile/password", {"old": PASSWORD, "new": "another pass phrase"}),
        ("POST", "sign-out", None),
    ):
        status, answer = await browser.call(method, path, headers=headers, json=body)
        assert (status, answer["code"]) == (403, "cross_site")
    assert (await browser.call("GET", "profile"))[0] == 200


async def test_the_csrf_value_of_another_session_is_none(site: Site) -> None:
    root = await administrator(site, "root")
    one, other = await signed_in(site, root), await signed_in(site, root)
    headers = {"X-Seatd-CSRF": csrf_of(other.secret)}
    assert (await one.call("POST", "sign-out", headers=headers))[0] == 403


async def test_our_own_page_may_call(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root"))
    own = f"http://{site.admin.host}:{site.admin.port}"
    headers = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
    assert (await browser.call("DELETE", "profile/sessions?keep_present=true", headers=headers))[0] == 200


async def test_nobody_is_signed_in_by_another_page(site: Site) -> None:
    await administrator(site, "root")
    headers = {"Origin": "https://evil.example"}
    status, answer, secret = await sign_in(site, headers, name="root", password=PASSWORD)
    assert (status, answer["code"], secret) == (403, "cross_site", "")


async def test_a_token_counts_before_a_cookie(site: Site) -> None:
    auditor = await administrator(site, "auditor", Grant(role="auditor"))
    browser = await signed_in(site, auditor)
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Seatd-CSRF": ""}
    assert (await browser.call("GET", "profile", headers=headers))[1]["name"] == "tests"
    assert (await browser.call("POST", "logout", headers=headers, json={"users": ["a@acme.example"]}))[
        0
    ] == 200
    headers["Authorization"] = "Bearer wrong"
    assert (await browser.call("GET", "profile", headers=headers))[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"password": PASSWORD},
        {"name": "root", "link": "x"},
        {"name": "root", "password": PASSWORD, "role": "operator"},
        {"name": "root", "password": "x" * 257},
        {"name": ["root"], "password": PASSWORD},
    ],
)
async def test_bodies_that_say_something_else(site: Site, body: dict[str, Any]) -> None:
    async with site.admin.post("/api/v1/sign-in", json=body) as response:
        assert response.status == 422

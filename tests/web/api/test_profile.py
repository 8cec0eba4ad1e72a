"""What people do to themselves: another password, acting for another customer, ending sessions."""

from __future__ import annotations

import pytest

from seatd.store.access_values import EVERYTHING, Grant
from seatd.web.passwords import Busy, Passwords
from seatd.web.rights import RIGHTS, reach
from tests.web.conftest import Site
from tests.web.people import PASSWORD, Browser, administrator, sign_in, signed_in

NEW = "another good pass phrase"
OWNER = Grant(role="owner", customers=("acme", "beta"))
AUDITOR = Grant(role="auditor", customers=("gamma",))


async def test_who_a_token_is(site: Site) -> None:
    status, view = await site.call("GET", "/api/v1/profile")
    assert (status, view["name"], view["via"], view["grant"]["role"]) == (200, "tests", "token", "operator")
    assert (view["csrf"], view["grants"], view["ends"]) == ("", [], None)


@pytest.mark.parametrize("grant", [EVERYTHING, OWNER, AUDITOR])
async def test_what_the_role_may_do_is_told(site: Site, grant: Grant) -> None:
    for customer in grant.customers:
        await site.imported(customer=customer, jti=customer)
    browser = await signed_in(site, await administrator(site, "somebody", grant))
    _, view = await browser.call("GET", "profile")
    assert view["rights"] == {action: far for action in RIGHTS if (far := reach(grant.role, action))}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "password", {"old": PASSWORD, "new": NEW}),
        ("POST", "switch", {"grant": 0}),
        ("GET", "sessions", None),
        ("DELETE", "sessions", None),
        ("POST", "totp", {"password": PASSWORD}),
        ("PUT", "totp", {"code": "123456"}),
        ("DELETE", "totp", {"code": "123456"}),
    ],
)
async def test_a_token_has_no_profile_to_change(site: Site, method: str, path: str, body: object) -> None:
    status, answer = await site.call(method, f"/api/v1/profile/{path}", json=body)
    assert (status, answer["code"]) == (409, "no_session")


async def test_another_password_ends_all_other_sessions(site: Site) -> None:
    root = await administrator(site, "root")
    mine, thief = await signed_in(site, root), await signed_in(site, root)
    before = mine.secret
    status, view = await mine.call("PUT", "profile/password", json={"old": PASSWORD, "new": NEW})
    assert status == 200
    assert mine.secret != before
    assert (await mine.call("GET", "profile"))[1] == view
    assert (await Browser(site, before).call("GET", "profile"))[0] == 401
    assert (await thief.call("GET", "profile/sessions"))[0] == 401
    assert (await mine.call("GET", "profile/sessions"))[1]["total"] == 1
    assert (await sign_in(site, name="root", password=NEW))[0] == 200
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 401


async def test_too_many_passwords_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_: object) -> None:
        raise Busy

    browser = await signed_in(site, await administrator(site, "root"))
    monkeypatch.setattr(Passwords, "hash", busy)
    status, answer = await browser.call("PUT", "profile/password", json={"old": PASSWORD, "new": NEW})
    assert (status, answer["code"]) == (429, "too_many_attempts")
    monkeypatch.setattr(Passwords, "is_outdated", lambda *_: True)
    assert (await sign_in(site, name="root", password=PASSWORD))[0] == 200


async def test_a_stolen_session_cannot_guess_the_password(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root"))
    codes = [
        (await browser.call("PUT", "profile/password", json={"old": f"guess {n}", "new": NEW}))[1]["code"]
        for n in range(6)
    ]
    assert codes == ["wrong_password"] * 5 + ["too_many_attempts"]


async def test_a_password_that_is_not_good_enough(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root"))
    status, answer = await browser.call("PUT", "profile/password", json={"old": PASSWORD, "new": "short"})
    assert (status, answer["errors"][0]["path"]) == (422, "new")


async def test_acting_with_another_grant(site: Site) -> None:
    for customer in ("acme", "beta", "gamma"):
        await site.imported(customer=customer, jti=customer)
    ann = await administrator(site, "ann", OWNER, AUDITOR)
    browser = await signed_in(site, ann)
    assert await customers(browser) == {"acme", "beta"}
    for switch, role, seen in (
        ({"grant": 1}, "auditor", {"gamma"}),
        ({"grant": 0}, "owner", {"acme", "beta"}),
        ({"customer": "beta"}, "owner", {"beta"}),
        ({"customer": "gamma"}, "auditor", {"gamma"}),
        ({"grant": 0, "customer": "acme"}, "owner", {"acme"}),
    ):
        before = browser.secret
        status, view = await browser.call("POST", "profile/switch", json=switch)
        assert (status, view["grant"]["role"]) == (200, role)
        assert await customers(browser) == seen
        assert (await Browser(site, before).call("GET", "profile"))[0] == 401


async def customers(browser: Browser) -> set[str]:
    _, rows = await browser.call("GET", "licenses")
    return {row["customer"] for row in rows["items"]}


async def test_nobody_switches_to_what_is_not_his(site: Site) -> None:
    for customer in ("acme", "beta", "gamma"):
        await site.imported(customer=customer, jti=customer)
    browser = await signed_in(site, await administrator(site, "ann", OWNER))
    for switch, code in (
        ({"grant": 1}, "unknown_grant"),
        ({"customer": "gamma"}, "unknown_customer"),
        ({"grant": 0, "customer": "gamma"}, "unknown_customer"),
        ({"customer": "nobody"}, "unknown_customer"),
        ({}, "invalid"),
        ({"grant": -1}, "invalid"),
        ({"role": "operator"}, "invalid"),
    ):
        assert (await browser.call("POST", "profile/switch", json=switch))[1]["code"] == code


async def test_an_operator_acts_for_a_customer_as_its_owner(site: Site) -> None:
    for customer in ("acme", "beta"):
        await site.imported(customer=customer, jti=customer)
    browser = await signed_in(site, await administrator(site, "root", EVERYTHING))
    assert (await browser.call("POST", "profile/switch", json={"customer": "ghost"}))[0] == 404
    await browser.call("POST", "profile/switch", json={"customer": "acme"})
    assert await customers(browser) == {"acme"}
    await browser.call("POST", "profile/switch", json={"grant": 0})
    assert await customers(browser) == {"acme", "beta"}


async def test_a_switch_does_not_prolong_the_session(site: Site) -> None:
    browser = await signed_in(site, await administrator(site, "root"))
    _, before = await browser.call("GET", "profile")
    site.services.now_ms.pass_ms(60_000)  # type: ignore[attr-defined]
    _, after = await browser.call("POST", "profile/switch", json={"grant": 0})
    assert after["ends"] == before["ends"]


async def test_ending_all_my_sessions(site: Site) -> None:
    root, other = await administrator(site, "root"), await administrator(site, "other")
    mine, elsewhere, others = [await signed_in(site, who) for who in (root, root, other)]
    _, page = await mine.call("GET", "profile/sessions")
    assert [row["present"] for row in page["items"]].count(True) == 1
    assert page["total"] == 2
    assert (await mine.call("DELETE", "profile/sessions?keep_present=true"))[1] == {"ended": 1}
    assert (await elsewhere.call("GET", "profile"))[0] == 401
    assert (await mine.call("GET", "profile"))[0] == 200
    secret = mine.secret
    assert (await mine.call("DELETE", "profile/sessions"))[1] == {"ended": 1}
    assert mine.secret == ""
    assert (await Browser(site, secret).call("GET", "profile"))[0] == 401
    assert (await others.call("GET", "profile"))[0] == 200


async def test_very_many_sessions_of_one_person_push_out_the_oldest(site: Site) -> None:
    root = await administrator(site, "root")
    browsers = []
    for _ in range(22):
        site.services.now_ms.pass_ms(1)  # type: ignore[attr-defined]
        browsers.append(await signed_in(site, root))
    assert (await browsers[1].call("GET", "profile"))[0] == 401
    assert (await browsers[2].call("GET", "profile"))[0] == 200

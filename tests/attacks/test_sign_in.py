"""Signing in: guessed and expensive passwords, names that are found out, sessions that are planted or go on."""

from __future__ import annotations

import asyncio
import statistics
import time

import aiohttp

from tests.attacks.attack import attack
from tests.attacks.browser import PASSWORD, Browser
from tests.attacks.operators import Operator
from tests.attacks.test_administrators import administrator
from tests.scenarios.company import Company
from tests.servers import Server, Servers


@attack(
    "S56",
    "passwords are guessed, for one name or for many (spraying, credential stuffing)",
    "after 5 failures each further one waits, twice as long as the one before, up to 15 min, per name and per address (429 "
    "`too_many_attempts` with `Retry-After`); every node counts the same. Nobody is locked out: who has not failed himself "
    "still gets in, and one-time codes may be demanded",
)
async def test_s56_guessing(servers: Servers) -> None:
    node = servers.start("a", ADMIN_PROXIES="127.0.0.1")
    name = await administrator(Operator(node))
    here, elsewhere = {"X-Forwarded-For": "198.51.100.1"}, {"X-Forwarded-For": "198.51.100.2"}
    replies = [await Browser(node).sign_in(name, f"guess number {number}", **here) for number in range(8)]
    assert [reply.code for reply in replies] == ["sign_in_refused"] * 5 + ["too_many_attempts"] * 3
    assert int(replies[-1].headers["retry-after"]) >= 1
    sprayed = [await Browser(node).sign_in(f"other-{number}", "guess", **here) for number in range(3)]
    assert {reply.code for reply in sprayed} == {"too_many_attempts"}
    assert (await Browser(node).sign_in(name, PASSWORD, **here)).status == 429
    assert (await Browser(node).sign_in(name, PASSWORD, **elsewhere)).status == 200


@attack(
    "S57",
    "a hundred sign-ins at once, with passwords of 1 MB",
    "a password has 256 characters at the most (422, nothing is hashed); of good ones two are hashed at a time, off the "
    "event loop, 16 wait, and the rest is told 429. Who has a seat notices nothing",
)
async def test_s57_expensive_passwords(servers: Servers) -> None:
    node = servers.start("a")
    company = Company(node)
    await company.licensed("CALL_CENTER:competitive:5")
    ann = await company.sign_in(node, "ann", "CALL_CENTER")
    huge = await asyncio.gather(*(Browser(node).sign_in(f"n{n}", "x" * 1_000_000) for n in range(20)))
    assert {reply.refusal for reply in huge} == {(422, "invalid")}
    flood = await asyncio.gather(*(Browser(node).sign_in(f"n{n}", "a wrong password") for n in range(100)))
    assert {reply.status for reply in flood} <= {401, 429}
    assert any(reply.status == 429 for reply in flood)
    assert ann.heard_nothing()
    company.leave()


@attack(
    "S58",
    "which names exist is read from how long a refusal takes, or from what it says",
    "the same answer after the same work: one hash, for names that nobody has, too",
)
async def test_s58_which_names_exist(servers: Servers) -> None:
    """Tries come from ever new addresses, so that none waits; both kinds in turn, so that a busy machine is so for both."""
    node = servers.start("a", ADMIN_PROXIES="127.0.0.1")
    names = [await administrator(Operator(node)) for _ in range(8)]
    took_s: dict[bool, list[float]] = {True: [], False: []}
    answers = set()
    for number in range(32):
        for known in (True, False):
            name = names[number // 4] if known else f"nobody-{number // 4}@ops.example"
            begin_s = time.perf_counter()
            reply = await Browser(node).sign_in(
                name, "wrong password", **{"X-Forwarded-For": f"198.51.{known:d}.{number}"}
            )
            took_s[known].append(time.perf_counter() - begin_s)
            answers.add((reply.status, reply.text))
    assert len(answers) == 1
    known_s, unknown_s = (statistics.median(took_s[known]) for known in (True, False))
    assert 0.5 < known_s / unknown_s < 2, "without the decoy's hash a refusal takes a tenth"


@attack(
    "S59",
    "a session id that the attacker has planted before the sign-in; a session that goes on after signing out",
    "a sign-in makes a new secret and ends the old one; signing out, another password, or being disabled ends every "
    "session and its streams at once on the same node, within 6 s on others",
)
async def test_s59_fixation_and_sign_out(server: Server, operator: Operator, company: Company) -> None:
    name = await administrator(operator)
    planted = "seatd=" + "A" * 43
    victim = Browser(server)
    victim.cookie = planted
    assert (await victim.sign_in(name)).status == 200
    assert victim.cookie != planted
    attacker = Browser(server)
    attacker.cookie = planted
    assert (await attacker.by_page("GET", "/profile")).status == 401

    first = victim.cookie
    assert (await victim.sign_in(name)).status == 200
    attacker.cookie = first
    assert (await attacker.by_page("GET", "/profile")).status == 401

    url = f"http://{server.admin}/api/v1/stream?customer={company.name}"
    async with aiohttp.ClientSession(headers={"Cookie": victim.cookie}) as http, http.get(url) as stream:
        assert stream.status == 200
        assert (await victim.by_page("POST", "/sign-out")).status == 204
        await stream.read()  # to its end: pytest's limit is the bound
    assert (await victim.by_page("GET", "/profile")).status == 401

"""The JavaScript client at real servers, in Node and in a browser: seats, leases, the queue, forced logout, requests."""

from __future__ import annotations

import asyncio

import pytest

from tests.protocol.js.people import CODECS, PRODUCT, made, signed_in, urls
from tests.protocol.js.runtimes import Refusal, Runtime
from tests.scenarios.company import Company
from tests.servers import eventually


@pytest.mark.parametrize("subprotocol", CODECS)
async def test_a_seat_is_granted_kept_and_given_back(
    runtime: Runtime, company: Company, subprotocol: str
) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann, welcome = await signed_in(runtime, company, "ann", subprotocol=subprotocol)
    assert [seat["product"] for seat in welcome["seats"]] == [PRODUCT]
    ann_knows = await ann.look()
    assert (ann_knows["state"], ann_knows["usable"]) == ("live", True)
    assert ann_knows["session"] == welcome["session"]
    assert 0 < ann_knows["leaseLeftS"] <= welcome["lease_s"]

    bob = await made(runtime, company, "bob", subprotocol=subprotocol)
    denied = await bob.call("connect")
    assert (denied["type"], denied["code"], denied["limit"]) == ("denied", "no_seat", 1)
    assert (await bob.heard("closed"))["code"] == 4300
    assert not (await bob.look())["usable"]

    assert await ann.call("bye") is None
    assert (await ann.heard("closed"))["code"] == 1000
    assert await company.used() == 0
    again = await bob.call("connect")
    assert again["type"] == "welcome"
    await bob.call("bye")


async def test_the_lease_runs_on_with_the_beats(runtime: Runtime, company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann, welcome = await signed_in(runtime, company, "ann")
    while sum(belief["what"] == "beat" for belief in ann.beliefs) < 5:
        await asyncio.sleep(0.1)
    hello, *heard = [belief for belief in ann.beliefs if belief["what"] in ("hello", "welcome", "beat")]
    # A beat confirms the `alive` before it: the lease is counted from when that was sent, never from later.
    sent_s = [hello["atS"], hello["atS"], *(belief["atS"] for belief in heard[1:])]
    for before_s, belief in zip(sent_s, heard, strict=False):
        assert belief["untilS"] <= before_s + welcome["lease_s"]
    ends_s = [belief["untilS"] for belief in heard]
    assert ends_s[0] == ends_s[1] < ends_s[2] < ends_s[3] < ends_s[4]
    assert not [event for event in ann.events if event["type"] == "closed"]
    await ann.call("bye")


async def test_positions_in_the_queue_and_the_turn(runtime: Runtime, company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann, _ = await signed_in(runtime, company, "ann")
    bob, eve = [await made(runtime, company, name, waitS=60) for name in ("bob", "eve")]
    bob_waits = asyncio.create_task(bob.call("connect"))
    assert (await bob.heard("queued"))["position"] == 1
    eve_waits = asyncio.create_task(eve.call("connect"))
    assert (await eve.heard("queued", position=2))["product"] == PRODUCT
    assert (await eve.look())["state"] == "waiting"

    await ann.call("bye")
    assert (await bob_waits)["type"] == "welcome"
    await eve.heard("queued", position=1)
    await bob.call("bye")
    assert (await eve_waits)["type"] == "welcome"
    assert (await eve.look())["usable"]
    await eve.call("bye")


async def test_who_waits_in_vain_is_denied_and_may_still_call_for_help(
    runtime: Runtime, company: Company
) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann, _ = await signed_in(runtime, company, "ann")
    bob, welcome = await signed_in(runtime, company, "bob", waitS=1, allowUnseated=True)
    assert (await bob.heard("denied"))["code"] == "wait_timeout"
    assert welcome["seats"] == []
    assert not (await bob.look())["usable"]
    for client in (ann, bob):
        await client.call("bye")


@pytest.mark.parametrize("subprotocol", CODECS)
async def test_forced_out_with_a_receipt(runtime: Runtime, company: Company, subprotocol: str) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann, welcome = await signed_in(runtime, company, "ann", subprotocol=subprotocol)
    body = {"users": [company.user("ann")], "reason": "The shift is over", "cooldown_s": 60}
    answer = await company.nodes[1].call("POST", "/api/v1/logout", body)
    receipt = answer["sessions"][0]
    assert (receipt["session"], receipt["outcome"]) == (welcome["session"], "acknowledged")

    logout = await ann.heard("logout")
    assert (logout["code"], logout["message"], logout["cooldown_s"]) == ("forced", "The shift is over", 60)
    ended = await ann.heard("closed")
    assert (ended["code"], ended["action"], ended["retryInS"]) == (4302, "tell", None)
    last = [belief["what"] for belief in ann.beliefs]
    assert last[last.index("logout") :] == ["logout", "closed", "stopped"]  # it does not come back
    assert (await ann.call("connect"))["code"] == "cooldown"


async def test_further_products(runtime: Runtime, company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1", "CALL_MANAGER:competitive:1")
    ann, _ = await signed_in(runtime, company, "ann")
    granted = await ann.call("acquire", ["CALL_MANAGER"])
    assert granted["type"] == "granted"
    assert {seat["product"] for seat in (await ann.look())["seats"]} == {PRODUCT, "CALL_MANAGER"}

    bob, _ = await signed_in(runtime, company, "bob", need=[])
    assert (await bob.call("acquire", ["CALL_MANAGER"]))["code"] == "no_seat"
    waits = asyncio.create_task(bob.call("acquire", ["CALL_MANAGER"], {"waitS": 60}))
    assert (await bob.heard("queued"))["position"] == 1
    assert (await ann.call("release", ["CALL_MANAGER"]))["products"] == ["CALL_MANAGER"]
    assert (await waits)["type"] == "granted"
    assert [seat["product"] for seat in (await ann.look())["seats"]] == [PRODUCT]
    refused = await ann.call("release", ["CALL_MANAGER"])
    assert isinstance(refused, Refusal)
    assert (refused.error, refused.code) == ("RequestRefused", "not_held")
    for client in (ann, bob):
        await client.call("bye")


async def test_another_session_of_ones_own_is_taken_over(runtime: Runtime, company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    first, welcome = await signed_in(runtime, company, "ann")
    second, _ = await signed_in(runtime, company, "ann", need=[])
    answer = await second.call("takeOver", welcome["session"])
    assert answer["type"] == "sessions"
    ended = await first.heard("closed")
    assert (ended["code"], ended["retryInS"]) == (4301, None)
    busy = await second.call("takeOver", welcome["session"])
    assert busy.code == "unknown_session"
    await second.call("bye")


async def test_a_call_is_said_again_after_coming_back(runtime: Runtime, company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann, _ = await signed_in(runtime, company, "ann")
    await ann.call("busy", True)

    async def is_busy() -> bool:
        return bool((await company.sessions())[0]["busy"])

    await eventually(is_busy)
    await ann.call("busy", False)

    async def is_free() -> bool:
        return not await is_busy()

    await eventually(is_free)
    await ann.call("bye")


async def test_codes_upon_which_it_does_not_come_back(runtime: Runtime, company: Company) -> None:
    await company.licensed(f"{PRODUCT}:competitive:1")
    ann = await made(runtime, company, "ann", token="not.a.token")
    refused = await ann.call("connect")
    assert (refused.error, refused.code) == ("Stopped", 4401)
    assert [event["type"] for event in ann.events] == ["closed"]
    assert ann.events[0]["action"] == "never"


async def test_a_wish_that_breaks_the_contract_is_refused_at_once(node: Runtime, company: Company) -> None:
    with pytest.raises(
        AssertionError, match=r"BadMessage: expected a text of 1 to 128 characters at `hello.device.id`"
    ):
        await made(node, company, "ann", device={"kind": "desktop", "id": ""})
    with pytest.raises(AssertionError, match="a server's URL begins with"):
        await made(node, company, "ann", urls=["ftp://a.example"])
    with pytest.raises(AssertionError, match="unknown sub-protocol; there are"):
        await made(node, company, "ann", subprotocol="seatd.v9")


async def test_nobody_there(node: Runtime, company: Company) -> None:
    """Without a server it goes on trying; the application may give up."""
    ann = await made(node, company, "ann", urls=["ws://127.0.0.1:9"])
    waits = asyncio.create_task(ann.call("connect"))
    first = await ann.heard("closed")
    assert (first["code"], first["action"]) == (1006, "reconnect")
    assert 0.5 <= first["retryInS"] <= 1
    await ann.call("close")
    refused = await waits
    assert (refused.error, refused.code) == ("Stopped", 1000)


async def test_the_nodes_own_web_socket(company: Company) -> None:
    """The WebSocket that comes with Node, where one does."""
    from tests.protocol.js.runtimes import in_node

    await company.licensed(f"{PRODUCT}:competitive:1")
    async with in_node("--own-socket", "--experimental-websocket") as runtime:
        ann, _ = await signed_in(runtime, company, "ann")
        await ann.call("bye")
        assert (await ann.heard("closed"))["code"] == 1000
    assert urls(company)

"""`Idempotency-Key`: the same once more is not done again, whoever asks how often at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seatd.store import idempotency as kept
from seatd.store.access_values import Grant, TokenRecord
from seatd.store.redis import Store
from seatd.web.api import idempotency
from seatd.web.auth import token_hash
from tests.web.conftest import TOKEN, Site

PATH = "/api/v1/agencies"
OTHER = "another-operators-token-0123456789-0123456789"


@pytest.fixture
async def twice(site: Site) -> Any:
    """Makes a call with a key: status, code or id, whether it was an answer from before."""

    async def call(
        body: Any = None, key: str = "k1", *, method: str = "POST", path: str = PATH, token: str = TOKEN
    ) -> tuple[int, str, bool]:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        async with site.admin.request(method, path, json=body, headers=headers) as response:
            answer = await response.json() if response.status != 204 else {}
            replayed = response.headers.get("Idempotent-Replayed") == "true"
            return response.status, answer.get("code") or answer.get("id", ""), replayed

    return call


async def test_the_first_answer_again(site: Site, twice: Any) -> None:
    assert await twice({"id": "a"}) == (200, "a", False)
    assert await twice({"id": "a"}) == (200, "a", True)
    assert await twice({"id": "a"}, "k2") == (409, "agency_exists", False)
    assert await twice({"id": "a"}, "k2") == (409, "agency_exists", True)
    assert await twice(method="DELETE", path=f"{PATH}/a", key="k3") == (204, "", False)
    assert await twice(method="DELETE", path=f"{PATH}/a", key="k3") == (204, "", True)
    assert await twice({"id": "a"}) == (200, "a", True)
    assert (await site.call("GET", PATH))[1]["total"] == 0


async def test_a_refusal_that_did_nothing_is_not_kept(site: Site, twice: Any) -> None:
    token = TokenRecord(name="low", grant=Grant(role="auditor"), created_ms=0)
    await site.services.store.register_token(token_hash(OTHER), token)
    for _ in range(2):
        assert await twice({"id": "a"}, token=OTHER) == (403, "forbidden", False)
        assert await twice({"name": "b"}, "k2", method="PATCH", path=f"{PATH}/a") == (
            404, "unknown_agency", False,
        )  # fmt: skip
        assert await twice({"id": " "}, "k3") == (422, "invalid", False)
    assert await site.services.store.client.hlen("seatd:{all}:idempotency") == 0


async def test_something_else_with_the_same_key(twice: Any) -> None:
    await twice({"id": "a"})
    assert await twice({"id": "b"}) == (422, "idempotency_mismatch", False)
    assert await twice({"id": "a"}, path=f"{PATH}?x=1") == (422, "invalid", False)
    assert await twice({"name": "b"}, method="PATCH", path=f"{PATH}/a") == (
        422,
        "idempotency_mismatch",
        False,
    )


async def test_a_key_is_the_callers_own(site: Site, twice: Any) -> None:
    record = TokenRecord(name="other", grant=Grant(role="operator"), created_ms=0)
    await site.services.store.register_token(token_hash(OTHER), record)
    await twice({"id": "a"})
    assert await twice({"id": "b"}, token=OTHER) == (200, "b", False)


async def test_many_at_once_do_it_once(site: Site, twice: Any) -> None:
    done = await asyncio.gather(*(twice({"id": "a"}) for _ in range(20)))
    assert [answer for answer in done if not answer[2]].count((200, "a", False)) == 1
    assert {answer[1] for answer in done} <= {"a", "idempotency_busy"}
    trail = [recorded async for recorded in site.services.store.audit_trail(None)]
    assert len(trail) == 1


async def test_what_broke_is_done_again(site: Site, twice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "amend", broken)
        assert await twice({"id": "a"}) == (500, "internal", False)
    assert await twice({"id": "a"}) == (200, "a", False)


async def test_an_answer_that_is_too_long_is_not_kept(twice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "LONGEST", 10)
    assert await twice({"id": "a"}) == (200, "a", False)
    assert await twice({"id": "a"}) == (409, "idempotency_too_long", False)


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\u00e9"])
async def test_keys_that_are_none(twice: Any, key: str) -> None:
    assert (await twice({"id": "a"}, key))[1] == "invalid"


async def test_nobody_waits_for_a_node_that_died(site: Site) -> None:
    store = site.services.store
    assert await store.claim_answer("name", "what", 1_000_000) is None
    before = await store.claim_answer("name", "what", 1_000_000 + kept.ABANDONED_MS - 1)
    assert before == kept.KeptAnswer(asked="what")
    assert await store.claim_answer("name", "what", 1_000_000 + kept.ABANDONED_MS) is None


async def test_a_day_and_no_more_than_so_many(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    store, answer = site.services.store, kept.KeptAnswer(asked="what", status=204)
    monkeypatch.setattr(kept, "MOST", 3)
    for number in range(5):
        assert await store.claim_answer(f"name{number}", "what", number) is None
        await store.keep_answer(f"name{number}", answer)
    assert await store.claim_answer("name4", "what", 5) == answer
    assert await store.client.hlen("seatd:{all}:idempotency") == 3
    assert await store.client.zcard("seatd:{all}:idempotency_times") == 3
    assert await store.claim_answer("name4", "what", 4 + kept.KEPT_MS) is None
    assert await store.client.hlen("seatd:{all}:idempotency") == 1
    await store.keep_answer("name4", None)
    assert await store.client.hlen("seatd:{all}:idempotency") == 0

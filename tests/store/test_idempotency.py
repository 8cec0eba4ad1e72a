"""Which answers are kept, and which go when there are too many."""

from __future__ import annotations

import pytest

from seatd.store import idempotency
from seatd.store.idempotency import ABANDONED_MS, KeptAnswer
from seatd.store.keys import deployment_key
from seatd.store.redis import Store

DONE = KeptAnswer(asked="this", status=200)


async def test_what_is_being_done_outlives_what_was_done(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who fills the list pushes nobody's request out while it goes on: sent again, it would be done twice."""
    monkeypatch.setattr(idempotency, "MOST", 3)
    assert await store.claim_answer("slow", "this", 1) is None
    for number in range(2, 8):
        assert await store.claim_answer(f"quick {number}", "this", number) is None
        await store.keep_answer(f"quick {number}", DONE)
    assert await store.claim_answer("slow", "this", 8) == KeptAnswer(asked="this")
    assert await store.claim_answer("quick 7", "this", 8) == DONE
    assert await store.claim_answer("quick 5", "this", 8) is None
    await store.keep_answer("slow", DONE)
    assert await store.claim_answer("slow", "this", 9) == DONE
    assert await store.client.zcard(deployment_key("idempotency_times")) == 3


async def test_but_not_what_was_abandoned(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MOST", 2)
    await store.claim_answer("died", "this", 1)
    await store.claim_answer("goes on", "this", 2)
    await store.claim_answer("further", "this", 3)  # one more than there may be, for now
    await store.claim_answer("later", "this", 2 + ABANDONED_MS)
    kept = await store.client.hkeys(deployment_key("idempotency"))  # type: ignore[misc]
    assert set(kept) == {b"further", b"later"}

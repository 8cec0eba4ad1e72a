"""Answers that are kept for a while, so that who asks again with the same key gets the first one."""

from __future__ import annotations

import msgspec

from seatd.store.values import Value
from seatd.store.verbs import Verbs

KEPT_MS = 24 * 3600 * 1000
ABANDONED_MS = 60_000
"""So long after a claim its answer is waited for: the node may have died over it."""
MOST = 10_000


class KeptAnswer(Value, frozen=True, kw_only=True):
    """What was asked (`asked`: its digest) and answered. `status` 0: it is being done."""

    asked: str
    status: int = 0
    content_type: str = ""
    body: bytes = b""


class IdempotencyVerbs(Verbs):
    """At most `MOST` answers (more only of what is still being done), each for a day, in the deployment's keys."""

    async def claim_answer(self, name: str, asked: str, now_ms: int) -> KeptAnswer | None:
        """None: go ahead, and `keep_answer` afterwards. Otherwise what is known by the name."""
        record = msgspec.json.encode(KeptAnswer(asked=asked))
        answer = await self.call_deployment(
            "claim_answer",
            name=name,
            record=record,
            at_ms=now_ms,
            since_ms=now_ms - KEPT_MS,
            abandoned_ms=now_ms - ABANDONED_MS,
            most=MOST,
        )
        if answer.word == "claimed":
            return None
        return msgspec.json.decode(answer.body["record"].lstrip("?"), type=KeptAnswer)

    async def keep_answer(self, name: str, kept: KeptAnswer | None) -> None:
        """The answer to what was claimed; None: it was not done, whoever asks again does it."""
        record = None if kept is None else msgspec.json.encode(kept)
        await self.call_deployment("keep_answer", name=name, record=record)

"""The verbs by which a license's policy is carried out: who must give up a seat, and who has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from seatd.store.nodes import BATCH
from seatd.store.values import Holder, Review
from seatd.store.verbs import Verbs


class PolicyVerbs(Verbs):
    """What a node asks of the store when a license has ended, holds too many, or was withdrawn."""

    async def review(self, customer: str, license: str) -> Review:
        """Looks after a license: its holders are warned in time. Its holders come in the order in which they go: those whom
        the license no longer covers, then the newest first."""
        holders: list[Holder] = []
        after: str | None = None
        while True:
            answer = await self.call("review", customer, license=license, after=after, limit=BATCH)
            page = answer.to(Review)
            holders += page.holders
            after = page.cursor
            if after is None:
                holders.sort(key=lambda item: (not item.foreign, -item.since_ms, item.holder))
                return msgspec.structs.replace(page, holders=tuple(holders))

    async def enforce(
        self, customer: str, license: str, holders: Sequence[str], bases: Mapping[str, str]
    ) -> int:
        """Takes the license's seats from those of these holders (in order) whose seats its policy does not let stand; answers
        from how many sessions. `bases`: add-on -> base, of the catalogue."""
        ended = ahead = done = 0
        while done < len(holders):
            answer = await self.call(
                "enforce",
                customer,
                license=license,
                holders=list(holders[done : done + BATCH]),
                ahead=ahead,
                bases=dict(bases),
                limit=BATCH,
            )
            ended += answer.body["ended"]
            ahead += answer.body["standing"]
            done += answer.body["done"]
        return ended

    async def let_go(self, customer: str, *, session: str, fence: int, order: int) -> bool:
        """The client has confirmed that it knows what the order took from it: those seats are free. False: it is not ours."""
        answer = await self.call("let_go", customer, session=session, fence=fence, order=order)
        return answer.word == "freed"

    async def busy(self, customer: str, *, session: str, fence: int, busy: bool) -> list[str] | None:
        """A call begins or ends. Answers the licenses that may have waited for its end; None: the session is not ours."""
        answer = await self.call("busy", customer, session=session, fence=fence, busy=busy)
        return msgspec.convert(answer.body["licenses"], list[str]) if answer.word == "noted" else None

"""The verbs of a session's life: open, attach, park, close, acquire, release."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from seatd.store.values import (
    Claim,
    Denied,
    Gone,
    Granted,
    Opening,
    Queued,
    Released,
    Served,
    StoreUnavailable,
    Want,
)
from seatd.store.verbs import Answer, Verbs
from seatd_protocol.messages import Seat


class SessionVerbs(Verbs):
    """What a node asks of the store for its clients. `fence` proves that the session is still the caller's."""

    async def open(self, customer: str, node: str, opening: Opening) -> Granted | Queued | Denied | Gone:
        """Signs a session in: all of `need` or nothing, `want` as far as there is room. Safe to repeat.

        With `wait`, a session for which there is no seat goes to the queue; its turn comes as an order to the node.
        """
        fields = msgspec.to_builtins(opening)
        answer = await self.ask("open", customer, node=node, **fields)
        return _queued(answer, opening.session) or _granted(answer, opening.session)

    async def attach(
        self,
        customer: str,
        node: str,
        *,
        session: str,
        secret: str,
        user: str,
        claim: Claim | None = None,
    ) -> Granted | Denied | Gone:
        """Resumes a session on this node; the node that had it is told to let go.

        `claim` is what its client's ticket says (its user, device and secret are known to be the client's own): while the
        partition recovers, a session that it has lost is put back by that.
        """
        answer = await self.ask(
            "attach",
            customer,
            node=node,
            session=session,
            secret=secret,
            user=user,
            claim=claim and msgspec.to_builtins(claim),
        )
        return _granted(answer, session, resumed=True)

    async def acquire(
        self,
        customer: str,
        *,
        session: str,
        fence: int,
        need: Sequence[Want],
        groups: Sequence[str] = (),
        ref: int = 0,
        wait: bool = False,
        priority: int = 0,
        queue_limit: int = 200,
    ) -> Granted | Queued | Denied | Gone:
        """Draws further seats for a session, all or nothing; answers all the seats that it has then.

        With `wait` it may go to the queue instead; `ref` comes back with its turn.
        """
        answer = await self.ask(
            "acquire",
            customer,
            session=session,
            fence=fence,
            need=[msgspec.to_builtins(want) for want in need],
            groups=list(groups),
            ref=ref,
            wait=wait,
            priority=priority,
            queue_limit=queue_limit,
        )
        return _queued(answer, session) or _granted(answer, session)

    async def leave_queue(self, customer: str, *, session: str, fence: int) -> tuple[Seat, ...] | None:
        """Gives up waiting: None. Or the seats of a session that waits no longer: its turn may have come just now."""
        answer = await self.call("leave_queue", customer, session=session, fence=fence)
        return answer.to(Served).seats if answer.word == "served" else None

    async def release(
        self, customer: str, *, session: str, fence: int, products: Sequence[str]
    ) -> Released | Gone:
        """Gives products back; their seats are free at once unless another session of the user has them."""
        answer = await self.ask("release", customer, session=session, fence=fence, products=list(products))
        return answer.to(Gone) if answer.word == "gone" else answer.to(Released)

    async def park(
        self, customer: str, node: str, *, session: str, fence: int | None, secret: str | None = None
    ) -> bool:
        """Keeps the seats of a session without socket until its linger is over. False: it is not ours any more.

        `fence` None: the node never learned whether its attach took effect; it shows the hash of the `secret` instead.
        """
        answer = await self.ask("park", customer, node=node, session=session, fence=fence, secret=secret)
        return answer.word == "parked"

    async def close(
        self,
        customer: str,
        *,
        session: str,
        fence: int,
        delivered: bool = False,
        acknowledged: bool = False,
    ) -> bool:
        """Ends a session, as `finish` does. True: it lived, and was the caller's."""
        told = {"delivered": delivered, "acknowledged": acknowledged}
        return await self.finish(customer, session=session, fence=fence, **told) is None

    async def finish(
        self,
        customer: str,
        *,
        session: str,
        fence: int,
        delivered: bool = False,
        acknowledged: bool = False,
    ) -> Gone | None:
        """Ends a session; its seats are free now. Ends a draining one too: the caller vouches that its socket is closed.

        `delivered` and `acknowledged` (of a forced logout) go into the receipt. None: done; else why there was nothing to do.
        """
        answer = await self.ask(
            "close",
            customer,
            session=session,
            fence=fence,
            delivered=delivered,
            acknowledged=acknowledged,
        )
        return answer.to(Gone) if answer.word == "gone" else None


def _queued(answer: Answer, session: str) -> Queued | None:
    return answer.to(Queued, session=session) if answer.word == "queued" else None


def _granted(answer: Answer, session: str, *, resumed: bool = False) -> Granted | Denied | Gone:
    match answer.word:
        case "granted":
            return answer.to(Granted, session=session, resumed=resumed)
        case "denied":
            return answer.to(Denied)
        case "gone":
            return answer.to(Gone)
        case "recovering":
            raise StoreUnavailable("recovering: only the end of the window can tell")
        case _:
            raise StoreUnavailable("this node's lease has lapsed")

"""What nodes do, in the model: beats, sweeps, re-assertions and forced logouts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seatd.store.values import (
    Beat,
    Due,
    Ended,
    Held,
    KickedSession,
    KickTarget,
    Reasserted,
    Swept,
)
from tests.model_policies import Policies
from tests.model_state import Customer, Session


class NodeLapsed(Exception):
    """The node asks without a lease."""


class Nodes(Policies):
    """The verbs between nodes."""

    def beat(self, node: str, *, done: int, joined: bool, leave: bool = False) -> Beat:
        lapsed = joined and not self.has_lease(node)
        self.orders[node] = [order for order in self.orders.get(node, ()) if order.number > done]
        if not leave:
            self.nodes[node] = self.now_ms + self.options.node_lease_ms
        elif self.held_by(node) or self.recovering:  # then it is waited for, and nobody reports here
            self.nodes[node] = self.now_ms
        else:
            self.forget(node)
        beat = Beat(
            epoch=self.epoch,
            now_ms=self.now_ms,
            wall_ms=self.now_ms,
            recover_until_ms=self.recover_until_ms,
            lapsed=lapsed,
            orders=tuple(self.orders.get(node, ())),
            due=tuple(self._due()),
            more=False,
        )
        self.tombs = {key: until for key, until in self.tombs.items() if until > self.now_ms}
        self.cooldowns = {key: until for key, until in self.cooldowns.items() if until > self.now_ms}
        return beat

    def _due(self) -> list[Due]:
        """What somebody has to look after; nodes that died and left nothing are forgotten on the way."""
        due = [
            Due(customer=name, session=session.id)
            for name, session in self.everyone()
            if (session.until_ms and session.until_ms <= self.now_ms)
            or (session.losing and session.losing.until_ms <= self.now_ms)
        ]
        for node in [name for name in self.nodes if not self.has_lease(name)]:
            held = self.held_by(node)
            due += [Due(customer=name, session=session.id, node=node) for name, session in held]
            if not held and not self.recovering:
                self.forget(node)
        return due

    def sweep(self, name: str, due: Iterable[Due]) -> Swept:
        parked: list[str] = []
        ended: list[Ended] = []
        with self.handing_on(name):
            self._sweep(name, () if self.recovering else due, parked, ended)
        return Swept(parked=tuple(parked), ended=tuple(ended))

    def _sweep(self, name: str, due: Iterable[Due], parked: list[str], ended: list[Ended]) -> None:
        for item in due:
            session = self.customer(name).sessions.get(item.session)
            if session is None:
                continue
            if session.node and not self.has_lease(session.node):
                if session.state != "draining":
                    session.disown()
                    session.park(self.nodes.get(session.node, self.now_ms) + self.options.linger_ms)
                if session.state == "parked":
                    parked.append(session.id)
                session.node = ""
            if session.losing and session.losing.until_ms <= self.now_ms:
                session.losing = None
            if session.until_ms and session.until_ms <= self.now_ms:
                self.drop(name, session)
                ended.append(Ended(session=session.id, fence=session.fence, user=session.user))

    def reassert(self, name: str, node: str, held: Sequence[Held]) -> Reasserted:
        if held:
            self._must_have_lease(node)
        lost = []
        for item in held:
            session = self.customer(name).sessions.get(item.session)
            if session and session.fence == item.fence and not session.node and session.state != "draining":
                session.state = "attached" if session.state == "parked" else session.state
                session.node, session.until_ms = node, 0
            elif self.recovering and item.session not in self.tombs and _is_behind(session, item.fence):
                continue
            elif session is None or (session.fence, session.node) != (item.fence, node):
                lost.append(item.session)
        return Reasserted(lost=tuple(lost), restored=())

    def kick(
        self,
        name: str,
        target: KickTarget,
        *,
        message: str,
        by: str,
        cooldown_ms: int,
        reply_to: str,
    ) -> list[KickedSession]:
        if target.user and not target.session:
            self.cool((name, target.user), cooldown_ms)
        kicked = []
        cooldown_s = -(-cooldown_ms // 1000)
        told = {"code": "forced", "message": message, "by": by, "cooldown_s": cooldown_s}
        with self.handing_on(name):
            for session in _matched(self.customer(name), target):
                one_device = (session.device.id,) if target.session else ()
                self.cool((name, session.user, *one_device), cooldown_ms)
                session.reply_to = reply_to
                whom = {"user": session.user, "device": one_device[0] if one_device else None}
                order = self.drain(name, session, type="logout", **told, **whom)
                out = KickedSession(
                    session=session.id,
                    user=session.user,
                    device=session.device,
                    node=session.node,
                    order=order,
                    fence=session.fence,
                )
                kicked.append(out)
        return kicked

    def _must_have_lease(self, node: str) -> None:
        if not self.has_lease(node):
            raise NodeLapsed(node)


def _matched(customer: Customer, target: KickTarget) -> list[Session]:
    """Whom a kick means, by user and session."""

    def means(session: Session) -> bool:
        if target.session:
            return session.id == target.session and target.user in (None, session.user)
        if target.user:
            return session.user == target.user
        if target.license:
            return any(seat.license == target.license for seat in session.seats)
        if target.domain:
            return session.domain == target.domain
        return target.everyone

    found = [s for s in customer.sessions.values() if s.state != "draining" and means(s)]
    return sorted(found, key=lambda session: (session.user, session.id))


def _is_behind(session: Session | None, fence: int) -> bool:
    """Whether the store may have lost what a node knows."""
    return session is None or session.fence < fence

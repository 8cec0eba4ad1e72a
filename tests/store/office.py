"""One customer's people, as the store's tests talk about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from seatd.licensing.catalog import Catalog, Refusal, holder_of
from seatd.store.audit_values import Deed
from seatd.store.redis import Store
from seatd.store.registry_values import LicenseRow
from seatd.store.values import (
    Beat,
    Denied,
    Due,
    Gone,
    Granted,
    KickedSession,
    KickTarget,
    Opening,
    Queued,
    Want,
)
from seatd_protocol.messages import Device
from tests.conftest import Clock
from tests.licenses import CUSTOMER, DOMAIN

CATALOG = Catalog.load()
NODE = "n1"
DAYS_MS = 24 * 3600 * 1000


def person(name: str, domain: str = DOMAIN) -> str:
    """`alice` is `alice@acme.example`."""
    return f"{name}@{domain}"


def wants(products: Iterable[str], user: str, device: Device) -> tuple[Want, ...]:
    """What a session on this device draws for these products, by the real catalogue."""
    requirements = CATALOG.requirements(products, device.kind)
    assert not isinstance(requirements, Refusal), requirements
    return tuple(
        Want(
            product=item.product,
            holder=holder_of(item, user, device.id),
            combine=item.combine,
            devices=item.counts_devices,
            max_per_user=item.max_per_user or 0,
            add_on=item.product in CATALOG.bases and item.counts_devices,
            missing=item.missing,
            device_rule=item.device_rule,
        )
        for item in requirements
    )


class Office:
    """Signs people in and out. Sessions are called `s1`, `s2`...; what a node carried out is remembered for its beats."""

    def __init__(self, store: Store, clock: Clock, customer: str = CUSTOMER, domain: str = DOMAIN) -> None:
        self.store = store
        self.clock = clock
        self.customer = customer
        self.domain = domain
        self.partition = store.partition(customer)
        self._sessions = 0
        self._done: dict[str, int] = {}

    # -- nodes ------------------------------------------------------------------------------------

    async def join(self, *nodes: str) -> None:
        for node in nodes:
            await self.beat(node, joined=False)

    async def beat(
        self, node: str = NODE, *, joined: bool = True, carry_out: bool = True, **how: Any
    ) -> Beat:
        """A beat of a node; with `carry_out` the next one tells the store that the orders are done."""
        beat = await self.store.beat(self.partition, node, done=self._done.get(node, 0), joined=joined, **how)
        if beat.orders and carry_out:
            self._done[node] = beat.orders[-1].number
        return beat

    async def sweep(self, due: Iterable[Due]) -> tuple[list[str], list[str]]:
        swept = await self.store.sweep(self.customer, list(due))
        return list(swept.parked), [str(ended.session) for ended in swept.ended]

    async def pass_ms(self, milliseconds: int, *alive: str) -> None:
        """Time goes by, while the nodes `alive` renew their leases."""
        while milliseconds > 0:
            step = min(milliseconds, self.store.options.node_lease_ms)
            self.clock.pass_ms(step)
            milliseconds -= step
            for node in alive:
                await self.beat(node, carry_out=False)

    # -- people -----------------------------------------------------------------------------------

    def opening(
        self,
        name: str = "alice",
        *products: str,
        device: str = "d1",
        kind: str = "desktop",
        session: str = "",
        want: Iterable[str] = (),
        **fields: Any,
    ) -> Opening:
        """A sign-in of somebody who needs these products."""
        self._sessions += not session
        session = session or f"s{self._sessions}"
        user = fields.pop("user", person(name, self.domain))
        on = Device(kind=kind, id=device)  # type: ignore[arg-type] # one of the four words
        return Opening(
            session=session,
            secret=f"secret of {session}",
            user=user,
            domain=fields.pop("domain", user.partition("@")[2]),
            device=on,
            need=wants(products, user, on),
            want=wants(want, user, on),
            **fields,
        )

    async def ask(
        self, name: str, *products: str, node: str = NODE, **how: Any
    ) -> Granted | Queued | Denied | Gone:
        """Asks for a session, and answers what the store said."""
        return await self.store.open(self.customer, node, self.opening(name, *products, **how))

    async def open(self, name: str, *products: str, **how: Any) -> Granted:
        """Opens a session that must be granted."""
        answer = await self.ask(name, *products, **how)
        assert isinstance(answer, Granted), answer
        return answer

    async def refused(self, name: str, *products: str, **how: Any) -> Denied:
        """Asks for a session that must be denied."""
        answer = await self.ask(name, *products, **how)
        assert isinstance(answer, Denied), answer
        return answer

    async def attach(self, session: str, name: str = "alice", *, node: str = "n2") -> Granted | Denied | Gone:
        return await self.store.attach(
            self.customer,
            node,
            session=session,
            secret=f"secret of {session}",
            user=person(name, self.domain),
        )

    async def close(self, session: Granted, **told: bool) -> bool:
        return await self.store.close(self.customer, session=session.session, fence=session.fence, **told)

    async def park(self, session: Granted, node: str = NODE) -> bool:
        return await self.store.park(self.customer, node, session=session.session, fence=session.fence)

    async def acquire(
        self, session: Granted, name: str, *products: str, **how: Any
    ) -> Granted | Queued | Denied | Gone:
        device = Device(kind="desktop", id="d1")
        need = wants(products, person(name, self.domain), device)
        return await self.store.acquire(
            self.customer, session=session.session, fence=session.fence, need=need, **how
        )

    async def kick(
        self, cooldown_ms: int = 0, reply_to: str = "n2", deed: Deed | None = None, **target: Any
    ) -> list[KickedSession]:
        return await self.store.kick(
            self.customer,
            KickTarget(**target),
            message="lunch",
            by="root",
            cooldown_ms=cooldown_ms,
            reply_to=reply_to,
            deed=deed,
        )

    # -- what is seen from outside ----------------------------------------------------------------

    async def row(self, license: str) -> LicenseRow:
        return next(row for row in await self.store.registry() if row.id == license)

    async def used(self, license: str) -> int:
        return (await self.row(license)).used

    async def states(self) -> dict[str, str]:
        """Every session's state."""
        page = await self.store.sessions(customer=self.customer)
        return {row.session: row.state for row in page.items}


def drawn(granted: Granted) -> list[tuple[str, str]]:
    """Product and license of each seat."""
    return [(seat.product, seat.license) for seat in granted.seats]

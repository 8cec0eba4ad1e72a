"""Customers, licenses, users and sessions, put into the store by its own verbs, many at once.

The first customer has a fifth of all users and sessions: pages about one customer are asked about that one.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from loadtest.second_node import SecondNode
from seatd.licensing.claims import CustomerClaim, LicenseClaim, LicenseKey
from seatd.store.audit_values import Actor, Change, Deed
from seatd.store.values import Granted, Opening, Want
from seatd_protocol.messages import Device

COMPETITIVE = ("CALL_CENTER", "CALL_MANAGER", "QUALITY_AUDITOR", "CUSTOMER_SERVICE")
PRODUCTS = (*COMPETITIVE, "MOBILE", "CUSTOMER_PORTAL", "VOIP_DEVICE", "team_chat", "EMAIL", "CHAT")
NOMINAL = ("EMAIL", "CHAT")
SHARE_OF_FIRST = 0.2
USERS_AT_ONCE = 25
AT_ONCE = 256
DAY_MS = 86_400_000
BENCH = Actor(name="bench", role="operator")

Advance = Callable[[int], None]
"""Told of how many more are done."""


@dataclass(frozen=True)
class Customer:
    """What one of them has."""

    name: str
    licenses: int
    users: int
    sessions: int
    domain: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "domain", f"{self.name}.example")

    def user(self, number: int) -> str:
        """The full name of one of its users."""
        return f"user{number:06d}@{self.domain}"


def customers(count: int, licenses: int, users: int, seats: int) -> list[Customer]:
    """So many customers that share the rest; the first one has its fifth."""
    each = list(zip(_shares(users, count), _shares(seats, count), strict=True))
    return [Customer(f"customer{number:03d}", licenses // count, *whose) for number, whose in enumerate(each)]


def _shares(total: int, count: int) -> list[int]:
    first = round(total * SHARE_OF_FIRST) if count > 1 else total
    rest, over = divmod(total - first, max(1, count - 1))
    return [first, *(rest + (number < over) for number in range(count - 1))]


async def fill(node: SecondNode, them: Sequence[Customer], advance: Advance) -> None:
    """Puts all of it in."""
    await batched(bring_licenses(node, customer, advance) for customer in them)
    await batched(_users(node, customer, advance) for customer in them)
    await batched(_sessions(node, them, advance))


async def bring_licenses(node: SecondNode, customer: Customer, advance: Advance) -> None:
    """Imports all licenses of one of them, and claims its domain."""
    await node.store.put_license(_key(customer), deed=_deed("licenses.import", customer.name))
    await node.store.claim_domains(customer.name, [customer.domain])
    advance(customer.licenses)


def _key(customer: Customer) -> LicenseKey:
    now_ms = time.time_ns() // 1_000_000
    entries = tuple(_license(customer, number, now_ms) for number in range(customer.licenses))
    return LicenseKey(
        jti=f"key of {customer.name}",
        iss="bench",
        iat=now_ms // 1000,
        kid="bench",
        customer=CustomerClaim(id=customer.name, name=customer.name.title(), agency="wholesale"),
        domains=(customer.domain,),
        licenses=entries,
        text="no key, but as long as one " * 40,
    )


def _license(customer: Customer, number: int, now_ms: int) -> LicenseClaim:
    product = PRODUCTS[number % len(PRODUCTS)]
    return LicenseClaim(
        id=f"{customer.name}-{number:03d}",
        product=product,
        kind="nominal" if product in NOMINAL else "competitive",
        limit=customer.users + 10,
        valid_from_ms=now_ms - DAY_MS,
        valid_till_ms=now_ms + (number + 1) * 30 * DAY_MS,
        name=f"Order {number}",
        tier="gold",
    )


async def _users(node: SecondNode, customer: Customer, advance: Advance) -> None:
    for start in range(0, customer.users, USERS_AT_ONCE):
        numbers = range(start, min(start + USERS_AT_ONCE, customer.users))
        changes = [
            Change(place="users", field=customer.user(number), after=_record(number)) for number in numbers
        ]

        async def decide(changes: list[Change] = changes) -> list[Change]:
            return changes

        await node.store.amend(customer.name, _deed("users.create", customer.user(start)), decide)
        advance(len(numbers))


def _record(number: int) -> dict[str, object]:
    return {
        "name": f"Person {number}",
        "role": "agent",
        "groups": ["sales", f"team{number % 50}"],
        "created_ms": 1,
    }


def _sessions(node: SecondNode, them: Sequence[Customer], advance: Advance) -> Iterator[Awaitable[None]]:
    longest = max(customer.sessions for customer in them)
    for number in range(longest):
        for customer in them:
            if number < customer.sessions:
                yield sign_in(node, customer, number, COMPETITIVE[number % len(COMPETITIVE)], advance)


async def sign_in(node: SecondNode, customer: Customer, number: int, product: str, advance: Advance) -> None:
    """A session of one of the users, at that node."""
    got = await node.store.open(customer.name, node.name, opening(customer, number, product))
    assert isinstance(got, Granted), got
    advance(1)


def opening(customer: Customer, number: int, product: str) -> Opening:
    """The sign-in of one of the users."""
    user = customer.user(number)
    return Opening(
        session=secrets.token_hex(8),
        secret=secrets.token_hex(32),
        user=user,
        domain=customer.domain,
        device=Device(kind="desktop", id=f"device{number}"),
        need=(Want(product=product, holder=user, combine="sum"),),
    )


async def batched(calls: Iterable[Awaitable[object]]) -> None:
    """Awaits them all, so many at a time: they travel to the store together."""
    left = iter(calls)

    async def worker() -> None:
        for call in left:
            await call

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


def _deed(action: str, target: str) -> Deed:
    return Deed(by=BENCH, action=action, target=target)

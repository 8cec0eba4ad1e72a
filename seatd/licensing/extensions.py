"""Extensions of a phone system: a base license each, add-ons on top, a user if there is one. Rules and arithmetic, no I/O."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from seatd.licensing.catalog import Catalog
from seatd.licensing.names import BadName, check_domain, split_user
from seatd.licensing.product import Product

BASE = "phone_system"
LONGEST_NUMBER = 20
_EXTENSION = re.compile(r"[1-9][0-9]{2,4}")
_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{1,18}")


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """One extension: its digits, the number it is reached by from outside, its user, and the add-ons of its base license.

    An add-on that stands twice is there for two devices.
    """

    extension: str
    number: str = ""
    user: str = ""
    base: str = BASE
    add_ons: tuple[str, ...] = ()

    def products(self) -> tuple[str, ...]:
        """Every license that it takes, as often as it takes it."""
        return (self.base, *self.add_ons)


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Extensions that may be provisioned: from `first` to `last`, both included, by number."""

    first: int
    last: int


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with an extension: in which field, and why. `add_ons[0]` is the first add-on."""

    field: str
    message: str


def faults_of(extension: Extension, blocks: Iterable[Block], catalog: Catalog) -> Iterator[Wrong]:
    """Everything that is wrong with an extension by itself: nothing when it may be provisioned."""
    yield from _of_digits(extension.extension, tuple(blocks))
    if extension.number and not _NUMBER.fullmatch(extension.number):
        yield Wrong(field="number", message="a telephone number has up to 19 digits, and may begin with +")
    if extension.user:
        yield from _of_user(extension.user)
    yield from _of_add_ons(extension, catalog)


def consecutive(first: str, count: int) -> tuple[str, ...]:
    """`count` extensions from `first` on; ValueError when they do not fit into five digits."""
    if not _EXTENSION.fullmatch(first):
        raise ValueError("an extension has 3 to 5 digits and does not begin with 0")
    last = int(first) + count - 1
    if last > 99_999:
        raise ValueError(f"{count} extensions from {first} on end beyond 99999")
    return tuple(str(number) for number in range(int(first), last + 1))


def demand(extensions: Iterable[Extension]) -> Counter[str]:
    """How many licenses of each product extensions take together."""
    return Counter(product for extension in extensions for product in extension.products())


def bought(offers: Iterable[tuple[str, int]], catalog: Catalog) -> dict[str, int]:
    """Product -> how much of it licenses give together, out of each one's product and limit: their sum, or the largest."""
    limits: dict[str, int] = {}
    for name, limit in offers:
        product = catalog.products.get(name)
        before = limits.get(name, 0)
        limits[name] = max(before, limit) if product and product.combine == "max" else before + limit
    return limits


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What new extensions must fit in: those that are there, the customer's blocks and domains, and what was bought."""

    extensions: dict[str, Extension]
    blocks: tuple[Block, ...]
    domains: frozenset[str]
    bought: dict[str, int]


def faults_of_all(new: Iterable[Extension], site: Site, catalog: Catalog) -> Iterator[tuple[int, Wrong]]:
    """Everything that is wrong with new extensions, by themselves, with each other and with the site: place in `new`, fault.

    Where more is wanted than was bought, the first one that finds nothing left is at fault.
    """
    taken = set(site.extensions)
    users = {extension.user: extension.extension for extension in site.extensions.values() if extension.user}
    wanted = demand(site.extensions.values())
    for place, extension in enumerate(new):
        own = list(faults_of(extension, site.blocks, catalog))
        fields = {wrong.field for wrong in own}
        others = _of_others(extension, taken, users, site.domains)
        demanded = _of_demand(extension, wanted, site.bought)
        for wrong in (*own, *others, *(wrong for wrong in demanded if wrong.field not in fields)):
            yield place, wrong
        taken.add(extension.extension)
        if extension.user:
            users.setdefault(extension.user, extension.extension)


def faults_of_change(before: Extension, after: Extension, site: Site, catalog: Catalog) -> Iterator[Wrong]:
    """What is wrong with what becomes another of an extension. What it has already it keeps, also beyond what was bought."""
    others = {name: other for name, other in site.extensions.items() if name != before.extension}
    changed = {name for name in ("number", "user") if getattr(before, name) != getattr(after, name)}
    had = Counter(before.add_ons)
    for place, name in enumerate(after.add_ons):
        had[name] -= 1
        if had[name] < 0:
            changed.add(f"add_ons[{place}]")
    for _, wrong in faults_of_all([after], replace(site, extensions=others), catalog):
        if wrong.field in changed:
            yield wrong


def _of_others(
    extension: Extension, taken: set[str], users: dict[str, str], domains: frozenset[str]
) -> Iterator[Wrong]:
    if extension.extension in taken:
        yield Wrong(field="extension", message="the extension is there already")
    if extension.user in users:
        yield Wrong(field="user", message=f"the user has extension {users[extension.user]} already")
    elif "@" in extension.user and extension.user.rpartition("@")[2] not in domains:
        yield Wrong(field="user", message="the user's domain is none of the customer's")


def _of_demand(extension: Extension, wanted: Counter[str], limits: dict[str, int]) -> Iterator[Wrong]:
    """Counts the extension in."""
    for place, product in enumerate(extension.products()):
        limit = limits.get(product, 0)
        if wanted[product] >= limit:
            field = f"add_ons[{place - 1}]" if place else "extension"
            yield Wrong(field=field, message=f"all {limit} licenses of {product} that were bought are used")
        else:
            wanted[product] += 1


def _of_digits(digits: str, blocks: tuple[Block, ...]) -> Iterator[Wrong]:
    if not _EXTENSION.fullmatch(digits):
        yield Wrong(field="extension", message="an extension has 3 to 5 digits and does not begin with 0")
    elif not any(block.first <= int(digits) <= block.last for block in blocks):
        yield Wrong(field="extension", message="the extension is in none of the customer's number blocks")


def _of_user(user: str) -> Iterator[Wrong]:
    try:
        check_domain(split_user(user)[1])
    except BadName as error:
        yield Wrong(field="user", message=str(error))


def _of_add_ons(extension: Extension, catalog: Catalog) -> Iterator[Wrong]:
    seen: Counter[str] = Counter()
    for place, name in enumerate(extension.add_ons):
        seen[name] += 1
        product = catalog.products.get(name)
        field = f"add_ons[{place}]"
        if product is None:
            yield Wrong(field=field, message="there is no such product")
        elif product.base != extension.base:
            yield Wrong(field=field, message=f"{name} is no add-on of {extension.base}")
        elif (most := most_per_extension(product)) and seen[name] > most:
            yield Wrong(field=field, message=f"an extension has {name} at most {_times(most)}")


def most_per_extension(product: Product) -> int | None:
    """How often an extension may have an add-on: as often as the catalogue says; once, where it counts no devices."""
    return product.per_extension if product.counts == "device" else 1


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"

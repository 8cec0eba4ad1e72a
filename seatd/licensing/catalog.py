"""The product catalogue: what can be licensed, what each product counts, what it implies and opens.

`Catalog.load()` reads the packaged `catalog.toml`; an operator may replace it with a text of the same form,
which is checked before it is used (`BadCatalog` names every place and reason).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Literal

import msgspec

from seatd.licensing.catalog_file import BadCatalog, read_catalog
from seatd.licensing.product import Combine, DeviceRule, Product
from seatd_protocol.messages import DeviceKind

__all__ = ["BadCatalog", "Catalog", "Product", "Refusal", "Requirement", "holder_of"]


REMEMBERED = 1024
"""Lists of products whose requirements are remembered: clients ask for the same few all day long."""


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """A seat that a session needs, because its client asked (`asked`) or because a product implies it.

    `max_per_user` bounds the devices of one user on it (None: no bound). `missing` is the denial code when
    the customer has no license of the product at all.
    """

    product: str
    combine: Combine
    counts_devices: bool
    max_per_user: int | None
    missing: Literal["not_licensed", "base_missing"] = "not_licensed"
    asked: bool
    device_rule: DeviceRule = "refuse"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a session can never have this product, whatever is licensed."""

    code: Literal["not_licensed", "device_not_allowed"]
    product: str


class Catalog:
    """All products in the order of the catalogue, and the rules that follow from them. `bases`: add-on -> its base."""

    def __init__(self, products: Mapping[str, Product], section_order: tuple[str, ...]) -> None:
        self.products = dict(products)
        self._section_order = section_order
        self.bases = {name: product.base for name, product in products.items() if product.base}
        self._bases = frozenset(self.bases.values())
        self._required = lru_cache(REMEMBERED)(self._find_required)

    @classmethod
    def load(cls, text: str | None = None) -> Catalog:
        """The catalogue in this TOML text, or the packaged one. Raises BadCatalog with every fault."""
        if text is None:
            text = resources.files("seatd.licensing").joinpath("catalog.toml").read_text("utf-8")
        return cls(*read_catalog(text))

    def sections(self, products: Iterable[str]) -> tuple[str, ...]:
        """The sections these products open together, in catalogue order; unknown products open none."""
        held = [self.products[name] for name in products if name in self.products]
        opened = {section for product in held for section in product.sections}
        return tuple(section for section in self._section_order if section in opened)

    def requirements(
        self, products: Iterable[str], device_kind: DeviceKind
    ) -> tuple[Requirement, ...] | Refusal:
        """What a session on such a device needs to have these products; bases come first, each product once.

        An add-on needs its base. The base and each of its add-ons need the add-on for the session's own
        device kind, where the catalogue has one.
        """
        return self._required(tuple(products), device_kind)

    def _find_required(
        self, products: tuple[str, ...], device_kind: DeviceKind
    ) -> tuple[Requirement, ...] | Refusal:
        asked = list(dict.fromkeys(products))
        for name in asked:
            product = self.products.get(name)
            if product is None:
                return Refusal(code="not_licensed", product=name)
            if not product.allows(device_kind):
                return Refusal(code="device_not_allowed", product=name)
        bases = [base for name in asked if (base := self._base_of(name))]
        device_add_ons = [add_on for base in bases if (add_on := self.device_add_on(base, device_kind))]
        needed = dict.fromkeys([*bases, *asked, *device_add_ons])
        return tuple(self._requirement(name, asked) for name in needed)

    def device_add_on(self, base: str, device_kind: DeviceKind) -> str | None:
        """The add-on of this base that stands for a device of this kind, if the catalogue has one."""
        for product in self.products.values():
            if product.base == base and product.counts == "device" and product.device == device_kind:
                return product.name
        return None

    def _base_of(self, name: str) -> str | None:
        return name if name in self._bases else self.products[name].base

    def _requirement(self, name: str, asked: list[str]) -> Requirement:
        product = self.products[name]
        add_on_asked = any(self.products[other].base == name for other in asked)
        return Requirement(
            product=name,
            combine=product.combine,
            counts_devices=product.counts == "device",
            max_per_user=product.per_extension,
            missing="base_missing" if add_on_asked else "not_licensed",
            asked=name in asked,
            device_rule=product.device_rule,
        )


def holder_of(requirement: Requirement, user: str, device_id: str) -> str:
    """What the seat is counted against: the user, or the user's device for a product that counts devices."""
    return f"{user}/{device_id}" if requirement.counts_devices else user

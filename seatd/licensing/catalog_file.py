"""Reads a product catalogue (TOML) and refuses one that contradicts itself, with every place and reason.

The form of the file is described in the head of the packaged `catalog.toml`.
"""

from __future__ import annotations

import re
import tomllib
from typing import Literal

import msgspec

from seatd.licensing.product import Combine, Counts, DeviceRule, Product
from seatd_protocol.messages import DeviceKind, SeatKind

NAME = re.compile(r"[A-Za-z0-9_]{1,64}")  # as products are named on the wire


class BadCatalog(ValueError):
    """A catalogue that cannot be used; `faults` has one line "place: reason" per fault."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("the product catalogue is not usable\n" + "\n".join(faults))


class ProductEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[products.NAME]` as written."""

    kinds: frozenset[SeatKind]
    combine: Combine
    counts: Counts
    resource: str | None = None
    device: DeviceKind | Literal["any", "none"] = "any"
    base: str | None = None
    per_extension: int | None = None
    emergency: bool = True
    device_rule: DeviceRule = "refuse"


class SectionsEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[sections]]` as written: a row of the matrix."""

    names: tuple[str, ...]
    opened_by: tuple[str, ...]


class CatalogEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as a whole; its entries are read one by one, so that each fault has its place."""

    products: dict[str, object]
    sections: tuple[object, ...] = ()


def read_catalog(text: str) -> tuple[dict[str, Product], tuple[str, ...]]:
    """The products by name, and all sections, both in the order of the text. Raises BadCatalog."""
    try:
        entry = msgspec.convert(tomllib.loads(text), CatalogEntry)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadCatalog([_place(error, "catalog")]) from None
    except RecursionError:
        raise BadCatalog(["catalog: nested too deeply"]) from None
    faults: list[str] = []
    products = _read_products(entry, faults)
    sections = _read_sections(entry, faults)
    if not faults:
        faults = _product_faults(products) + _section_faults(sections, products)
    if faults:
        raise BadCatalog(faults)
    order = tuple(name for row in sections for name in row.names)
    return {name: _product(name, product, sections) for name, product in products.items()}, order


def _read_products(entry: CatalogEntry, faults: list[str]) -> dict[str, ProductEntry]:
    products = {}
    for name, value in entry.products.items():
        place = f"products.{name}"
        if not NAME.fullmatch(name):
            faults.append(f"{place}: a product is named with letters, digits and _, at most 64")
        try:
            products[name] = msgspec.convert(value, ProductEntry)
        except msgspec.ValidationError as error:
            faults.append(_place(error, place))
    if not entry.products:
        faults.append("products: at least one product is needed")
    return products


def _read_sections(entry: CatalogEntry, faults: list[str]) -> list[SectionsEntry]:
    rows = []
    for index, value in enumerate(entry.sections):
        try:
            rows.append(msgspec.convert(value, SectionsEntry))
        except msgspec.ValidationError as error:
            faults.append(_place(error, f"sections[{index}]"))
    return rows


def _place(error: Exception, place: str) -> str:
    """msgspec says "reason - at `$.field`": turned round, with the place of the entry in front."""
    reason, _, field = str(error).partition(" - at `$")
    return f"{place}{field.rstrip('`')}: {reason}"


def _product_faults(products: dict[str, ProductEntry]) -> list[str]:
    faults = []
    device_add_ons: dict[tuple[str, str], str] = {}
    for name, product in products.items():
        faults += [f"products.{name}.{reason}" for reason in _contradictions(name, product, products)]
        if product.base and product.counts == "device":
            other = device_add_ons.setdefault((product.base, product.device), name)
            if other != name:
                faults.append(f"products.{name}.device: {other} is already this base's add-on for the device")
    return faults


def _contradictions(name: str, product: ProductEntry, products: dict[str, ProductEntry]) -> list[str]:
    base = products.get(product.base) if product.base else None
    rules = {
        "kinds: name at least one kind": not product.kinds,
        "resource: say which resource is counted": product.counts == "resource" and not product.resource,
        'device: must be "none" when only a resource is counted': (
            product.counts == "resource" and product.device != "none"
        ),
        'device: "none" is for products that count a resource': (
            product.counts != "resource" and product.device == "none"
        ),
        "resource: letters, digits and _, at most 64": bool(
            product.resource and not NAME.fullmatch(product.resource)
        ),
        f"base: there is no product {product.base}": product.base is not None and base is None,
        "base: a product cannot be its own base": product.base == name,
        f"base: {product.base} is an add-on itself": bool(
            base and base.base is not None and product.base != name
        ),
        "per_extension: must be 1 or more": product.per_extension is not None and product.per_extension < 1,
        "per_extension: is for add-ons that count devices": product.per_extension is not None
        and (product.base is None or product.counts != "device"),
    }
    return [reason for reason, broken in rules.items() if broken]


def _section_faults(rows: list[SectionsEntry], products: dict[str, ProductEntry]) -> list[str]:
    faults = []
    seen: set[str] = set()
    for index, row in enumerate(rows):
        unknown = [name for name in row.opened_by if name not in products]
        faults += [f"sections[{index}].opened_by: there is no product {name}" for name in unknown]
        for name in row.names:
            if not NAME.fullmatch(name):
                faults.append(f"sections[{index}].names: letters, digits and _, at most 64")
            if name in seen:
                faults.append(f"sections[{index}].names: {name} is listed twice")
            seen.add(name)
    return faults


def _product(name: str, entry: ProductEntry, rows: list[SectionsEntry]) -> Product:
    return Product(
        name=name,
        kinds=entry.kinds,
        combine=entry.combine,
        counts=entry.counts,
        resource=entry.resource,
        device=None if entry.device == "any" else entry.device,
        base=entry.base,
        per_extension=entry.per_extension,
        emergency=entry.emergency,
        device_rule=entry.device_rule,
        sections=tuple(section for row in rows if name in row.opened_by for section in row.names),
    )

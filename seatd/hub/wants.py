"""From product names to what the store is asked for: the token's limits, then the catalogue's rules."""

from __future__ import annotations

from collections.abc import Sequence

from seatd.hub.tokens import Identity
from seatd.licensing.catalog import Catalog, Refusal, holder_of
from seatd.store.values import Denied, Want
from seatd_protocol.messages import Device


def wants_of(
    catalog: Catalog, products: Sequence[str], identity: Identity, device: Device
) -> tuple[Want, ...] | Denied:
    """What a session on this device draws for these products, implied ones included; or why it never can."""
    if identity.devices is not None and device.kind not in identity.devices:
        return Denied(code="device_not_allowed", product=products[0] if products else None)
    for product in products:
        if identity.products is not None and product not in identity.products:
            return Denied(code="not_entitled", product=product)
    requirements = catalog.requirements(products, device.kind)
    if isinstance(requirements, Refusal):
        return Denied(code=requirements.code, product=requirements.product)
    return tuple(
        Want(
            product=item.product,
            holder=holder_of(item, identity.user, device.id),
            combine=item.combine,
            devices=item.counts_devices,
            max_per_user=item.max_per_user or 0,
            add_on=item.product in catalog.bases and item.counts_devices,
            missing=item.missing,
            device_rule=item.device_rule,
        )
        for item in requirements
    )


def with_add_ons(catalog: Catalog, products: Sequence[str], held: Sequence[str]) -> list[str]:
    """These products and, of those held, the add-ons that cannot stand without them."""
    named = list(dict.fromkeys(products))
    return named + [
        name
        for name in held
        if name not in named and name in catalog.products and catalog.products[name].base in named
    ]

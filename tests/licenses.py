"""License keys for tests, as values: what `verify` would make of a signed key, without the signing."""

from __future__ import annotations

from typing import Any

from seatd.licensing.keys import CustomerClaim, LicenseClaim, LicenseKey
from seatd.store.redis import Store

FROM_MS = 1_700_000_000_000
TILL_MS = 1_900_000_000_000
CUSTOMER = "acme"
DOMAIN = "acme.example"


def license_claim(
    id: str = "cc-1", product: str = "CALL_CENTER", limit: int = 5, **fields: Any
) -> LicenseClaim:
    """One license; competitive and valid for years unless `fields` say otherwise."""
    times = {"valid_from_ms": FROM_MS, "valid_till_ms": TILL_MS}
    return LicenseClaim(id=id, product=product, limit=limit, **{"kind": "competitive", **times, **fields})


def license_key(
    *licenses: LicenseClaim,
    customer: str = CUSTOMER,
    domains: tuple[str, ...] = (DOMAIN,),
    jti: str = "key-1",
    iat: int = 1_700_000_000,
    profile: dict[str, str] | None = None,
) -> LicenseKey:
    """A key of these licenses. Its text says which key it is."""
    return LicenseKey(
        jti=jti,
        iss="vendor",
        iat=iat,
        kid="kid",
        customer=CustomerClaim(id=customer, **(profile or {})),
        domains=domains,
        licenses=licenses,
        text=f"text of {jti}",
    )


class Licensed:
    """Puts licenses into a store, each by a newer key of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = 0

    async def __call__(
        self,
        product: str = "CALL_CENTER",
        limit: int = 5,
        *,
        id: str = "",
        customer: str = CUSTOMER,
        domains: tuple[str, ...] = (DOMAIN,),
        **fields: Any,
    ) -> str:
        """Imports one license and answers its id: `id`, or the product and a number. A known id replaces that license."""
        self._keys += 1
        claim = license_claim(id or f"{product}-{self._keys}", product, limit, **fields)
        jti, iat = f"{customer}-key-{self._keys}", 1_700_000_000 + self._keys
        key = license_key(claim, customer=customer, domains=domains, jti=jti, iat=iat)
        imported = await self._store.put_license(key)
        assert imported.status == "imported", imported
        return claim.id

"""Licenses in and out, and assignments, in the model."""

from __future__ import annotations

from dataclasses import replace

from seatd.licensing.keys import LicenseKey
from seatd.store.registry_values import Assigned, Imported
from tests.model_state import License, State


class Registry(State):
    """The verbs of administrators."""

    def put_license(self, key: LicenseKey, *, dry_run: bool = False) -> Imported:
        elsewhere = [
            entry.id
            for name, other in sorted(self.customers.items())
            if name != key.customer.id
            for entry in key.licenses
            if entry.id in other.licenses
        ]
        if elsewhere:
            return Imported(status="other_customer", faulty=tuple(elsewhere))
        licenses = self.customer(key.customer.id).licenses
        standing = {entry.id: licenses[entry.id] for entry in key.licenses if entry.id in licenses}
        added = tuple(entry.id for entry in key.licenses if entry.id not in standing)
        replaced = tuple(id_ for id_, license in standing.items() if license.jti != key.jti)
        if not added and not replaced:
            return Imported(status="already_imported")
        older = tuple(id_ for id_ in replaced if standing[id_].iat > key.iat)
        if older:
            return Imported(status="older_key", faulty=older)
        if not dry_run:
            for license in _licenses(key).values():
                self._replace(key.customer.id, license)
        return Imported(status="imported", added=added, replaced=replaced)

    def drop_license(self, name: str, license: str) -> bool:
        customer = self.customer(name)
        customer.assigned = {pair for pair in customer.assigned if pair[0] != license}
        gone = customer.licenses.pop(license, None)
        if gone and customer.holders(license):
            customer.withdrawn[license] = replace(gone, removed_ms=self.now_ms)
        return gone is not None

    def _replace(self, name: str, license: License) -> None:
        """What has become of those who hold the license that this one replaces is noted, with its moment."""
        customer = self.customer(name)
        before = customer.licenses.get(license.id) or customer.withdrawn.pop(license.id, None)
        if before:
            covered = set(before.domains) <= set(license.domains) and before.product == license.product
            narrowed_ms = before.narrowed_ms if covered else before.narrowed_ms or self.now_ms
            above = len(customer.holders(license.id)) > license.limit + license.overdraft
            license = replace(
                license,
                narrowed_ms=narrowed_ms,
                lowered_ms=(before.lowered_ms or self.now_ms) if above else None,
                warned_ms=before.warned_ms if before.till_ms == license.till_ms else None,
            )
        customer.licenses[license.id] = license

    def assign(self, name: str, license: str, user: str, *, domain: str, combine: str = "sum") -> Assigned:
        customer = self.customer(name)
        found = customer.licenses.get(license)
        if found is None:
            return Assigned(status="unknown_license")
        if found.kind != "nominal":
            return Assigned(status="not_nominal")
        if domain not in found.domains:
            return Assigned(status="wrong_domain")
        counted = [found]
        if combine == "max":
            same = (found.product, found.kind)
            counted = [x for x in customer.licenses.values() if (x.product, x.kind) == same]
        limit = max(other.limit for other in counted)
        used = sum(customer.assignments(other.id) for other in counted)
        if (license, user) in customer.assigned:
            return Assigned(status="already", limit=limit, used=used)
        if used >= limit:
            return Assigned(status="full", limit=limit, used=used)
        customer.assigned.add((license, user))
        return Assigned(status="assigned", limit=limit, used=used + 1)

    def unassign(self, name: str, license: str, user: str) -> bool:
        assigned = self.customer(name).assigned
        known = (license, user) in assigned
        assigned.discard((license, user))
        return known


def _licenses(key: LicenseKey) -> dict[str, License]:
    return {
        entry.id: License(
            id=entry.id,
            product=entry.product,
            kind=entry.kind,
            limit=entry.limit,
            overdraft=entry.overdraft,
            from_ms=entry.valid_from_ms,
            till_ms=entry.valid_till_ms,
            domains=key.domains,
            jti=key.jti,
            iat=key.iat,
            policy=entry.policy,
        )
        for entry in key.licenses
    }

"""What administrators and the calendar do to licenses while people use them: steps of the comparison with the model."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    rule,
)

from seatd.licensing.keys import LicenseKey
from tests.store.contents import contents
from tests.store.side_by_side import SideBySide
from tests.store.strategies import (
    COMBINE,
    CUSTOMERS,
    LICENSES,
    PARTITION,
    KeyParts,
    a_customer,
    a_license,
    a_nominal,
    a_user,
    claim,
    keys,
    seldom,
)


class LicenseSteps(SideBySide):
    """Licenses come, grow, shrink, are given to users and withdrawn."""

    imports: Bundle[LicenseKey] = Bundle("imports")

    @rule(customer=a_customer)
    def serve(self, customer: str) -> None:
        """Nobody waits for what is free and promised to nobody: asked again, there is nothing more to hand on."""
        places = self.both("serve", customer)
        before = self.run(contents(self.store, PARTITION, CUSTOMERS))
        assert self.both("serve", customer) == places
        assert self.run(contents(self.store, PARTITION, CUSTOMERS)) == before

    @rule(customer=a_customer, license=a_license, limit=st.integers(1, 3))
    def resize(self, customer: str, license: str, limit: int) -> None:
        """A license grows or shrinks while people wait."""
        self.import_key(
            (
                customer,
                ("one.test", "two.test"),
                [claim(license, limit=limit, overdraft=0, from_ms=0, till_ms=500_000)],
            )
        )
        self.serve(customer)

    @rule(target=imports, key=keys(), dry_run=seldom)
    def import_key(self, key: KeyParts, dry_run: bool = False) -> LicenseKey:
        customer, domains, claims = key
        return self.imported(customer, domains, claims, dry_run=dry_run)

    @rule(key=imports, drop=st.booleans())
    def import_again(self, key: LicenseKey, drop: bool) -> None:
        """The same key once more, perhaps after one of its licenses was withdrawn."""
        if drop:
            self.both("drop_license", key.customer.id, key.licenses[0].id)
        self.both("put_license", key)

    @rule(customer=a_customer, license=a_license)
    def drop_license(self, customer: str, license: str) -> None:
        self.used_stays_within_the_limit()  # it may be one of several changes in a step
        self.both("drop_license", customer, license)

    @rule(customer=a_customer, license=a_license)
    def look_after(self, customer: str, license: str) -> None:
        """A node looks after some license."""
        self.enforce_policy(customer, license)

    @rule(customer=a_customer, license=a_nominal, user=a_user, back=seldom)
    def assign(self, customer: str, license: str, user: str, back: bool) -> None:
        if back:
            self.both("unassign", customer, license, user)
        else:
            combine = COMBINE.get(LICENSES[license][0], "sum")
            self.both("assign", customer, license, user, domain=user.partition("@")[2], combine=combine)

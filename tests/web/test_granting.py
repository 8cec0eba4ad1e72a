"""Nobody gives away more than he has: every role that may give, against every role, here and elsewhere."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatd.store.access_values import EVERYTHING, ROLES, Grant
from seatd.web.granting import GIVES, covers, narrowed, within
from seatd.web.rights import RIGHTS, reach

OWNER = Grant(role="owner", customers=("acme", "beta"))
RANK = ["", "own", "all"]


def test_only_those_give_who_may_administer() -> None:
    assert set(GIVES) == {role for role in ROLES if reach(role, "administrators.change")}
    assert set(GIVES) == {role for role in ROLES if reach(role, "tokens.change")}


def test_no_role_gives_one_that_may_do_more() -> None:
    """But for one cell: an auditor of some customers sees, of the agencies, only theirs."""
    wider = {
        (giver, given, action)
        for giver, gives in GIVES.items()
        for given in gives
        for action in RIGHTS
        if giver != "operator" and RANK.index(reach(given, action)) > RANK.index(reach(giver, action))
    }
    assert wider <= {("owner", "auditor", "agencies.read")}


def test_an_operator_gives_anything() -> None:
    for grant in (EVERYTHING, OWNER, Grant(role="agency", agency="a"), Grant(role="auditor")):
        assert covers(EVERYTHING, grant)


@pytest.mark.parametrize(
    ("given", "good"),
    [
        (EVERYTHING, False),
        (Grant(role="agency", agency="a"), False),
        (Grant(role="auditor"), False),
        (Grant(role="auditor", agency="a"), False),
        (OWNER, True),
        (Grant(role="owner", customers=("acme",)), True),
        (Grant(role="owner", customers=("acme", "gamma")), False),
        (Grant(role="admin", customers=("gamma",)), False),
        (Grant(role="supervisor", customers=("acme",), domains=("acme.example",)), True),
        (Grant(role="auditor", customers=("beta",)), True),
    ],
)
def test_what_an_owner_gives(given: Grant, good: bool) -> None:
    assert covers(OWNER, given) == good


def test_an_owner_of_some_domains_gives_only_those() -> None:
    own = Grant(role="owner", customers=("acme",), domains=("a.example",))
    assert not covers(own, Grant(role="admin", customers=("acme",)))
    assert not covers(own, Grant(role="admin", customers=("acme",), domains=("a.example", "b.example")))
    assert covers(own, Grant(role="admin", customers=("acme",), domains=("a.example",)))


@pytest.mark.parametrize("role", [role for role in ROLES if role not in GIVES])
def test_the_others_give_nothing(role: str) -> None:
    own = Grant(role=role, customers=("acme",), domains=("a.example",))  # type: ignore[arg-type]
    assert not covers(own, own)


def test_what_is_shown_of_a_grant_that_is_partly_elsewhere() -> None:
    own = Grant(role="owner", customers=("acme",))
    assert within(own, OWNER) == own
    assert within(own, EVERYTHING) is None
    assert within(own, Grant(role="auditor", customers=("gamma",))) is None
    assert within(EVERYTHING, OWNER) == OWNER


def test_what_is_shown_of_a_grant_to_who_has_some_domains() -> None:
    own = Grant(role="owner", customers=("acme",), domains=("a.example",))
    both = Grant(role="supervisor", customers=("acme",), domains=("a.example", "b.example"))
    assert within(own, both) == replace(both, domains=("a.example",))
    assert within(own, replace(both, domains=("b.example",))) is None
    assert within(own, Grant(role="owner", customers=("acme",))) == own
    assert within(Grant(role="owner", customers=("acme",)), both) == both


def test_acting_for_one_customer() -> None:
    assert narrowed(OWNER, "acme") == Grant(role="owner", customers=("acme",))
    assert narrowed(OWNER, "gamma") is None
    assert narrowed(EVERYTHING, "acme") == Grant(role="owner", customers=("acme",))
    assert narrowed(Grant(role="auditor"), "acme") == Grant(role="auditor", customers=("acme",))
    assert narrowed(Grant(role="agency", agency="a"), "acme") is None

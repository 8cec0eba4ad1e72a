"""The table of rights, walked through: every call of the API as every role, about what is the caller's and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seatd.store.access_values import EVERYTHING, ROLES, Grant, Role, TokenRecord, fault_of
from seatd.store.account_values import PERMISSIONS
from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.web.api.ops import Op
from seatd.web.api.table import OPS
from seatd.web.auth import token_hash
from seatd.web.rights import OPEN, RIGHTS, reach
from tests.web.conftest import Site, license_key
from tests.web.hooks import dead_letter
from tests.web.people import TOTP, administrator, signed_in
from tests.web.samples import AGENCIES, LETTER, SAMPLES, Sample

GRANTS: dict[Role, Grant] = {
    "operator": EVERYTHING,
    "agency": Grant(role="agency", agency="wholesale"),
    "owner": Grant(role="owner", customers=("acme",)),
    "admin": Grant(role="admin", customers=("acme",)),
    "supervisor": Grant(role="supervisor", customers=("acme",), domains=("acme.example",)),
    "auditor": Grant(role="auditor", customers=("acme",)),
}
NOMINAL = {"kind": "nominal", "product": "QUALITY_AUDITOR"}

CHAT = {"kind": "nominal", "product": "CHAT"}
PHONES = {"product": "phone_system"}

CLOSED = [op for op in OPS if op.action]


READS = [op for op in CLOSED if op.method == "GET"]
WRITES = [op for op in CLOSED if op.method != "GET"]


def _sharing(op: Op) -> list[tuple[Role, ...]]:
    """Who may ask in the same world one after another: what is refused changes nothing there."""
    refused = [role for role in ROLES if not reach(role, op.action)]
    first, *others = [role for role in ROLES if reach(role, op.action)]
    return [(*refused, first), *((role,) for role in others)]


OWN = [(op, roles) for op in WRITES for roles in _sharing(op)]
of_own = pytest.mark.parametrize(
    ("op", "roles"), OWN, ids=[f"{op.name}-{'+'.join(roles)}" for op, roles in OWN]
)


class World:
    """Two customers of two agencies, each with a competitive and a nominal license, somebody signed in, somebody assigned,
    an administrator, an API token, an empty domain, an invoice statement, and a webhook with a dead letter. `acme` has a
    second domain, `other.example`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.sessions: dict[str, str] = {}

    async def build(self) -> None:
        for agency in (*AGENCIES.values(), "idle"):
            await self.site.call("POST", "/api/v1/agencies", json={"id": agency})
        for customer, agency in AGENCIES.items():
            domains = [f"{customer}.example", *(["other.example"] if customer == "acme" else [])]
            await self.site.imported(
                {},
                NOMINAL,
                CHAT,
                PHONES,
                customer=customer,
                jti=f"key-of-{customer}",
                profile={"agency": agency},
                domains=domains,
            )
            await self.permit(customer, *PERMISSIONS)
            path = f"/api/v1/customers/{customer}"
            await self.site.call("POST", f"{path}/domains", json={"domain": f"empty.{customer}.example"})
            await self.site.call("POST", f"{path}/users", json={"user": f"zoe@{customer}.example"})
            await self.site.call("PUT", f"/api/v1/domains/{customer}.example/resources/CHAT/web")
            await self.site.call("PATCH", path, json={"number_blocks": [{"first": "200", "last": "299"}]})
            await self.site.call("POST", f"{path}/provision", json={"start": "201"})
            user = {"user": f"ann@{customer}.example"}
            await self.site.call("PATCH", f"{path}/extensions/201", json=user)
            december = {"from": "2025-12-01", "to": "2025-12-31"}
            await self.site.call("POST", f"{path}/invoices", json=december)
            _, welcome = await self.site.signed_in(
                f"ann@{customer}.example", "CALL_CENTER", customer=customer, device=f"pc of {customer}"
            )
            self.sessions[customer] = welcome["session"]
            await self.site.call("PUT", f"/api/v1/licenses/{customer}-2/users/zoe@{customer}.example")
            admin = Grant(role="admin", customers=(customer,))
            await administrator(self.site, f"admin-of-{customer}", admin)
            record = TokenRecord(id=f"token-of-{customer}", name="t", grant=admin, created_ms=0)
            await self.site.services.store.register_token(f"digest of {customer}", record)
            await dead_letter(self.site.services.store, customer, f"hook-of-{customer}", LETTER)

    async def permit(self, customer: str, *permissions: str) -> None:
        async def decide() -> list[Change]:
            return [Change(place="account", field="permissions", before="?", after=list(permissions))]

        await self.site.services.store.amend(customer, Deed(by=SYSTEM, action="test"), decide)

    async def ask(self, op: Op, grant: Grant, customer: str) -> tuple[int, str, Sample]:
        """The call as somebody with that grant: status, text, and what was asked."""
        sample = SAMPLES[op.name](customer)
        path = sample.path.replace(f"{{session of {customer}}}", self.sessions[customer])
        who = await self.person(grant) if sample.person else await self.bearer(grant)
        request = {
            **sample.request,
            **who,
            "headers": {**who["headers"], **sample.request.get("headers", {})},
        }
        async with self.site.admin.request(op.method, path, **request) as response:
            return response.status, await response.text(), sample

    async def bearer(self, grant: Grant) -> dict[str, Any]:
        return {"headers": {"Authorization": f"Bearer {await self.token(grant)}"}}

    async def person(self, grant: Grant) -> dict[str, Any]:
        """An administrator with that grant who has signed in; not without one-time codes."""
        walker = await administrator(self.site, "walker", grant, totp_secret=TOTP, totp_pending=TOTP)
        return (await signed_in(self.site, walker)).request()

    async def token(self, grant: Grant) -> str:
        token = f"a token of the role {grant.role}".replace(" ", "-") + "-0123456789" * 2
        record = TokenRecord(name=grant.role, grant=grant, created_ms=0)
        await self.site.services.store.register_token(token_hash(token), record)
        return token


@pytest.fixture
async def world(site: Site) -> World:
    made = World(site)
    await made.build()
    return made


def test_every_call_has_a_sample_and_every_action_its_row() -> None:
    assert set(SAMPLES) == {op.name for op in CLOSED}
    assert {op.action for op in CLOSED} <= set(RIGHTS)
    assert all(len(cells) == len(ROLES) for cells in RIGHTS.values())
    assert all(fault_of(grant) == "" for grant in GRANTS.values())


def test_what_needs_no_caller_is_named_with_its_reason() -> None:
    assert {op.name for op in OPS if not op.action} == set(OPEN)
    assert all(OPEN.values())


def test_only_own_matters_are_for_everybody_in_the_same_way() -> None:
    assert {op.action for op in CLOSED if SAMPLES[op.name]("acme").own} == {"profile"}


async def test_what_is_the_callers_to_read(world: World) -> None:
    for op in READS:
        for role in ROLES:
            await _ask_for_own(world, op, role)


@of_own
async def test_what_is_the_callers_to_change(world: World, op: Op, roles: tuple[Role, ...]) -> None:
    for role in roles:
        await _ask_for_own(world, op, role)


async def _ask_for_own(world: World, op: Op, role: Role) -> None:
    status, text, _ = await world.ask(op, GRANTS[role], "acme")
    if reach(role, op.action):
        assert status < 300, (op.name, role, text)
    else:
        assert (status, json.loads(text)["code"]) == (403, "forbidden"), (op.name, role)


async def test_what_is_another_customers_to_read(world: World) -> None:
    for op in READS:
        await _ask_for_anothers(world, op)


@pytest.mark.parametrize("op", WRITES, ids=lambda op: op.name)
async def test_what_is_another_customers_to_change(world: World, op: Op) -> None:
    await _ask_for_anothers(world, op)


async def _ask_for_anothers(world: World, op: Op) -> None:
    if SAMPLES[op.name]("beta").own:
        return
    for role in sorted(ROLES, key="operator".__eq__):  # the only one who is let in comes last
        status, text, sample = await world.ask(op, GRANTS[role], "beta")
        who = op.name, role, text
        if role == "operator":
            assert status < 300, who
        elif not reach(role, op.action):
            assert status == 403, who
        elif sample.lists:
            assert status == 200, who
            assert "beta" not in text, who
        else:
            assert status == 404, who
            assert "elsewhere" not in text, who


@pytest.mark.parametrize("permission", PERMISSIONS)
async def test_an_agency_may_do_what_its_customer_permits(world: World, permission: str) -> None:
    await world.permit("acme", *(other for other in PERMISSIONS if other != permission))
    asked = [op for op in CLOSED if reach("agency", op.action) == permission]
    assert asked
    for op in asked:
        status, text, sample = await world.ask(op, GRANTS["agency"], "acme")
        if sample.lists:
            assert (status, "acme" in json.dumps(_items(text))) == (200, False), op.name
        else:
            assert status == 404, (op.name, text)


def test_each_permission_is_of_some_use() -> None:
    assert {reach("agency", op.action) for op in CLOSED} - {"", "all"} == set(PERMISSIONS)


async def test_an_auditor_of_an_agency_sees_what_the_agency_may_see(world: World) -> None:
    auditor = Grant(role="auditor", agency="wholesale")
    seen = [
        op
        for op in CLOSED
        if reach("auditor", op.action) and not SAMPLES[op.name]("acme").own and op.action != "agencies.read"
    ]
    assert {op.method for op in seen} == {"GET"}  # so all may be asked for in one world
    for op in seen:
        wanted = reach("agency", op.action) or "see"
        await world.permit("acme", "see")
        status, text, sample = await world.ask(op, auditor, "acme")
        if wanted == "see":
            assert status == 200, (op.name, text)
        elif sample.lists:
            assert (status, "acme" in json.dumps(_items(text))) == (200, False), op.name
        else:
            assert status == 404, (op.name, text)
        await world.permit("acme", *({"see", wanted}))
        status, text, _ = await world.ask(op, auditor, "acme")
        assert status == 200, (op.name, text)


def _items(text: str) -> Any:
    return json.loads(text).get("items", [])


async def test_a_supervisor_sees_and_forces_out_only_people_of_own_domains(world: World) -> None:
    site, supervisor = world.site, GRANTS["supervisor"]
    await site.signed_in("eve@other.example", "CALL_CENTER", device="other pc")
    headers = {"Authorization": f"Bearer {await world.token(supervisor)}"}

    async def call(method: str, path: str, **request: Any) -> tuple[int, Any]:
        return await site.call(method, path, headers=headers, **request)

    _, users = await call("GET", "/api/v1/licenses/acme-1/users")
    assert [row["user"] for row in users["items"]] == ["ann@acme.example"]
    _, sessions = await call("GET", "/api/v1/sessions")
    assert [row["user"] for row in sessions["items"]] == ["ann@acme.example"]
    for body in ({"users": ["eve@other.example"]}, {"domain": "other.example"}):
        status, refused = await call("POST", "/api/v1/logout", json=body)
        assert (status, refused["code"]) == (404, "unknown_domain")
    for body in ({"license": "acme-1"}, {"customer": "acme"}):
        status, answer = await call("POST", "/api/v1/logout", json={**body, "cooldown_s": 0})
        assert {row["user"] for row in answer["sessions"]} <= {"ann@acme.example"}
    _, sessions = await site.call("GET", "/api/v1/sessions?customer=acme")
    assert [row["user"] for row in sessions["items"] if row["state"] == "attached"] == ["eve@other.example"]


async def test_nobody_makes_a_customer_for_another_agency(world: World) -> None:
    for grant in (GRANTS["agency"], GRANTS["owner"]):
        key = license_key(customer="gamma", jti="new", profile={"agency": "elsewhere"})
        headers = {"Authorization": f"Bearer {await world.token(grant)}"}
        status, body = await world.site.call("POST", "/api/v1/licenses", json={"key": key}, headers=headers)
        assert (status, body["code"]) == (404, "unknown_customer")


async def test_an_agency_makes_customers_of_its_own(world: World) -> None:
    key = license_key(customer="gamma", jti="new", profile={"agency": "wholesale"})
    headers = {"Authorization": f"Bearer {await world.token(GRANTS['agency'])}"}
    status, _ = await world.site.call("POST", "/api/v1/licenses", json={"key": key}, headers=headers)
    assert status == 200


@pytest.mark.parametrize(
    "grant",
    [
        Grant(role="operator", customers=("acme",)),
        Grant(role="agency"),
        Grant(role="agency", agency="a", customers=("acme",)),
        Grant(role="owner"),
        Grant(role="owner", agency="a"),
        Grant(role="supervisor", customers=("acme",)),
        Grant(role="auditor", agency="a", customers=("acme",)),
        Grant(role="auditor", domains=("acme.example",)),
    ],
)
def test_grants_that_make_no_sense(grant: Grant) -> None:
    assert fault_of(grant)

"""A working day in which every verb is used once at least: for trying an engine."""

from __future__ import annotations

from seatd.store.administrator_values import SignIn
from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.store.idempotency import KeptAnswer
from seatd.store.redis import Store
from seatd.store.usage_values import Scope
from seatd.store.values import Ended, Gone, Granted, Queued, Released
from seatd.store.webhook_values import Delivery, Webhook
from seatd.store.webhooks import webhook_change
from tests.conftest import Clock
from tests.licenses import license_claim, license_key
from tests.store.contents import leftovers
from tests.store.holding import lost_by
from tests.store.office import Office, person


async def working_day(store: Store, clock: Clock) -> None:
    """Runs it on a store that is empty, and leaves nothing but the customer's profile behind."""
    office = Office(store, clock)
    await store.join()
    await office.join("n1", "n2")
    await store.vouch("no such run")
    await _morning(office)
    await _noon(office)
    await _afternoon(office)
    await _lunch(office)
    await _teatime(office)
    await _evening(office)


async def _morning(office: Office) -> None:
    key = license_key(license_claim("cc", limit=2), license_claim("named", "CALL_MANAGER", kind="nominal"))
    assert (await office.store.put_license(key)).status == "imported"
    given = await office.store.assign("acme", "named", person("alice"), domain=office.domain)
    assert given.status == "assigned"
    alice = await office.open("alice", "CALL_CENTER", session="alice")
    assert isinstance(await office.acquire(alice, "alice", "CALL_MANAGER"), Granted)
    released = await office.store.release("acme", session="alice", fence=1, products=("CALL_MANAGER",))
    assert isinstance(released, Released)
    await office.open("bob", "CALL_CENTER", session="bob", node="n2")
    assert (await office.refused("carol", "CALL_CENTER")).used == 2


async def _noon(office: Office) -> None:
    """Alice's node freezes, and wakes; Bob goes for a walk."""
    store = office.store
    await office.pass_ms(store.options.node_lease_ms + 1, "n2")
    assert await office.sweep((await office.beat("n2")).due) == (["alice"], [])
    assert (await office.beat("n1")).lapsed
    assert await lost_by(store, "n1", {"alice": 1}) == []
    assert await store.park("acme", "n2", session="bob", fence=1)
    assert isinstance(await office.attach("bob", "bob", node="n1"), Granted)
    page = await store.license_users("acme", "cc")
    assert page
    assert [row.user for row in page.items] == [person("alice"), person("bob")]
    assert [row.used for row in await store.registry()] == [2, 1]
    assert (await store.sessions()).total == 2


async def _afternoon(office: Office) -> None:
    """Carol and Dan wait; both give up, and a node tells what it knows."""
    store = office.store
    for waiting in ("carol", "dan"):
        queued = await office.ask(waiting, "CALL_CENTER", session=waiting, wait=True)
        assert isinstance(queued, Queued)
    assert [place.session for place in (await store.serve("acme")).places] == ["carol", "dan"]
    assert await store.leave_queue("acme", session="carol", fence=1) is None
    assert "acme\0dan" in await store.held_by(office.partition, "n1")
    assert await store.leave_queue("acme", session="alice", fence=1) is not None
    assert await store.close("acme", session="dan", fence=1)
    remembered = await store.registered("acme")
    assert remembered.assignments == (f"named\0{person('alice')}",)
    assert (await store.reregister("acme", remembered, {})).added == ()
    gone = Ended(session="ghost", fence=1, user=person("ghost"), cooldown_ms=0)
    assert await store.rebury("acme", [gone]) == 0
    assert not await store.report(office.partition, "n1", durable=True)


async def _lunch(office: Office) -> None:
    """An administrator renames the customer, and an agency is made."""
    deed = Deed(by=SYSTEM, action="test")
    for customer, place in (("acme", "account"), (None, "agencies")):

        async def decide(place: str = place) -> list[Change]:
            return [Change(place=place, field="name", after="Acme Ltd")]

        assert await office.store.amend(customer, deed, decide, creates=True)
    assert await office.store.claim_answer("key", "what", 1) is None
    assert await office.store.claim_answer("key", "what", 2) == KeptAnswer(asked="what")
    await office.store.keep_answer("key", None)
    claim = await office.store.claim("acme", ["new.example"])
    assert (claim.fresh, await office.store.claim_domains("beta", ["new.example"])) == (("new.example",),) * 2
    assert await office.store.release_domain("acme", "new.example", claim.mark)
    assert not await office.store.release_domain("acme", "new.example", claim.mark)
    switched = await office.store.occupy("acme", "CHAT", office.domain, "web", combine="max", deed=deed)
    assert switched.status == "not_licensed"
    assert not await office.store.vacate("acme", "CHAT", office.domain, "web", deed=deed)
    await _administrator(office.store)
    await _webhook(office.store)


async def _webhook(store: Store) -> None:
    """Somebody is to be told of denials, and cannot be reached."""
    hook = Webhook(id="hook", url="https://hooks.example/", types=("denial",), secret="s")

    async def switch(before: Webhook | None, after: Webhook | None) -> None:
        async def decide() -> list[Change]:
            return [webhook_change("hook", before, after)]

        await store.amend("acme", Deed(by=SYSTEM, action="test"), decide, creates=True)

    await switch(None, hook)
    await store.note_denials(
        "acme", [{"code": "overloaded", "product": None, "domain": None, "user": None, "times": 1}]
    )
    claimed = await store.claim_deliveries("acme", "hook", claim="n1", lease_ms=1, limit=1)
    assert claimed.deliveries == ()
    gone = Delivery(id="none", webhook="hook", type="denial", seq="1-1", event={}, claim="n1")
    assert not await store.settle_delivery("acme", gone, "delivered")
    assert await store.take_letters("acme", ["1-1"], again=True, deed=None) == 0
    await switch(hook, None)
    await store.claim_deliveries("acme", "hook", claim="n1", lease_ms=1, limit=1)


async def _administrator(store: Store) -> None:
    """An administrator signs in to look at it all, and out again."""
    assert await store.attempt("root", "192.0.2.1", at_ms=1) == 0
    await store.forgive("root", "192.0.2.1")
    assert await store.use_code("root", 7)
    assert not await store.use_code("root", 7)
    session = SignIn(name="root", generation=1, created_ms=1, seen_ms=1, ends_ms=2)
    await store.put_sign_in("digest", session)
    assert await store.see_sign_in("digest", session)
    assert await store.end_sign_ins("digest") == 1


async def _teatime(office: Office) -> None:
    """Alice has a call, and a node looks after the licenses: all is well."""
    store = office.store
    assert await store.busy("acme", session="alice", fence=1, busy=True) == []
    assert (await store.review("acme", "cc")).concerned == ()
    assert await store.enforce("acme", "cc", [person("alice")], {}) == 0
    assert await store.let_go("acme", session="alice", fence=1, order=0)


async def _evening(office: Office) -> None:
    """Bob is sent home, Alice goes by herself, and everybody leaves."""
    store = office.store
    await store.note_denials(
        "acme", [{"code": "overloaded", "product": None, "domain": office.domain, "user": None, "times": 2}]
    )
    _, (meter,) = await store.meters("acme", [Scope("customer")])
    assert meter
    assert meter.count == 2
    (kicked,) = await office.kick(user=person("bob"), cooldown_ms=1000)
    orders = (await office.beat("n1")).orders
    assert [order.number for order in orders] == [kicked.order]
    assert await store.close("acme", session="bob", fence=2, delivered=True, acknowledged=True)
    assert [order.type for order in (await office.beat("n2")).orders] == ["receipt"]
    assert await store.close("acme", session="alice", fence=1)
    assert await office.attach("alice", "alice") == Gone(reason="ended")
    assert await store.unassign("acme", "named", person("alice"))
    for license in ("cc", "named"):
        assert await store.drop_license("acme", license)
    assert not await store.forget_customer("acme")
    await office.pass_ms(store.options.tomb_ms + 1)
    for node in ("n1", "n2"):
        await office.beat(node, leave=True)
    assert await leftovers(store) == []

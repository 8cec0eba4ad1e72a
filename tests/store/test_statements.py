"""Invoice statements: what they are made of, numbers without gaps, and that none is ever changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import pytest

from seatd.store.audit_values import Actor, Change, Deed, first_broken
from seatd.store.keys import customer_key
from seatd.store.redis import Store
from seatd.store.scripts import load, sources
from seatd.store.statement_values import Period, Sealed, Statement, issued_in
from seatd.store.statements import Ended, NotOver, Overlaps
from seatd.store.usage_values import HOUR_MS
from tests.licenses import Licensed
from tests.store.office import Office, person
from tests.store.test_usage import set_time

DEED = Deed(by=Actor(name="billing", role="operator"), action="invoices.issue", target="x")
JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))
PRICES = {
    "CALL_CENTER": {"seat_hours": "0.05", "overdraft_hours": "0.10", "peak_seats": "3"},
    "QUALITY_AUDITOR": {"assigned_months": "9.99"},
}


async def amend(store: Store, *changes: Change) -> None:
    async def decide() -> Sequence[Change]:
        return changes

    await store.amend("acme", Deed(by=DEED.by, action="test"), decide, creates=True)


@pytest.fixture
async def january(office: Office, store: Store, licensed: Licensed) -> Office:
    """Prices, and two seats (one in the overdraft) for ten hours of January; it is February now."""
    await set_time(office, JANUARY.from_ms - HOUR_MS)
    await licensed("CALL_CENTER", 1, id="cc", overdraft=1)
    await licensed("QUALITY_AUDITOR", 5, id="qa", kind="nominal")
    await store.assign("acme", "qa", person("zoe"), domain="acme.example")
    await amend(
        store,
        Change(place="account", field="prices", after=PRICES),
        Change(place="account", field="currency", after="EUR"),
    )
    await set_time(office, JANUARY.from_ms + 5 * HOUR_MS)
    seats = [await office.open(name, "CALL_CENTER", device=name) for name in ("ann", "bob")]
    await set_time(office, JANUARY.from_ms + 15 * HOUR_MS)
    for seat in seats:
        await office.close(seat)
    await set_time(office, FEBRUARY.from_ms)
    return office


async def issued(store: Store, period: Period = JANUARY) -> Statement:
    found = await store.issue("acme", period, DEED)
    assert isinstance(found, Statement), found
    return found


async def text_of(store: Store, number: str = "acme-2026-0001") -> bytes:
    name = customer_key("invoices", store.partition("acme"), "acme")
    text: bytes = await store.pipeline.command("HGET", name, number)
    return text


async def test_what_it_says(january: Office, store: Store) -> None:
    statement = await issued(store)
    assert statement.number == "acme-2026-0001"
    assert (statement.currency, statement.issued_by) == ("EUR", "billing")
    assert [(line.item, line.quantity, line.unit_price, line.amount) for line in statement.lines] == [
        ("seat_hours", "20.0000", "0.05", "1.00"),
        ("overdraft_hours", "10.0000", "0.10", "1.00"),
        ("peak_seats", "2", "3", "6.00"),
        ("assigned_months", "1.0000", "9.99", "9.99"),
    ]
    assert statement.total == "17.99"
    assert [(one.product, one.license, one.seat_ms, one.assigned) for one in statement.usage] == [
        ("CALL_CENTER", None, 20 * HOUR_MS, 0),
        ("CALL_CENTER", "cc", 20 * HOUR_MS, 0),
        ("QUALITY_AUDITOR", None, 0, 1),
        ("QUALITY_AUDITOR", "qa", 0, 1),
    ]
    assert statement.usage[0].average == "0.0269"
    assert (statement.metering.state, statement.unpriced) == ("whole", ())
    assert await store.statement("acme", "acme-2026-0001") == statement


async def test_days_and_months_make_the_same(january: Office, store: Store) -> None:
    halves = [Period(date(2026, 1, 1), date(2026, 1, 15)), Period(date(2026, 1, 16), date(2026, 1, 31))]
    drafts = [await store.draft("acme", half) for half in halves]
    assert [draft.usage[0].seat_hours for draft in drafts] == ["20.0000", "0.0000"]
    assert (await store.draft("acme", JANUARY)).usage[0].seat_hours == "20.0000"


async def test_a_draft_has_no_number_and_leaves_nothing(january: Office, store: Store) -> None:
    draft = await store.draft("acme", JANUARY)
    assert (draft.number, draft.total) == (None, "17.99")
    assert await store.statement_count("acme") == 0


async def test_later_prices_change_nothing_that_was_issued(january: Office, store: Store) -> None:
    statement = await issued(store)
    await amend(store, Change(place="account", field="prices", before="?", after={}))
    await store.drop_license("acme", "cc")
    assert await store.statement("acme", "acme-2026-0001") == statement
    later = await store.draft("acme", JANUARY)
    assert (later.total, later.unpriced) == ("0.00", ("CALL_CENTER", "QUALITY_AUDITOR"))
    assert [(one.product, one.license) for one in later.usage if one.seat_ms] == [
        ("CALL_CENTER", None),
        (None, "cc"),
    ]


async def test_what_is_refused(january: Office, store: Store) -> None:
    assert await store.issue("acme", FEBRUARY, DEED) == NotOver()
    await issued(store)
    for period in (JANUARY, Period(date(2025, 12, 1), date(2026, 1, 1))):
        assert await store.issue("acme", period, DEED) == Overlaps(number="acme-2026-0001")
    await amend(store, Change(place="account", field="status", after="deleted"))
    assert await store.issue("acme", Period(date(2025, 12, 1), date(2025, 12, 31)), DEED) == Ended()
    assert [row.number for row in await store.statements("acme")] == ["acme-2026-0001"]


async def test_numbers_without_gaps_whoever_is_quicker(january: Office, store: Store) -> None:
    days = [Period(date(2026, 1, day), date(2026, 1, day)) for day in (1, 2, 3, 3)]
    found = await asyncio.gather(*(store.issue("acme", day, DEED) for day in days))
    assert sorted(one.number or "" for one in found if isinstance(one, Statement)) == [
        "acme-2026-0001", "acme-2026-0002", "acme-2026-0003",
    ]  # fmt: skip
    assert sum(isinstance(one, Overlaps) for one in found) == 1
    before = await issued(store, Period(date(2025, 12, 1), date(2025, 12, 31)))
    assert before.number == "acme-2025-0001"


@pytest.mark.parametrize("after", [None, {"total": "0.00"}])
async def test_no_amend_changes_what_was_issued(january: Office, store: Store, after: Any) -> None:
    await issued(store)
    text, length = await text_of(store), await store.audit_length("acme")
    with pytest.raises(ValueError, match="never changed"):
        await amend(
            store,
            Change(place="account", field="name", after="Other"),
            Sealed(place="invoices", field="acme-2026-0001", before="?", after=after),
        )
    assert (await text_of(store), await store.audit_length("acme")) == (text, length)
    assert (await store.account("acme")).name != "Other"


async def test_nor_is_one_written_twice_at_once(january: Office, store: Store) -> None:
    with pytest.raises(ValueError, match="never changed"):
        await amend(store, *(Sealed(place="invoices", field="1", after={"n": n}) for n in (1, 2)))
    assert await store.statement_count("acme") == 0


def test_no_other_verb_has_to_do_with_them() -> None:
    assert [name for name, script in load().items() if "invoices" in script.keys] == ["amend"]
    assert [name for name, text in sources() if "invoices" in text] == ["amend"]


async def test_the_trail_tells_of_them(january: Office, store: Store) -> None:
    await issued(store)
    trail = [recorded async for recorded in store.audit_trail("acme")]
    assert first_broken(trail) is None
    found = [told for recorded in trail if (told := issued_in(recorded))]
    assert found == [{"acme-2026-0001": await store.statement_digest("acme", "acme-2026-0001")}]
    assert trail[-1].entry().by == DEED.by
    name = customer_key("invoices", store.partition("acme"), "acme")
    cheaper = msgspec.json.decode(await text_of(store)) | {"total": "0.01"}
    await store.pipeline.command("HSET", name, "acme-2026-0001", msgspec.json.encode(cheaper))
    assert found != [{"acme-2026-0001": await store.statement_digest("acme", "acme-2026-0001")}]


async def test_they_outlive_the_customer(january: Office, store: Store) -> None:
    statement = await issued(store)
    for license in ("cc", "qa"):
        await store.drop_license("acme", license)
    await amend(
        store,
        Change(place="account", field="status", after="deleted"),
        Change(place="account", field="delete_at_ms", after=1),
    )
    assert await store.forget_customer("acme")
    assert await store.statement("acme", "acme-2026-0001") == statement


async def ending(store: Store, end_ms: int) -> None:
    await amend(
        store,
        Change(place="account", field="status", after="deleted"),
        Change(place="account", field="delete_at_ms", after=end_ms),
    )


async def test_the_last_days_of_a_customer(january: Office, store: Store) -> None:
    await issued(store, Period(date(2026, 1, 1), date(2026, 1, 10)))
    await store.issue_last("acme", DEED)
    assert await store.statement_count("acme") == 1
    await ending(store, FEBRUARY.from_ms)
    await asyncio.gather(*(store.issue_last("acme", DEED) for _ in range(3)))
    rows = await store.statements("acme")
    assert {row.number: row.period for row in rows} == {
        "acme-2026-0001": Period(date(2026, 1, 1), date(2026, 1, 10)),
        "acme-2026-0002": Period(date(2026, 1, 11), date(2026, 1, 31)),
    }


async def test_a_last_statement_that_is_all_there_is(january: Office, store: Store) -> None:
    await ending(store, FEBRUARY.from_ms)
    await store.issue_last("acme", DEED)
    (row,) = await store.statements("acme")
    assert (row.from_, row.to, row.total) == (date(2025, 12, 31), date(2026, 1, 31), "18.31")


async def test_who_has_no_prices_gets_none(january: Office, store: Store) -> None:
    await amend(store, Change(place="account", field="prices", before="?", after=None))
    await ending(store, FEBRUARY.from_ms)
    await store.issue_last("acme", DEED)
    assert await store.statement_count("acme") == 0


async def test_a_last_statement_brings_no_customer_back(january: Office, store: Store) -> None:
    """A node is slow, and another one has forgotten the customer meanwhile."""
    for license in ("cc", "qa"):
        await store.drop_license("acme", license)
    await ending(store, FEBRUARY.from_ms)
    assert await store.forget_customer("acme")
    await amend(store, Sealed(place="invoices", field="acme-2026-0001", after={}))
    assert await store.customers() == []


async def test_what_was_metered_in_part_is_said(january: Office, store: Store) -> None:
    await january.open("carol", "CALL_CENTER", device="carol")
    name = customer_key("meters", store.partition("acme"), "acme")
    await store.client.delete(name)
    await january.open("dan", "CALL_CENTER", device="dan")
    draft = await store.draft("acme", FEBRUARY)
    assert (draft.metering.state, draft.metering.recounted) == ("in_part", 1)
    assert (await store.draft("acme", JANUARY)).metering.state == "whole"


async def test_before_there_was_a_customer_nothing_was_lost(january: Office, store: Store) -> None:
    name = customer_key("events", store.partition("acme"), "acme")
    await store.client.xtrim(name, maxlen=1, approximate=False)
    before = Period(date(2025, 11, 1), date(2025, 11, 30))
    assert (await store.draft("acme", before)).metering.state == "whole"


async def test_what_nobody_can_know_any_more_is_said(january: Office, store: Store) -> None:
    name = customer_key("events", store.partition("acme"), "acme")
    await store.client.xtrim(name, maxlen=1, approximate=False)
    metering = (await store.draft("acme", JANUARY)).metering
    assert metering.state == "not_known"
    assert metering.known_from is not None
    assert metering.known_from.date() == date(2026, 1, 1)

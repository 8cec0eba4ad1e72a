"""Last week against the week before: the same as the usage says, whatever of it has been closed."""

from __future__ import annotations

import pytest

from seatd.store.redis import Store
from seatd.store.usage_figures import growth
from seatd.store.usage_values import DAY_MS, HOUR_MS, Scope, merged, number_of
from tests.conftest import NOW_MS
from tests.licenses import Licensed
from tests.store.office import Office
from tests.store.test_usage import set_time

CC, MAIL, WHOLE = Scope("license", license="cc"), Scope("license", license="mail"), Scope("customer")
TODAY = number_of("day", NOW_MS) + 30
SCOPES = [CC, MAIL, WHOLE, Scope("license", license="never")]


@pytest.fixture
async def licensed_office(office: Office, licensed: Licensed) -> Office:
    await licensed("CALL_CENTER", 5, id="cc")
    await licensed("EMAIL", 5, id="mail")
    return office


async def used(office: Office, product: str, day: int, hours: int) -> None:
    """A seat for so many hours from the beginning of a day."""
    await set_time(office, day * DAY_MS)
    seat = await office.open(f"{product}-{day}", product)
    await set_time(office, day * DAY_MS + hours * HOUR_MS)
    await office.close(seat)


async def by_usage(store: Store, scope: Scope) -> float | None:
    (rows,) = await store.usage("acme", [scope], "day", range(TODAY - 14, TODAY))
    return growth(merged(rows[7:]).seat_ms, merged(rows[:7]).seat_ms)


async def test_seat_hours_of_whole_days(licensed_office: Office, store: Store) -> None:
    for day, hours in ((TODAY - 15, 20), (TODAY - 14, 2), (TODAY - 8, 2), (TODAY - 7, 3), (TODAY - 1, 3)):
        await used(licensed_office, "CALL_CENTER", day, hours)
    await used(licensed_office, "EMAIL", TODAY, 5)
    await set_time(licensed_office, TODAY * DAY_MS + 6 * HOUR_MS)
    found = await store.week_growths("acme", SCOPES, TODAY)
    assert list(found.values()) == [50.0, None, 50.0, None]


@pytest.mark.parametrize("begun", [-20 * 24, -14 * 24 - 5, -10 * 24 - 1, -7 * 24 - 3, -25, -3, 1])
async def test_a_seat_that_is_held_all_the_time(licensed_office: Office, store: Store, begun: int) -> None:
    """Nothing is closed: it is all in the meter."""
    await used(licensed_office, "CALL_CENTER", TODAY - 22, 3)
    await set_time(licensed_office, TODAY * DAY_MS + begun * HOUR_MS)
    await licensed_office.open("ann", "CALL_CENTER")
    licensed_office.clock.pass_ms(1234)
    await licensed_office.open("bob", "CALL_CENTER", device="bob")
    await set_time(licensed_office, TODAY * DAY_MS + 2 * HOUR_MS)
    found = await store.week_growths("acme", SCOPES, TODAY)
    assert list(found.values()) == [await by_usage(store, scope) for scope in SCOPES]


async def test_many_scopes(licensed_office: Office, store: Store) -> None:
    await used(licensed_office, "CALL_CENTER", TODAY - 8, 2)
    many = [Scope("license", license=f"none-{number}") for number in range(450)]
    found = await store.week_growths("acme", [*many, CC], TODAY)
    assert found[CC] == -100
    assert set(found) == {*many, CC}

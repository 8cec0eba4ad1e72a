"""Events: kept in order, bounded, and ended."""

import pytest

from seatd_protocol.codes import Action
from seatd_protocol.events import EVENTS_KEPT, Closed, Event, Events, RequestRefused, Stopped
from seatd_protocol.messages import Error, Notice


def notice(number: int) -> Notice:
    return Notice(code="maintenance", message=str(number))


async def test_in_order_to_the_end() -> None:
    events = Events()
    for number in range(3):
        events.put(notice(number))
    events.end()
    assert [event async for event in events] == [notice(0), notice(1), notice(2)]


async def test_the_oldest_go_when_nobody_reads() -> None:
    events = Events()
    for number in range(EVENTS_KEPT + 10):
        events.put(notice(number))
    events.end()
    kept = [event async for event in events]
    assert len(kept) == EVENTS_KEPT
    assert kept[0] == notice(10)
    assert kept[-1] == notice(EVENTS_KEPT + 9)


async def test_a_listener_gets_them_instead(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Event] = []

    def listen(event: Event) -> None:
        told.append(event)
        raise ZeroDivisionError

    events = Events(listen)
    events.put(notice(1))
    events.put(notice(2))
    events.end()
    assert told == [notice(1), notice(2)]
    assert [event async for event in events] == []
    assert caplog.text.count("on_event failed") == 2


def test_exceptions_say_what_they_know() -> None:
    error = Error(code="not_held", message="EMAIL is not held", temporary=False)
    assert str(RequestRefused(error)) == "not_held: EMAIL is not held"
    assert str(Stopped(Closed(4401, "bad_token", Action.NEVER))) == "4401 bad_token"
    assert str(Stopped(Closed(4401, "", Action.NEVER))) == "4401"

"""What a client tells its application, and how a request can fail.

    Exception
    +-- Disconnected     no connection, or it ended before the answer came
    +-- RequestRefused   the server answered `error`
    +-- Stopped          the client has stopped for good before it had a session

Being denied a seat is none of these: `Denied` is an answer like `Granted`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from seatd_protocol.codes import Action
from seatd_protocol.messages import Error, ServerMessage

_log = logging.getLogger("seatd.client")

# RFC 6455, 7.4.1: never on the wire; a close frame without a code, and an end without a close frame.
NO_STATUS = 1005
ABNORMAL = 1006


@dataclass(frozen=True, slots=True)
class Closed:
    """A connection has ended, or could not be opened.

    `code` is the close code, 1006 if there was none, or the HTTP status (below 1000) that refused the
    upgrade. `wait_s` is what the server asked to wait at least. `retry_in_s` is when the client tries
    again; None: it has stopped, and this is its last event.
    """

    code: int
    reason: str
    action: Action
    wait_s: float = 0.0
    retry_in_s: float | None = None


# Every message of the server but `beat`, and the end of each connection.
Event = ServerMessage | Closed

# Events that nobody reads are kept up to here; beyond, the oldest go.
EVENTS_KEPT = 1024


class Events:
    """The events of one sign-in: told to `on_event`, or else kept for one reader.

    They end with the `Closed` of a client that has stopped.
    """

    def __init__(self, on_event: Callable[[Event], None] | None = None) -> None:
        self._on_event = on_event
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()

    def put(self, event: Event) -> None:
        """Tell or keep an event. What goes wrong in `on_event` is logged: it must not cost the connection."""
        if self._on_event is None:
            self._keep(event)
            return
        try:
            self._on_event(event)
        except Exception:
            _log.exception("on_event failed")

    def _keep(self, event: Event) -> None:
        if self._queue.qsize() >= EVENTS_KEPT:
            self._queue.get_nowait()
        self._queue.put_nowait(event)

    def end(self) -> None:
        """There will be no more."""
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._queue.get()) is not None:
            yield event


class Disconnected(Exception):
    """There is no session to ask in, or the connection ended before the answer.

    Whether the request took effect is then unknown; the seats of the next `welcome` say.
    """


class RequestRefused(Exception):
    """The server could not serve the request. `error.temporary`: asking again later may help."""

    def __init__(self, error: Error) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error


class Stopped(Exception):
    """The client stopped before it had a session; `closed` says why."""

    def __init__(self, closed: Closed) -> None:
        super().__init__(f"{closed.code} {closed.reason}".rstrip())
        self.closed = closed

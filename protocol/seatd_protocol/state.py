"""The conversation as one table: state x message -> next state. What is absent is an error.

The same table serves both ends. It does no I/O and does not know which side it is on: the words of
clients and of servers differ, and the codec of each side knows only the words of the other.

Two rules shape the rows. A message may cross another on the wire, so a state also takes what the peer
could rightly have sent before it learned of the change: the `alive` that crosses a `denied`, anything
that crosses a `bye` or a `logout`. And `LEAVING` is left only by the end of the connection: there
`alive` and `ack` still mean something, and the rest is let pass and ignored. A second `hello` is an
error in every state.
"""

from enum import Enum

from seatd_protocol.messages import CLIENT_TYPES, SERVER_TYPES


class State(Enum):
    """Where a conversation stands."""

    NEW = "new"  # connected, no `hello` yet
    OPENING = "opening"  # `hello` is being answered; also after a `denied` that a `welcome` may follow
    WAITING = "waiting"  # in the queue for a seat
    LIVE = "live"  # a session
    LEAVING = "leaving"  # `bye` or `logout` was said
    CLOSED = "closed"  # the connection has ended


class IllegalMessage(Exception):
    """A message that the table has no entry for.

    `second_hello` tells the two close codes apart: 4409 for a repeated `hello`, 4400 for anything else.
    """

    def __init__(self, state: State, word: str) -> None:
        super().__init__(f"{word} in state {state.value}")
        self.state = state
        self.word = word
        self.second_hello = word == "hello" and state is not State.NEW


_WAITER_WORDS = ("alive", "ack", "refresh", "beat", "queued", "notice", "moving", "error")
_SESSION_WORDS = {*CLIENT_TYPES, *SERVER_TYPES} - {"hello", "welcome"}

TABLE: dict[tuple[State, str], State] = {
    (State.NEW, "hello"): State.OPENING,
    # A `denied` is followed by the close, or by the `welcome` of the emergency path.
    (State.OPENING, "welcome"): State.LIVE,
    (State.OPENING, "queued"): State.WAITING,
    (State.OPENING, "denied"): State.OPENING,
    # What a waiter may have sent before the `denied` that brought it back here reached it.
    (State.OPENING, "alive"): State.OPENING,
    (State.OPENING, "ack"): State.OPENING,
    (State.OPENING, "refresh"): State.OPENING,
    (State.OPENING, "bye"): State.LEAVING,
    **{(State.WAITING, word): State.WAITING for word in _WAITER_WORDS},
    (State.WAITING, "welcome"): State.LIVE,
    (State.WAITING, "denied"): State.OPENING,
    (State.WAITING, "bye"): State.LEAVING,
    (State.WAITING, "logout"): State.LEAVING,
    **{(State.LIVE, word): State.LIVE for word in _SESSION_WORDS},
    (State.LIVE, "bye"): State.LEAVING,
    (State.LIVE, "logout"): State.LEAVING,
    **{(State.LEAVING, word): State.LEAVING for word in _SESSION_WORDS},
    # A waiter said `bye` while its turn came.
    (State.LEAVING, "welcome"): State.LEAVING,
}


class Conversation:
    """One connection's place in the table. Each side keeps its own."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = State.NEW

    def received(self, word: str) -> State:
        """Note a message of the peer. Raises `IllegalMessage` if it may not come now."""
        return self._advance(word)

    def sent(self, word: str) -> State:
        """Note a message of our own. Raises `IllegalMessage` if it may not go now: then do not send it."""
        return self._advance(word)

    def closed(self) -> None:
        """Note that the connection has ended."""
        self.state = State.CLOSED

    def _advance(self, word: str) -> State:
        following = TABLE.get((self.state, word))
        if following is None:
            raise IllegalMessage(self.state, word)
        self.state = following
        return following

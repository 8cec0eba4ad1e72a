"""The conversation: what the table says, and what must be true of any table here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatd_protocol.messages import CLIENT_TYPES, SERVER_TYPES
from seatd_protocol.state import TABLE, Conversation, IllegalMessage, State

WORDS = [*CLIENT_TYPES, *SERVER_TYPES]


def at(state: State) -> Conversation:
    conversation = Conversation()
    conversation.state = state
    return conversation


def test_it_begins_with_hello_and_with_nothing_else() -> None:
    assert {word for state, word in TABLE if state is State.NEW} == {"hello"}


def test_nothing_follows_the_end() -> None:
    assert not [word for state, word in TABLE if state is State.CLOSED]
    assert State.CLOSED not in TABLE.values()


@pytest.mark.parametrize("state", [state for state in State if state is not State.NEW])
def test_a_second_hello_is_an_error_everywhere(state: State) -> None:
    with pytest.raises(IllegalMessage) as caught:
        at(state).received("hello")
    assert caught.value.second_hello


@pytest.mark.parametrize("state", State)
def test_other_errors_are_no_second_hello(state: State) -> None:
    for word in {*WORDS, "sudo"} - {"hello"} - {word for known, word in TABLE if known is state}:
        with pytest.raises(IllegalMessage) as caught:
            at(state).received(word)
        assert not caught.value.second_hello
        assert str(caught.value) == f"{word} in state {state.value}"


def test_an_illegal_message_changes_nothing() -> None:
    conversation = at(State.WAITING)
    with pytest.raises(IllegalMessage):
        conversation.sent("granted")
    assert conversation.state is State.WAITING
    assert conversation.received("alive") is State.WAITING


def test_leaving_is_not_left() -> None:
    assert {following for (state, _), following in TABLE.items() if state is State.LEAVING} == {State.LEAVING}


def test_every_word_is_said_somewhere() -> None:
    assert {word for _, word in TABLE} == set(WORDS)


@pytest.mark.parametrize("state", [State.OPENING, State.WAITING, State.LIVE])
def test_one_may_always_leave(state: State) -> None:
    assert at(state).received("bye") is State.LEAVING


def test_what_may_cross_a_change_is_still_taken_after_it() -> None:
    """A client that has not heard of the server's step yet must not be cut off for it, and the other way round."""
    for ours, theirs in ((SERVER_TYPES, CLIENT_TYPES), (CLIENT_TYPES, SERVER_TYPES)):
        for (before, step), after in TABLE.items():
            if step not in ours or before in (State.NEW, State.OPENING):
                continue
            for word in theirs:
                if (before, word) in TABLE:
                    assert (after, word) in TABLE, f"{word} crosses {step}"


def test_closed() -> None:
    conversation = at(State.LIVE)
    conversation.closed()
    assert conversation.state is State.CLOSED


@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_any_conversation(words: list[str]) -> None:
    conversation = Conversation()
    hellos = 0
    for word in words:
        try:
            conversation.received(word)
        except IllegalMessage:
            continue
        hellos += word == "hello"
        assert hellos == 1
        assert conversation.state in State

"""Where tokens come from, and when a new one is asked for."""

from seatd_protocol.tokens import Tokens
from tests.protocol.clients import Issuer, Time


async def test_a_text_is_all_there_is(time: Time) -> None:
    tokens = Tokens("text", time.clock)
    assert not tokens.renewable
    tokens.spent()
    assert await tokens.current() == await tokens.fresh() == "text"
    tokens.given("newer")
    assert await tokens.current() == "newer"


async def test_a_provider_is_asked_until_a_server_says_how_long_a_token_lasts(time: Time) -> None:
    tokens = Tokens(Issuer(), time.clock)
    assert tokens.renewable
    assert [await tokens.current(), await tokens.current()] == ["token-1", "token-2"]
    tokens.lasts(100)
    time.now_s += 69
    assert await tokens.current() == "token-2"
    time.now_s += 1
    assert await tokens.current() == "token-3"


async def test_a_spent_token_is_not_shown_again(time: Time) -> None:
    tokens = Tokens(Issuer(), time.clock)
    await tokens.current()
    tokens.lasts(3600)
    tokens.spent()
    assert await tokens.current() == "token-2"


async def test_a_token_that_was_given_may_have_ended_meanwhile(time: Time) -> None:
    tokens = Tokens(Issuer(), time.clock)
    tokens.lasts(3600)
    tokens.given("from elsewhere")
    assert await tokens.current() == "token-1"

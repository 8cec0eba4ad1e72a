"""Conversations: the whole table, whole sequences, and where a sequence breaks off."""

from collections.abc import Iterable

from seatd_protocol.state import TABLE
from tests.protocol.vectors import Map

C, S = "client", "server"
SIGN_IN = [(C, "hello", "opening"), (S, "welcome", "live")]
QUEUE = [(C, "hello", "opening"), (S, "queued", "waiting")]


def states() -> Map:
    """The whole table; whole conversations; and where a conversation breaks off, with the close code."""
    table = sorted((state.value, word, following.value) for (state, word), following in TABLE.items())
    return {"table": table, "sequences": [*legal(), *illegal()]}


def sequence(name: str, *steps: tuple[str, str, str], refused: tuple[str, str, int] | None = None) -> Map:
    return {"name": name, "steps": steps, "refused": refused}


def legal() -> Iterable[Map]:
    yield sequence("sign in and out", *SIGN_IN, (C, "bye", "leaving"))
    yield sequence("beats", *SIGN_IN, (S, "beat", "live"), (C, "alive", "live"), (S, "beat", "live"))
    yield sequence("denied", (C, "hello", "opening"), (S, "denied", "opening"))
    yield sequence(
        "emergency path", (C, "hello", "opening"), (S, "denied", "opening"), (S, "welcome", "live")
    )
    yield sequence(
        "queue", *QUEUE, (S, "beat", "waiting"), (C, "alive", "waiting"), (S, "queued", "waiting"),
        (S, "welcome", "live"),
    )  # fmt: skip
    yield sequence("queue, in vain", *QUEUE, (S, "denied", "opening"), (C, "alive", "opening"))
    yield sequence("queue, emergency path", *QUEUE, (S, "denied", "opening"), (S, "welcome", "live"))
    yield sequence("queue, left", *QUEUE, (C, "bye", "leaving"), (S, "welcome", "leaving"))
    yield sequence("queue, forced out", *QUEUE, (S, "logout", "leaving"), (C, "ack", "leaving"))
    yield sequence("queue, token and node", *QUEUE, (C, "refresh", "waiting"), (S, "moving", "waiting"))
    yield sequence(
        "further products", *SIGN_IN, (C, "acquire", "live"), (S, "queued", "live"), (S, "granted", "live"),
        (C, "release", "live"), (S, "released", "live"), (C, "acquire", "live"), (S, "denied", "live"),
    )  # fmt: skip
    yield sequence(
        "all else in a session", *SIGN_IN, (C, "busy", "live"), (C, "refresh", "live"),
        (C, "take_over", "live"), (S, "sessions", "live"), (S, "error", "live"), (S, "notice", "live"),
        (S, "changed", "live"), (S, "moving", "live"),
    )  # fmt: skip
    yield sequence("forced out", *SIGN_IN, (S, "logout", "leaving"), (C, "ack", "leaving"))
    yield sequence(
        "a request crosses the logout", *SIGN_IN, (S, "logout", "leaving"), (C, "acquire", "leaving"),
        (C, "ack", "leaving"), (C, "bye", "leaving"),
    )  # fmt: skip
    yield sequence("a beat crosses the bye", *SIGN_IN, (C, "bye", "leaving"), (S, "beat", "leaving"))


def illegal() -> Iterable[Map]:
    for word in ("alive", "acquire", "release", "busy", "refresh", "take_over", "ack", "bye"):
        yield sequence(f"{word} before hello", refused=(C, word, 4400))
    yield sequence("welcome before hello", refused=(S, "welcome", 4400))
    yield sequence("beat before hello", refused=(S, "beat", 4400))
    yield sequence("unknown word", refused=(C, "sudo", 4400))
    yield sequence("hello while opening", (C, "hello", "opening"), refused=(C, "hello", 4409))
    yield sequence("hello in the queue", *QUEUE, refused=(C, "hello", 4409))
    yield sequence("hello in a session", *SIGN_IN, refused=(C, "hello", 4409))
    yield sequence("hello after bye", *SIGN_IN, (C, "bye", "leaving"), refused=(C, "hello", 4409))
    for word in ("acquire", "release", "busy", "take_over"):
        yield sequence(f"{word} while opening", (C, "hello", "opening"), refused=(C, word, 4400))
        yield sequence(f"{word} in the queue", *QUEUE, refused=(C, word, 4400))
    yield sequence("granted while opening", (C, "hello", "opening"), refused=(S, "granted", 4400))
    yield sequence("beat while opening", (C, "hello", "opening"), refused=(S, "beat", 4400))
    yield sequence("second welcome", *SIGN_IN, refused=(S, "welcome", 4400))

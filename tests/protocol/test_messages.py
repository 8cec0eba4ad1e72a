"""The shapes: which fields are on the wire, which limits hold, what a value is."""

import re

import msgspec
import pytest

from seatd_protocol.codec import CODECS, BadMessage
from seatd_protocol.messages import (
    CLIENT_TYPES,
    DEVICE_KINDS,
    SERVER_TYPES,
    Acquire,
    Bye,
    ClientMessage,
    Denied,
    Device,
    Hello,
    ServerMessage,
    TakeOver,
    type_of,
)

MSGPACK = CODECS["seatd.v1.msgpack"]
DEVICE = Device(kind="desktop", id="pc-7")


def hello(**fields: object) -> Hello:
    return msgspec.structs.replace(Hello(token="t", device=DEVICE, need=()), **fields)


def sent(message: ClientMessage) -> ClientMessage:
    return MSGPACK.decode_client(MSGPACK.encode(message))


def refused(message: ClientMessage) -> str:
    with pytest.raises(BadMessage) as caught:
        sent(message)
    return caught.value.reason


def test_there_are_the_messages_of_the_contract() -> None:
    assert set(CLIENT_TYPES) == {
        "hello", "alive", "acquire", "release", "busy", "refresh", "take_over", "ack", "bye",
    }  # fmt: skip
    assert set(SERVER_TYPES) == {
        "welcome", "denied", "queued", "granted", "released", "beat", "changed", "notice", "sessions",
        "logout", "moving", "error",
    }  # fmt: skip


def test_the_two_sides_share_no_word() -> None:
    assert not set(CLIENT_TYPES) & set(SERVER_TYPES)


@pytest.mark.parametrize("shape", [*CLIENT_TYPES.values(), *SERVER_TYPES.values()])
def test_a_type_is_its_class_name_in_snake_case(shape: type[ClientMessage] | type[ServerMessage]) -> None:
    word = re.sub(r"(?<!^)([A-Z])", r"_\1", shape.__name__).lower()
    assert {**CLIENT_TYPES, **SERVER_TYPES}[word] is shape


def test_type_of() -> None:
    assert type_of(Bye()) == "bye"
    assert type_of(TakeOver(ref=1, session="s")) == "take_over"


def test_what_is_default_is_absent_and_what_has_none_is_present() -> None:
    assert msgspec.to_builtins(Denied(code="no_seat", message="")) == {
        "type": "denied",
        "code": "no_seat",
        "message": "",
    }


def test_messages_are_values() -> None:
    assert hello() == hello()
    assert hash(DEVICE) == hash(Device(kind="desktop", id="pc-7"))
    with pytest.raises(AttributeError):
        DEVICE.id = "other"  # type: ignore[misc]


@pytest.mark.parametrize("kind", DEVICE_KINDS)
def test_each_kind_of_device(kind: str) -> None:
    message = hello(device=msgspec.structs.replace(DEVICE, kind=kind))
    assert sent(message) == message


@pytest.mark.parametrize(
    "message",
    [
        hello(token="t" * 6144),
        hello(device=Device(kind="desktop", id="\u00e9" * 128, name="n" * 64, version="v" * 64)),
        hello(need=("A" * 64,) * 16, want=("_9",) * 16),
        hello(wait_s=0),
        hello(wait_s=86400),
        Acquire(ref=2**53, products=()),
        TakeOver(ref=0, session="a-Z_9" * 12),
    ],
)
def test_at_the_limit(message: ClientMessage) -> None:
    assert sent(message) == message


@pytest.mark.parametrize(
    ("message", "path"),
    [
        (hello(token="t" * 6145), "$.token"),
        (hello(device=Device(kind="desktop", id="a" * 129)), "$.device.id"),
        (hello(device=Device(kind="desktop", id="a", name="n" * 65)), "$.device.name"),
        (hello(need=("A" * 65,)), "$.need[0]"),
        (hello(need=("A",) * 17), "$.need"),
        (hello(wait_s=86401), "$.wait_s"),
        (Acquire(ref=2**53 + 1, products=()), "$.ref"),
        (TakeOver(ref=0, session="a" * 65), "$.session"),
    ],
)
def test_beyond_the_limit(message: ClientMessage, path: str) -> None:
    assert refused(message).endswith(f"`{path}`")


CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]


@pytest.mark.parametrize("field", ["id", "name", "version"])
def test_no_control_character_in_a_device(field: str) -> None:
    for code in CONTROLS:
        for text in (chr(code), f"a{chr(code)}", f"{chr(code)}a", f"a{chr(code)}b"):
            device = msgspec.structs.replace(DEVICE, **{field: text})
            assert refused(hello(device=device)).endswith(f"`$.device.{field}`")


@pytest.mark.parametrize("product", ["", "A-B", "A B", "A\n", "\u00c4", "A.B", "A\x00"])
def test_a_product_name_is_a_word(product: str) -> None:
    assert refused(hello(need=(product,))).endswith("`$.need[0]`")

"""Hostile and broken frames: only `BadMessage` comes out, its reason repeats nothing, and nothing is costly."""

import json
import tracemalloc

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatd_protocol.codec import CODECS, MAX_DEPTH, MAX_FRAME, MAX_SERVER_FRAME, BadMessage, Codec
from seatd_protocol.messages import Alive, Beat, Bye, Hello, Notice, Seat, Welcome
from tests.protocol.vectors.maps import CLIENT_MAPS, SERVER_MAPS

MSGPACK = CODECS["seatd.v1.msgpack"]
JSON = CODECS["seatd.v1.json"]
BOTH = pytest.mark.parametrize("codec", [MSGPACK, JSON], ids=["msgpack", "json"])

# A word that no reason may repeat, wherever in the frame it stands.
SECRET = "sesame"


def reason(codec: Codec, frame: bytes | str) -> str:
    with pytest.raises(BadMessage) as caught:
        codec.decode_client(frame)
    return caught.value.reason


def framed(codec: Codec, value: object) -> bytes | str:
    return msgpack.packb(value) if codec.binary else json.dumps(value)


def test_the_sub_protocols() -> None:
    assert {name: codec.binary for name, codec in CODECS.items()} == {
        "seatd.v1.msgpack": True,
        "seatd.v1.json": False,
    }
    assert all(codec.name == name for name, codec in CODECS.items())


@BOTH
def test_there_and_back(codec: Codec) -> None:
    assert codec.decode_client(codec.encode(Alive(n=7))) == Alive(n=7)
    assert codec.decode_server(codec.encode(Beat(n=7, lease_s=24))) == Beat(n=7, lease_s=24)


def test_the_bytes_are_those_of_any_msgpack() -> None:
    message = msgspec.convert(CLIENT_MAPS["hello, all fields"], Hello)
    assert MSGPACK.encode(message) == msgpack.packb(msgspec.to_builtins(message))


@BOTH
def test_each_side_refuses_its_own_words(codec: Codec) -> None:
    with pytest.raises(BadMessage, match="unknown `type`"):
        codec.decode_client(codec.encode(Beat(n=1, lease_s=1)))
    with pytest.raises(BadMessage, match="unknown `type`"):
        codec.decode_server(codec.encode(Bye()))


@BOTH
def test_a_message_too_large_is_not_written(codec: Codec) -> None:
    room = MAX_SERVER_FRAME - len(codec.encode(Notice(code="maintenance", message="")))
    fits = Notice(code="maintenance", message="x" * (room - 2 * codec.binary))
    assert len(codec.encode(fits)) == MAX_SERVER_FRAME
    assert codec.decode_server(codec.encode(fits)) == fits
    with pytest.raises(ValueError, match="65537 bytes"):
        codec.encode(msgspec.structs.replace(fits, message=fits.message + "x"))


@BOTH
def test_the_largest_welcome_fits(codec: Codec) -> None:
    """32 products (16 needed, 16 wanted), and names as long as they may be, of four bytes a character."""
    user, device = "\U0001f4de" * 254, "\U0001f4bb" * 128
    seat = Seat(
        product="P" * 64,
        license="L" * 64,
        kind="competitive",
        holder=f"{user}/{device}",
        since_ms=2**48,
        until_ms=2**48,
        overdraft=True,
    )
    welcome = Welcome(
        session="s" * 64,
        secret="k" * 64,
        resumed=True,
        user=user,
        domain="d" * 254,
        node="n" * 64,
        seats=(seat,) * 32,
        sections=("s" * 32,) * 32,
        beat_s=3600,
        lease_s=3600,
        linger_s=3600,
        server_ms=2**48,
        max_frame=MAX_FRAME,
        token_ttl_s=2**32,
    )
    assert codec.decode_server(codec.encode(welcome)) == welcome


def test_size_counts_bytes_not_characters() -> None:
    assert reason(JSON, json.dumps({"type": "bye", "x": "\u00e9" * 4096}, ensure_ascii=False)).startswith(
        "larger"
    )


def test_the_other_kind_of_frame() -> None:
    assert reason(MSGPACK, JSON.encode(Bye())) == "a text frame on msgpack"
    assert reason(JSON, MSGPACK.encode(Bye())) == "a binary frame on JSON"


@pytest.mark.parametrize("levels", [9, 100, 500, 1000, 1500, 2700, 8000, 100_000])
def test_deep_nesting(levels: int) -> None:
    deep = {"nested deeper than 8", "larger than 8192 bytes"}
    assert reason(MSGPACK, b"\x91" * levels + b"\xc0") in deep
    assert reason(MSGPACK, b"\x81\xa1a" * levels + b"\xc0") in deep
    assert reason(JSON, "[" * levels + "]" * levels) in deep
    assert reason(JSON, '{"a":' * levels + "1" + "}" * levels) in deep


@BOTH
def test_depth_counts_the_message_itself(codec: Codec) -> None:
    value: object = []
    for _ in range(MAX_DEPTH - 2):
        value = [value]
    assert codec.decode_client(framed(codec, {"type": "bye", "x": value})) == Bye()
    assert reason(codec, framed(codec, {"type": "bye", "x": [value]})) == "nested deeper than 8"


@pytest.mark.parametrize("header", ["dd", "df", "db", "c6", "c9"])
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a field"])
def test_announced_gigabytes_cost_nothing(header: str, inside: bool) -> None:
    start = "82a474797065a3627965a178" if inside else ""
    frame = bytes.fromhex(start + header + "ffffffff" + "00" * 8)
    tracemalloc.start()
    try:
        text = reason(MSGPACK, frame)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text == ("ext types are not used" if header == "c9" else "cut short")
    assert peak < 1_000_000


def test_a_frame_full_of_empty_maps_is_bounded() -> None:
    frame = bytes.fromhex("82a474797065a3627965a178dc1ff0") + b"\x80" * 8176
    tracemalloc.start()
    try:
        assert MSGPACK.decode_client(frame) == Bye()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("size", [0, 1, 4, 8, 12, 20])
def test_no_ext_type(size: int) -> None:
    for code in range(256):
        ext = bytes([0xC7, size, code]) + bytes(size)
        assert reason(MSGPACK, b"\x82\xa4type\xa3bye\xa1x" + ext) == "ext types are not used"


@BOTH
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_not_a_number(codec: Codec, value: float) -> None:
    assert reason(codec, framed(codec, {"type": "alive", "n": value})) == "NaN or Infinity"


@BOTH
@pytest.mark.parametrize("value", [2**64 - 1, 2**63, 2**53 + 1, -1, -(2**63)])
def test_integers_beyond_the_contract(codec: Codec, value: int) -> None:
    assert reason(codec, framed(codec, {"type": "alive", "n": value})).startswith("Expected `int`")


@pytest.mark.parametrize("digits", ["18446744073709551616", "-9223372036854775809", "9" * 25, "9" * 8000])
def test_huge_integers(digits: str) -> None:
    assert reason(JSON, '{"type":"alive","n":' + digits + "}") == "integer outside 64 bits"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_lone_surrogates(text: str) -> None:
    assert reason(JSON, json.dumps({"type": "bye", "x": text})) == "text is not valid UTF-8"
    assert reason(JSON, json.dumps({"type": "bye", text: 1})) == "text is not valid UTF-8"
    # Also as characters of the frame: an implementation of WebSocket may be less careful than aiohttp.
    assert reason(JSON, '{"type":"bye","x":"' + text + '"}') == "text is not valid UTF-8"
    packed = msgpack.packb({"type": "bye", "x": text}, unicode_errors="surrogatepass")
    assert reason(MSGPACK, packed) == "text is not valid UTF-8"


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert JSON.decode_client('{"type":"bye","x":"\\ud83d\\ude00"}') == Bye()


@BOTH
@pytest.mark.parametrize("name", [*CLIENT_MAPS])
def test_every_prefix_of_a_client_message_is_refused(codec: Codec, name: str) -> None:
    frame = framed(codec, CLIENT_MAPS[name])
    for end in range(len(frame)):
        with pytest.raises(BadMessage):
            codec.decode_client(frame[:end])


@BOTH
@pytest.mark.parametrize("name", [*SERVER_MAPS])
def test_every_required_field_is_required(codec: Codec, name: str) -> None:
    full = SERVER_MAPS[name]
    for field in full:
        less = {key: value for key, value in full.items() if key != field}
        try:
            message = codec.decode_server(framed(codec, less))
        except BadMessage:
            continue
        assert field not in msgspec.to_builtins(message)
        assert message == codec.decode_server(codec.encode(message))


@BOTH
def test_a_reason_repeats_nothing_of_the_frame(codec: Codec) -> None:
    hello = CLIENT_MAPS["hello"]
    device = {"kind": "desktop", "id": "a"}
    for value in (
        SECRET,
        {SECRET: SECRET},
        {"type": SECRET},
        {"type": {SECRET: 1}},
        {**hello, "token": [SECRET]},
        {**hello, "token": {SECRET: SECRET}},
        {**hello, "device": SECRET},
        {**hello, "device": {**device, "kind": SECRET}},
        {**hello, "device": {**device, "kind": f"{SECRET} - at `$.{SECRET}`"}},
        {**hello, "device": {**device, "id": f"{SECRET}\n"}},
        {**hello, "need": [f"{SECRET} {SECRET}"]},
        {**hello, "need": {SECRET: SECRET}},
        {**hello, "resume": {"session": f"{SECRET}/", "secret": f"{SECRET}/"}},
        {**hello, "wait_s": SECRET},
    ):
        assert SECRET not in reason(codec, framed(codec, value))
    assert SECRET not in reason(JSON, SECRET)
    assert SECRET not in reason(JSON, "{" + f'"{SECRET}":1,' * 2 + '"a":1}')
    assert SECRET not in reason(MSGPACK, SECRET.encode())


def decoded_or_refused(frame: bytes | str) -> None:
    for codec in CODECS.values():
        for decode in (codec.decode_client, codec.decode_server):
            try:
                message = decode(frame)
            except BadMessage:
                continue
            assert decode(codec.encode(message)) == message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(frame: bytes) -> None:
    decoded_or_refused(frame)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=100))
def test_any_text(frame: str) -> None:
    decoded_or_refused(frame)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.integers(-(2**63), 2**64 - 1), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*CLIENT_MAPS.values(), *SERVER_MAPS.values()]), st.data())
def test_a_message_with_any_value_in_a_field(fields: dict[str, object], data: st.DataObject) -> None:
    spoiled = {**fields, data.draw(st.sampled_from([*fields])): data.draw(TREES)}
    decoded_or_refused(msgpack.packb(spoiled, unicode_errors="surrogatepass"))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*CLIENT_MAPS.values(), *SERVER_MAPS.values()]), st.data())
def test_a_message_with_flipped_bytes(fields: dict[str, object], data: st.DataObject) -> None:
    frame = bytearray(msgpack.packb(fields))
    for _ in range(data.draw(st.integers(1, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    decoded_or_refused(bytes(frame))

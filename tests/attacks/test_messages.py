"""Messages that are none, come at the wrong time, too often, or again."""

from __future__ import annotations

import asyncio
import struct

import pytest

from seatd_protocol.messages import Acquire, Granted
from tests.attacks.attack import attack
from tests.attacks.attacker import JSON, MSGPACK, Attacker, Map
from tests.attacks.test_frames import goes_on, memory_kb
from tests.scenarios.company import Company
from tests.scenarios.test_slow import asks_and_never_reads, session_of
from tests.scenarios.websocket import BINARY, TEXT
from tests.servers import Server, Servers, eventually
from tests.web.edge import closed, heard, packed

BYE = b"\x82\xa4type\xa3bye\xa1x"


async def reason_for(attacker: Attacker, payload: bytes, protocol: str = MSGPACK) -> str:
    """Why a frame is a bad message, before a hello and in a session alike."""
    reasons = set()
    for socket in (await attacker.upgraded(protocol), await attacker.live(protocol)):
        await socket.send(BINARY if protocol == MSGPACK else TEXT, payload)
        code, reason = await closed(socket)
        assert code == 4400
        reasons.add(reason.removeprefix("bad_message: "))
    (only,) = reasons
    return only


@attack(
    "S22",
    "msgpack nested thousands of levels deep, or just one too many",
    "4400: at most 8 levels",
)
@pytest.mark.parametrize(
    "payload", [b"\x91" * 8000, b"\x81\xa1a" * 2500, b"\x82\xa4type\xa3bye\xa1x" + b"\x91" * 8 + b"\x01"]
)
async def test_s22_deep_msgpack(attacker: Attacker, payload: bytes) -> None:
    assert await reason_for(attacker, payload) == "nested deeper than 8"


@attack(
    "S23",
    "msgpack headers that announce 4 Gi elements or bytes",
    "4400; nothing larger than the frame is believed, so nothing is allocated",
)
@pytest.mark.parametrize(
    "head", [b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9"], ids=["list", "map", "str", "bin", "ext"]
)
async def test_s23_huge_headers(server: Server, attacker: Attacker, head: bytes) -> None:
    before_kb = memory_kb(server)
    payload = BYE + head + b"\xff\xff\xff\xff" + b"\x05"
    assert await reason_for(attacker, payload) in ("cut short", "ext types are not used")
    assert memory_kb(server) - before_kb < 8 * 1024


@attack(
    "S24",
    "a frame full of empty maps, each of which costs many times its byte",
    "64 KiB of them are 4400 for their size; in the 8 KiB that a frame may have there are 8,000, which an unknown field may "
    "hold: half a megabyte, gone with the message",
)
async def test_s24_empty_maps(server: Server, attacker: Attacker) -> None:
    many = packed({"type": "busy", "busy": False, "x": [{}] * 60_000})
    assert await reason_for(attacker, many) == "larger than 8192 bytes"
    socket = await attacker.live()
    before_kb = memory_kb(server)
    for _ in range(20):
        await socket.send(BINARY, packed({"type": "busy", "busy": False, "x": [{}] * 8000}))
    assert await goes_on(socket)
    assert memory_kb(server) - before_kb < 8 * 1024


ODD = {
    "ext": (MSGPACK, BYE + b"\xd4\x05\x00", "ext types are not used"),
    "a timestamp": (MSGPACK, BYE + b"\xd6\xff\x00\x00\x00\x00", "ext types are not used"),
    "bin": (MSGPACK, BYE + b"\xc4\x01x", "bin, where only text is used"),
    "a number as a key": (MSGPACK, b"\x82\xa4type\xa3bye\x01\x01", "a key is not text"),
    "a key twice": (MSGPACK, b"\x82\xa4type\xa3bye\xa4type\xa3bye", "a key stands twice"),
    "a key twice in JSON": (JSON, b'{"type":"bye","type":"busy"}', "a key stands twice"),
    "a key twice deep inside": (JSON, b'{"type":"bye","x":{"a":1,"a":2}}', "a key stands twice"),
    "NaN": (MSGPACK, BYE + struct.pack("!Bd", 0xCB, float("nan")), "NaN or Infinity"),
    "Infinity": (JSON, b'{"type":"bye","x":Infinity}', "NaN or Infinity"),
    "trailing bytes": (MSGPACK, packed({"type": "bye"}) + b"\xc0", "trailing bytes"),
    "a lone surrogate": (JSON, rb'{"type":"bye","x":"\ud800"}', "text is not valid UTF-8"),
    "5,000 digits": (JSON, b'{"type":"bye","x":%s}' % (b"9" * 5000), "integer outside 64 bits"),
    "text that is not UTF-8": (MSGPACK, BYE + b"\xa1\xff", "text is not valid UTF-8"),
}


@attack(
    "S25",
    "ext types, timestamps, bin, keys that are numbers or stand twice, NaN, trailing bytes, lone surrogates, 5,000 digits",
    "4400, also in fields that seatd does not know",
)
@pytest.mark.parametrize("case", ODD)
async def test_s25_odd_values(attacker: Attacker, case: str) -> None:
    protocol, payload, reason = ODD[case]
    assert await reason_for(attacker, payload, protocol) == reason


@attack(
    "S26",
    "JSON nested thousands of levels deep",
    "4400; no traceback, and the process lives",
)
@pytest.mark.parametrize(
    "payload", [b"[" * 8000, b'{"a":' * 1600, b'{"type":"bye","x":' + b"[" * 8 + b"]" * 8 + b"}"]
)
async def test_s26_deep_json(server: Server, attacker: Attacker, payload: bytes) -> None:
    assert await reason_for(attacker, payload, JSON) == "nested deeper than 8"
    assert server.process.poll() is None


DEVICE = {"kind": "desktop", "id": "d1"}
WRONG: dict[str, Map] = {
    "an unknown type": {"type": "sudo"},
    "a server's type": {"type": "welcome"},
    "a wrong type": {"type": "busy", "busy": "no"},
    "a long id": {"type": "hello", "token": "x", "need": [], "device": {**DEVICE, "id": "x" * 5000}},
    "NUL": {"type": "hello", "token": "x", "need": [], "device": {**DEVICE, "name": "a\0b"}},
    "an escape": {"type": "hello", "token": "x", "need": [], "device": {**DEVICE, "name": "\x1b[2J"}},
    "a line end": {"type": "hello", "token": "x", "need": [], "device": {**DEVICE, "version": "1\r\n2"}},
    "a paragraph": {"type": "hello", "token": "x", "need": [], "device": {**DEVICE, "name": "a\u2029b"}},
    "a product in lower case": {"type": "hello", "token": "x", "need": ["call center"], "device": DEVICE},
}


@attack(
    "S27",
    "unknown types, wrong types of fields, texts of 10 kB, control characters and line ends in names",
    "4400 with the place and never the content",
)
@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("protocol", [MSGPACK, JSON])
async def test_s27_wrong_fields(attacker: Attacker, case: str, protocol: str) -> None:
    socket = await attacker.upgraded(protocol)
    await attacker.say(socket, WRONG[case], protocol)
    code, reason = await closed(socket)
    assert code == 4400
    assert not any(text in reason for text in ("sudo", "\0", "\x1b", "xxxx", "call center"))


@attack(
    "S27",
    "marks that turn the reading direction or cannot be seen, in the name of a device",
    "taken as they are, and shown escaped: in the log as `\\u202e`, in the REST API as JSON text, never as HTML",
    left="two names may look alike: administrators see device and session ids beside them",
)
async def test_s27_bidirectional_names(server: Server, company: Company, attacker: Attacker) -> None:
    name = "gpj.\u202eexe\u200b"
    socket = await attacker.upgraded()
    await socket.send(BINARY, attacker.hello(device={"kind": "desktop", "id": "d1", "name": name}))
    assert (await heard(socket))["type"] == "welcome"
    (row,) = await company.sessions()
    assert row["device"]["name"] == name
    assert "\u202e" not in server.log_file.read_text()


TOO_EARLY = [
    {"type": "acquire", "ref": 1, "products": ["CALL_CENTER"]},
    {"type": "release", "ref": 1, "products": []},
    {"type": "take_over", "ref": 1, "session": "x"},
    {"type": "alive", "n": 0},
    {"type": "busy", "busy": True},
    {"type": "refresh", "token": "x"},
    {"type": "ack", "order": 1},
    {"type": "bye"},
]


@attack(
    "S28",
    "messages before `hello`",
    "4400: the conversation is a table, and what is not in it is refused",
)
@pytest.mark.parametrize("message", TOO_EARLY, ids=[str(message["type"]) for message in TOO_EARLY])
async def test_s28_before_hello(attacker: Attacker, message: Map) -> None:
    socket = await attacker.upgraded()
    await attacker.say(socket, message)
    assert (await closed(socket))[0] == 4400


@attack(
    "S28",
    "`hello` twice; an `alive` for a beat that never came; an `ack` for no logout; a `hello` after `bye`",
    "4409 for a second `hello` in any state, 4400 for the rest; nothing is read after `bye`",
)
@pytest.mark.parametrize(
    ("message", "code"),
    [({"type": "alive", "n": 99}, 4400), ({"type": "ack", "order": 7}, 4400), ("hello", 4409), ("bye", 1000)],
)
async def test_s28_out_of_order(attacker: Attacker, company: Company, message: Map | str, code: int) -> None:
    socket = await attacker.live()
    if message == "bye":
        await socket.send(BINARY, packed({"type": "bye"}))
        await socket.send(BINARY, attacker.hello())
    elif isinstance(message, str):
        await socket.send(BINARY, attacker.hello())
    else:
        await attacker.say(socket, message)
    assert (await closed(socket))[0] == code


@attack(
    "S30",
    "a client that asks and never reads",
    "what waits for it is bounded (`sessions.outbox_bytes`, 128 kB); then it is cut off (4101 `slow_consumer`), its seat is "
    "kept for `linger`; memory stays flat and others are answered",
)
async def test_s30_a_slow_consumer(servers: Servers) -> None:
    generous = {"SESSIONS_MESSAGES_PER_S": "100000", "SESSIONS_MESSAGES_BURST": "100000"}
    node = servers.start("slow", **generous, SESSIONS_OUTBOX_BYTES="8192")
    company = Company(node)
    await company.licensed("CALL_CENTER:competitive:2", "CALL_MANAGER:competitive:1")
    other = await company.sign_in(node, "bob", "CALL_CENTER", "CALL_MANAGER")
    before_kb = memory_kb(node)
    await asks_and_never_reads(company, node)
    await other.say(Acquire(ref=1, products=("CALL_CENTER",)))
    assert isinstance(await other.recv(), Granted)

    async def is_parked() -> bool:
        return bool((await session_of(company, "deaf"))["state"] == "parked")

    await eventually(is_parked)
    assert memory_kb(node) - before_kb < 64 * 1024
    company.leave()


@attack(
    "S31",
    "a recorded `hello`, `acquire` or `release` sent again",
    "a `hello` needs a token, and on a connection that had one is 4409; `acquire` and `release` name what is wanted, so doing "
    "them again changes nothing: one seat, one holder",
    left="whoever can record what a client says over TLS has its token, too: see S40",
)
async def test_s31_replayed_requests(server: Server, company: Company) -> None:
    ann = await company.sign_in(server, "ann")
    for _ in range(5):
        await ann.say(Acquire(ref=7, products=("CALL_CENTER",)))
    answers = [await ann.recv() for _ in range(5)]
    assert all(isinstance(answer, Granted) for answer in answers)
    assert {
        seat.since_ms for answer in answers if isinstance(answer, Granted) for seat in answer.seats
    }.__len__() == 1
    assert await company.used() == 1
    await asyncio.gather(*(company.sign_in(server, "ann", "CALL_CENTER") for _ in range(3)))
    assert await company.used() == 1

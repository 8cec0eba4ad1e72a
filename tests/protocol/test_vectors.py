"""The committed vectors: they are what the cases say, and this package agrees with every one of them."""

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seatd_protocol.backoff import Backoff
from seatd_protocol.codec import CODECS, BadMessage, Codec
from seatd_protocol.codes import CLOSE_CODES, DENIAL_CODES, Action, action_of
from seatd_protocol.lease import ClientLease, NodeLease
from seatd_protocol.messages import CLIENT_TYPES, SERVER_TYPES, ClientMessage, ServerMessage
from seatd_protocol.state import TABLE, Conversation, IllegalMessage, State
from tests.protocol.vectors.make import FOLDER, files

Row = dict[str, Any]  # what JSON holds

MSGPACK = CODECS["seatd.v1.msgpack"]
JSON = CODECS["seatd.v1.json"]


def load(file: str, section: str) -> Any:
    return json.loads(Path(FOLDER / file).read_text())[section]


def rows(file: str, section: str) -> pytest.MarkDecorator:
    found = load(file, section)
    return pytest.mark.parametrize("row", found, ids=[_name(row) for row in found])


def _name(row: Row) -> str:
    return "-".join(str(row[key]) for key in ("name", "number", "subprotocol") if key in row)


def decode(codec: Codec, row: Row, frame: bytes | str) -> ClientMessage | ServerMessage:
    return codec.decode_client(frame) if row["from"] == "client" else codec.decode_server(frame)


def assembled(row: Row) -> bytes | str:
    binary = row.get("kind", "binary" if row["subprotocol"].endswith("msgpack") else "text") == "binary"
    text = "".join(piece * times for piece, times in row["parts"])
    return bytes.fromhex(text) if binary else text


def test_the_files_are_what_the_cases_say() -> None:
    made = files()
    assert {path.name for path in FOLDER.glob("*.json")} == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text() == text, "run: python -m tests.protocol.vectors.make"


@rows("messages.json", "messages")
def test_messages(row: Row) -> None:
    packed = bytes.fromhex(row["msgpack"])
    message = decode(MSGPACK, row, packed)
    assert decode(JSON, row, row["json"]) == message
    assert MSGPACK.encode(message) == packed
    assert JSON.encode(message) == row["json"]
    assert json.loads(row["json"]) == row["map"] == json.loads(json.dumps(msgspec.to_builtins(message)))


def test_every_message_is_there_bare_and_in_full() -> None:
    maps = [row["map"] for row in load("messages.json", "messages")]
    for word, shape in {**CLIENT_TYPES, **SERVER_TYPES}.items():
        seen = [set(fields) - {"type"} for fields in maps if fields["type"] == word]
        assert set(shape.__struct_fields__) in seen
        required = {field.name for field in msgspec.structs.fields(shape) if field.required}
        assert required in seen


@rows("messages.json", "accepted")
def test_accepted(row: Row) -> None:
    frame = assembled(row)
    assert "bytes" not in row or len(frame) == row["bytes"]
    message = decode(CODECS[row["subprotocol"]], row, frame)
    assert json.loads(json.dumps(msgspec.to_builtins(message))) == row["map"]


@rows("malformed.json", "frames")
def test_malformed(row: Row) -> None:
    with pytest.raises(BadMessage) as caught:
        decode(CODECS[row["subprotocol"]], row, assembled(row))
    assert caught.value.reason == row["reason"]


def test_the_table() -> None:
    listed = {
        (State(state), word): State(following) for state, word, following in load("states.json", "table")
    }
    assert listed == TABLE


@rows("states.json", "sequences")
@pytest.mark.parametrize("us", ["client", "server"])
def test_sequences(row: Row, us: str) -> None:
    conversation = Conversation()

    def say(side: str, word: str) -> State:
        return conversation.sent(word) if side == us else conversation.received(word)

    for side, word, following in row["steps"]:
        assert say(side, word) is State(following)
    if row["refused"]:
        side, word, close = row["refused"]
        with pytest.raises(IllegalMessage) as caught:
            say(side, word)
        assert (4409 if caught.value.second_hello else 4400) == close


def test_the_sequences_walk_most_of_the_table() -> None:
    walked = set()
    for row in load("states.json", "sequences"):
        state = "new"
        for _, word, following in row["steps"]:
            walked.add((state, word))
            state = following
    missing = {(state.value, word) for state, word in TABLE if state is not State.LEAVING} - walked
    assert missing <= {
        ("opening", "ack"), ("opening", "refresh"), ("opening", "bye"), ("waiting", "ack"), ("waiting", "notice"),
        ("waiting", "error"), ("live", "ack"),
    }  # fmt: skip


@rows("close_codes.json", "codes")
def test_close_codes(row: Row) -> None:
    code = CLOSE_CODES[row["number"]]
    assert (code.slug, code.action.value) == (row["slug"], row["action"])


@rows("close_codes.json", "unknown")
def test_unknown_close_codes(row: Row) -> None:
    assert row["number"] not in CLOSE_CODES
    assert action_of(row["number"]).value == row["action"]


@rows("close_codes.json", "reasons")
def test_reasons(row: Row) -> None:
    assert CLOSE_CODES[row["number"]].reason(row["detail"]) == row["reason"]


def test_denials_and_codes_are_complete() -> None:
    denials = load("close_codes.json", "denials")
    assert denials == {slug: code.temporary for slug, code in DENIAL_CODES.items()}
    assert {row["number"] for row in load("close_codes.json", "codes")} == set(CLOSE_CODES)


@rows("close_codes.json", "backoff")
def test_backoff(row: Row) -> None:
    drawn: list[float] = []
    backoff = Backoff(lambda: drawn.pop())
    for step in row["steps"]:
        if step["action"] == "settled":
            backoff.settled()
            continue
        drawn[:] = [] if step["random"] is None else [step["random"]]
        assert backoff.delay_s(Action(step["action"]), linger_s=row["linger_s"]) == step["delay_s"]
        assert not drawn


@rows("lease.json", "client")
def test_client_lease(row: Row) -> None:
    lease = ClientLease()
    for step in row["steps"]:
        match step["do"]:
            case "hello_sent":
                lease.hello_sent(step["at_s"])
            case "welcomed":
                lease.welcomed(step["lease_s"])
            case "beat":
                lease.beat_received(step["n"], step["lease_s"], step["at_s"])
            case "alive_sent":
                lease.alive_sent(step["n"], step["at_s"])
        assert lease.until_s == (-math.inf if step["until_s"] is None else step["until_s"])
    for at_s, valid in row["valid"]:
        assert lease.valid(at_s) is valid


@rows("lease.json", "node")
def test_node_lease(row: Row) -> None:
    lease = NodeLease(row["lease_s"])
    for step in row["steps"]:
        if step["do"] == "renewed":
            lease.renewed(step["sent_s"])
        else:
            lease.lapse()
        assert lease.until_s == (-math.inf if step["until_s"] is None else step["until_s"])
    for at_s, valid in row["valid"]:
        assert lease.valid(at_s) is valid

"""Two implementations, one contract: whatever comes in, Python and JavaScript understand it alike, or both refuse it."""

from __future__ import annotations

import json
import random
import subprocess
from typing import Any

import msgpack
import msgspec
import pytest

from seatd_protocol.codec import CODECS, BadMessage
from tests.protocol.js.runtimes import HERE, ROOT, node_program

SEED = 20
FRAMES = 4000
VECTORS = json.loads((ROOT / "protocol/vectors/messages.json").read_text())["messages"]
ODD = [
    *(0, 1, -1, 127, 128, 255, 256, 65535, 65536, 2**31, 2**32, 2**53, 2**53 + 1, 2**63, 2**64 - 1, -(2**63)),
    *(
        0.0,
        1.0,
        1.5,
        -2.5,
        1e300,
        True,
        False,
        None,
        "",
        "a",
        "é",
        "\u2028",
        "\x00",
        "\x85",
        "😀",
        "x" * 40,
        "x" * 70,
    ),
    *([], {}, [[]], {"a": []}, [1, "b"], {"type": "bye"}, [[[[[[[[[]]]]]]]]], "__proto__", "constructor"),
]


def mutated(rng: random.Random, tree: Any) -> Any:
    """The same with something odd in it: a value, a field more or less, somewhere."""
    if isinstance(tree, dict) and tree and rng.random() < 0.9:
        changed = dict(tree)
        name = rng.choice([*changed])
        match rng.randrange(4):
            case 0:
                del changed[name]
            case 1:
                changed[rng.choice(["x", "__proto__", "constructor", "toString", "é", ""])] = rng.choice(ODD)
            case _:
                changed[name] = mutated(rng, changed[name])
        return changed
    if isinstance(tree, list) and tree and rng.random() < 0.7:
        place = rng.randrange(len(tree))
        return [*tree[:place], mutated(rng, tree[place]), *tree[place + 1 :]]
    return rng.choice(ODD)


def damaged(rng: random.Random, frame: bytes) -> bytes:
    """The same with bytes changed, left out, or put in."""
    place = rng.randrange(len(frame))
    piece = bytes(rng.randrange(256) for _ in range(rng.randrange(3)))
    return frame[:place] + piece + frame[place + rng.randrange(3) :]


def cases(subprotocol: str) -> list[dict[str, str]]:
    rng = random.Random(SEED)
    binary = subprotocol.endswith("msgpack")
    made: list[dict[str, str]] = []
    while len(made) < FRAMES:
        row = rng.choice(VECTORS)
        tree = row["map"]
        for _ in range(rng.randrange(3)):
            tree = mutated(rng, tree)
        frame = msgpack.packb(tree) if binary else json.dumps(tree, ensure_ascii=rng.random() < 0.5).encode()
        if rng.random() < 0.4:
            frame = damaged(rng, frame)
        case = {"from": row["from"], "subprotocol": subprotocol}
        if binary:
            made.append({**case, "hex": frame.hex()})
        else:
            made.append({**case, "text": frame.decode(errors="replace")})
    return made


def understood(case: dict[str, str]) -> Any:
    """The map that Python makes of it; None: refused."""
    codec = CODECS[case["subprotocol"]]
    frame = bytes.fromhex(case["hex"]) if "hex" in case else case["text"]
    try:
        message = codec.decode_client(frame) if case["from"] == "client" else codec.decode_server(frame)
    except BadMessage:
        return None
    return json.loads(json.dumps(msgspec.to_builtins(message)))


@pytest.mark.parametrize("subprotocol", CODECS)
def test_both_understand_the_same(subprotocol: str) -> None:
    frames = cases(subprotocol)
    answers = (
        subprocess.run(
            [node_program(), str(ROOT / HERE / "fuzz_node.js")],
            input="\n".join(map(json.dumps, frames)) + "\n",
            capture_output=True,
            check=True,
            text=True,
            timeout=100,
        )
        .stdout.rstrip("\n")
        .split("\n")
    )
    assert len(answers) == len(frames)
    accepted = 0
    for frame, line in zip(frames, answers, strict=True):
        answer, expected = json.loads(line), understood(frame)
        assert "broke" not in answer, (frame, answer)
        assert answer.get("map") == expected, (frame, answer)
        accepted += expected is not None
    assert FRAMES // 5 < accepted < FRAMES * 4 // 5

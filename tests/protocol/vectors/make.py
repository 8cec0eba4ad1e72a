"""Writes `protocol/vectors/*.json`: `python -m tests.protocol.vectors.make`."""

import json
from pathlib import Path

import msgspec

from seatd_protocol.codec import CODECS
from seatd_protocol.messages import CLIENT_TYPES, SERVER_TYPES
from tests.protocol.vectors import Map
from tests.protocol.vectors.codes import close_codes
from tests.protocol.vectors.conversations import states
from tests.protocol.vectors.frames import accepted, bad_bytes, bad_trees
from tests.protocol.vectors.leases import lease
from tests.protocol.vectors.maps import CLIENT_MAPS, SERVER_MAPS
from tests.protocol.vectors.shapes import bad_shapes

FOLDER = Path(__file__).parents[3] / "protocol" / "vectors"


def messages() -> Map:
    """Every message, with and without its optional fields; and frames that are as good, written otherwise."""
    groups = (("client", CLIENT_MAPS, CLIENT_TYPES), ("server", SERVER_MAPS, SERVER_TYPES))
    rows = []
    for side, maps, types in groups:
        for name, fields in maps.items():
            message = msgspec.convert(fields, types[str(fields["type"])])
            packed, text = (CODECS[f"seatd.v1.{codec}"].encode(message) for codec in ("msgpack", "json"))
            assert isinstance(packed, bytes)
            rows.append({"name": name, "from": side, "msgpack": packed.hex(), "json": text, "map": fields})
    return {"messages": rows, "accepted": accepted()}


def malformed() -> Map:
    """Frames of a client that are refused with close code 4400, and the reason behind `bad_message: `."""
    return {"frames": [*bad_bytes(), *bad_trees(), *bad_shapes()]}


def files() -> dict[str, str]:
    """File name to text, one row of each list a line."""
    made = {
        "messages.json": messages(),
        "malformed.json": malformed(),
        "states.json": states(),
        "close_codes.json": close_codes(),
        "lease.json": lease(),
    }
    return {name: _text(content) for name, content in made.items()}


def _text(content: Map) -> str:
    sections = []
    for name, value in content.items():
        if isinstance(value, list):
            rows = ",\n".join("  " + json.dumps(row) for row in value)
            sections.append(f' "{name}": [\n{rows}\n ]')
        else:
            sections.append(f' "{name}": {json.dumps(value)}')
    return "{\n" + ",\n".join(sections) + "\n}\n"


if __name__ == "__main__":
    for file_name, text in files().items():
        (FOLDER / file_name).write_text(text)

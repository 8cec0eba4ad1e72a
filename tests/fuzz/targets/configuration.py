"""Settings: in a file, and in the environment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from seatd.config import ConfigError, describe, load
from tests.fuzz.target import Target

FOLDER = tempfile.TemporaryDirectory(prefix="seatd-fuzz-")
SECRET = "a marked secret of 32 characters"


def run(data: bytes) -> None:
    """Refused with sentences, or settings that can be shown. The first byte: of a file, or of variables."""
    mode, rest = data[:1], data[1:]
    environ = {"SEATD_TOKENS_HS256_SECRET": SECRET}
    path = Path(FOLDER.name, "seatd.toml")
    path.write_bytes(b"" if mode == b"e" else rest)
    if mode == b"e":
        lines = rest.decode("utf-8", "surrogateescape").split("\n")  # as Python decodes an environment
        environ |= {f"SEATD_{name}": value for name, _, value in (line.partition("=") for line in lines)}
    try:
        settings = load(path, environ, {})
    except ConfigError as refusal:
        assert refusal.errors
        assert all(refusal.errors)
        return
    for row in describe(settings):
        assert isinstance(row.value, str)


def seeds() -> Iterator[bytes]:
    yield b't[clients]\nlisten = "0.0.0.0:8470"\n[store]\nurl = "redis://:pw@10.0.0.5:6379/0"\n[licenses]\ntrust = ["a.pem"]\n'
    yield b't[sessions]\nbeat = "8s"\nstrict = false\nper_user = 20\nmessages_per_s = 2.5\n[log]\nlevel = "debug"\n'
    yield b't[admin]\npublic_url = "https://a.example"\nproxies = ["10.0.0.0/8", "::1"]\n[node]\nname = "n"\nworkers = 2\n'
    yield b"eSTORE_URL=redis+sentinel://u:p@a:1,b:2/m\nNODE_LEASE=10s\nADMIN_LISTEN=[::1]:8471\n"
    yield b"eCLIENTS_ALLOWED_ORIGINS=https://a.example,*\nTOKENS_AUDIENCE=seatd\nTOKENS_JWKS_URL=https://a.example/jwks\n"


WORDS = (
    b"1e999",
    b"nan",
    b"inf",
    b"[[",
    b"a=" + b"[" * 2000,
    b"SERVICE_PORT",
    b"_FILE=",
    b"2026-01-01",
    b"0x",
    b"\\u0000",
    b"99999999999s",
    b"redis://[",
    b"\xc2\xb2s",
)
TARGET = Target("configuration", run, seeds, WORDS)

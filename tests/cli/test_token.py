"""`seatd token client`."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.cli.conftest import Seatd

SECRET = "a secret of the right length, at least"
WHO = ("--user", "alice@acme.example", "--customer", "acme")


def claims(token: str, key: str | bytes = SECRET, algorithm: str = "HS256") -> dict[str, object]:
    return jwt.decode(token.strip(), key, [algorithm], audience="seatd")


def test_the_configured_secret_is_found_in_order(seatd: Seatd, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path("seatd-data/demo")
    folder.mkdir(parents=True)
    secrets = {name: f"{name} {SECRET}" for name in ("demo", "named", "variable", "flag")}
    for name in ("demo", "named", "flag"):
        Path(name).write_text(f"{secrets[name]}\n")
    Path("demo").rename(folder / "client.secret")
    assert claims(seatd("token", "client", *WHO).stdout, secrets["demo"])
    monkeypatch.setenv("SEATD_TOKENS_HS256_SECRET_FILE", "named")
    assert claims(seatd("token", "client", *WHO).stdout, secrets["named"])
    monkeypatch.setenv("SEATD_TOKENS_HS256_SECRET", secrets["variable"])
    assert claims(seatd("token", "client", *WHO).stdout, secrets["variable"])
    assert claims(seatd("token", "client", *WHO, "--secret-file", "flag").stdout, secrets["flag"])


def test_claims(seatd: Seatd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATD_TOKENS_HS256_SECRET", SECRET)
    made = seatd("token", "client", *WHO)
    assert (made.exit_code, made.stderr, made.stdout.count("\n")) == (0, "", 1)
    found = claims(made.stdout)
    issued = found["iat"]
    assert isinstance(issued, int)
    assert found == {
        "aud": "seatd", "sub": "alice@acme.example", "customer": "acme", "iat": issued, "exp": issued + 3600,
        "jti": found["jti"],
    }  # fmt: skip
    assert "kid" not in jwt.get_unverified_header(made.stdout.strip())
    full = seatd(
        "token", "client", *WHO, "--ttl", "15m", "--products", "CALL_CENTER,EMAIL", "--products", "MOBILE",
        "--device", "mobile", "--kid", "k1",
    )  # fmt: skip
    found = claims(full.stdout)
    assert (found["products"], found["device"]) == (["CALL_CENTER", "EMAIL", "MOBILE"], ["mobile"])
    assert jwt.get_unverified_header(full.stdout.strip())["kid"] == "k1"


def test_signed_with_a_vendors_kind_of_key(seatd: Seatd, vendor: Path) -> None:
    token = seatd("token", "client", *WHO, "--key", vendor).stdout
    assert claims(token, Path("vendor.pem").read_bytes(), "EdDSA")["sub"] == "alice@acme.example"
    assert jwt.get_unverified_header(token.strip())["kid"] == "vendor"


def test_signed_with_other_keys(seatd: Seatd) -> None:
    made: list[tuple[str, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]] = [
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("RS256", rsa.generate_private_key(65537, 2048)),
    ]
    for algorithm, key in made:
        Path("own.pem").write_bytes(private_pem(key))
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        token = seatd("token", "client", *WHO, "--key", "own.pem", "--kid", "k").stdout
        assert claims(token, public, algorithm)["customer"] == "acme"


def private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            (),
            1,
            "There is no secret to sign with (seatd-data/demo/client.secret does not exist): give --secret-file "
            "or --key, or set SEATD_TOKENS_HS256_SECRET.",
        ),
        (
            ("--secret-file", "short"),
            1,
            "The secret in short is too short: it must have at least 32 bytes.",
        ),
        (("--secret-file", "binary"), 1, "binary is not text."),
        (("--key", "short"), 1, "short is not a private key in PEM without a password."),
        (
            ("--key", "p384"),
            1,
            "p384: tokens are signed with Ed25519, P-256 or RSA, this is another kind of key.",
        ),
        (("--key", "short", "--secret-file", "short"), 2, "Give either --key or --secret-file."),
        (("--ttl", "0"), 2, "--ttl must be longer than 0s."),
        (
            ("--user", "alice"),
            2,
            "Invalid value for '--user': user must be name@domain with exactly one @.",
        ),
        (
            ("--customer", "a\nb"),
            2,
            "Invalid value for '--customer': customer id must have no spaces, control or format characters.",
        ),
    ],
)
def test_mistakes(seatd: Seatd, words: tuple[str, ...], code: int, message: str) -> None:
    Path("short").write_text("too short")
    Path("binary").write_bytes(b"\xff\xfe" * 20)
    Path("p384").write_bytes(private_pem(ec.generate_private_key(ec.SECP384R1())))
    made = seatd("token", "client", *WHO, *words)
    assert (made.exit_code, made.stdout) == (code, "")
    assert made.stderr.endswith(f"Error: {message}\n")
    assert "too short\n" not in made.stderr.replace(message, "")

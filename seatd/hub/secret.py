"""The secret by which a client proves that a session is its own."""

from __future__ import annotations

import hashlib
import secrets


def new_key() -> str:
    """128 random bits, as a session's id or its secret."""
    return secrets.token_urlsafe(16)


def hashed(secret: str) -> str:
    """What the store keeps of a secret (random bits, so a plain hash is enough)."""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]

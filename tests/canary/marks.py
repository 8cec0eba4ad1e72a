"""Secrets that the tests know, so that whatever comes out of a server can be searched for them.

Whoever gives a secret to a server, or gets one from it, says so here (`mark`): servers their tokens, administrators their
passwords and cookies, clients what a `welcome` trusted them with. `tests.servers` then reads every log, and a hook in
`tests/conftest.py` all that a test prints or logs.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z0-9_=-]{16,}")
"""What a random secret looks like, so that thousands can be looked for at once; a token's parts each are one."""

_words: dict[str, str] = {}
_texts: dict[str, str] = {}


def mark(kind: str, secret: str | None) -> None:
    """From now on this secret must be seen nowhere. `kind` is what a test that fails says of it."""
    if not secret:
        return
    words = [part for part in secret.split(".") if _WORD.fullmatch(part)]
    if not words or " " in secret:
        _texts[secret] = kind
    elif secret.count(".") == 2:
        _words[words[-1]] = kind  # of a JWT the signature: header and claims are no secrets
    else:
        _words.update(dict.fromkeys(words, kind))


def leaks(text: str) -> set[str]:
    """The kinds of secrets that stand in this text."""
    found = {_words[word] for word in _WORD.findall(text) if word in _words}
    return found | {kind for secret, kind in _texts.items() if secret in text}

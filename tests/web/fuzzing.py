"""What the fuzzer plays with: a deployment of throw-away data, and names out of it instead of random ones."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.servers import Server
from tests.web.conftest import license_key

KNOWN: Mapping[str, tuple[str, ...]] = {
    "customer": ("acme", "other", "nobody"),
    "agency": ("wholesale", "nobody"),
    "domain": ("acme.example", "other.example", "nowhere.example"),
    "user": ("ann@acme.example", "bob@acme.example", "cid@other.example"),
    "users": ("ann@acme.example",),
    "id": ("acme-1", "acme-2", "acme-3", "acme-4", "other-1"),
    "license": ("acme-1", "acme-2", "acme-3", "acme-4", "other-1"),
    "name": ("root", "bob"),
    "product": ("CALL_CENTER", "EMAIL", "CHAT", "MOBILE"),
    "resource": ("gateway-1", "profile-1"),
    "format": ("csv", "json"),
    "resolution": ("live", "hour", "day", "month"),
    "by": ("customer", "product", "domain", "license"),
}
"""By field: names that are there (some of the time), and some that never are."""


def seed(server: Server) -> None:
    """Puts back what the fuzzer may have destroyed. What is there already is refused, which does no harm."""
    licenses = (
        {},
        {"product": "MOBILE", "kind": "nominal"},
        {"product": "EMAIL", "kind": "nominal"},
        {"product": "CHAT", "kind": "nominal"},
    )
    post = "POST"
    say(server, post, "/agencies", {"id": "wholesale"})
    say(server, post, "/customers/acme/reinstate")
    say(server, post, "/customers/acme/resume")
    say(server, post, "/licenses", {"key": license_key(*licenses)})
    say(server, post, "/licenses", {"key": license_key({}, customer="other", jti="key-2")})
    for user in ("ann@acme.example", "bob@acme.example"):
        say(server, post, "/customers/acme/users", {"user": user})
    say(server, "PUT", "/licenses/acme-2/users/ann@acme.example")
    say(server, "PUT", "/domains/acme.example/resources/CHAT/gateway-1")
    say(server, post, "/administrators", {"name": "root", "grants": [{"role": "operator"}]})
    say(
        server, post, "/administrators", {"name": "bob", "grants": [{"role": "owner", "customers": ["acme"]}]}
    )


def say(server: Server, method: str, path: str, body: object = None) -> int:
    """The status of a call of the operator's."""
    request = urllib.request.Request(
        f"http://{server.admin}/api/v1{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return int(refused.code)


def with_known_names(draw: st.DrawFn, place: Any) -> Any:
    """The path, query or body with names of things that are there, where it has such a field."""
    if not isinstance(place, dict):
        return place
    return {name: _known(draw, name, value) for name, value in place.items()}


def _known(draw: st.DrawFn, name: str, value: Any) -> Any:
    if name not in KNOWN or not draw(st.booleans()):
        return value
    chosen = draw(st.sampled_from(KNOWN[name]))
    return [chosen] if isinstance(value, list) else chosen

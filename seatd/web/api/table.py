"""All calls of the REST API: for the routes, the OpenAPI document and the documentation's test."""

from __future__ import annotations

from seatd.web.api import (
    administrators,
    denials,
    events,
    license_import,
    license_users,
    licenses,
    logout,
    profile,
    profile_totp,
    sessions,
    sign_in,
    sign_in_links,
    tokens,
    usage,
)
from seatd.web.api.ops import Op

OPS: tuple[Op, ...] = (
    *license_import.ops,
    *licenses.ops,
    *license_users.ops,
    *logout.ops,
    *sessions.ops,
    *usage.ops,
    *denials.ops,
    *events.ops,
    *sign_in.ops,
    *profile.ops,
    *profile_totp.ops,
    *administrators.ops,
    *sign_in_links.ops,
    *tokens.ops,
)

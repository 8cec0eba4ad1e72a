"""All calls of the REST API: for the routes, the OpenAPI document and the documentation's test.

Where two addresses could mean the same call, the one without a name in it comes first.
"""

from __future__ import annotations

from seatd.web.api import (
    administrators,
    agencies,
    audit,
    audit_verify,
    checks,
    customer_status,
    customer_terms,
    customers,
    dead_letters,
    denials,
    domains,
    events,
    license_import,
    license_totals,
    license_users,
    licenses,
    logout,
    profile,
    profile_totp,
    resources,
    sessions,
    sign_in,
    sign_in_links,
    stream,
    tokens,
    usage,
    users,
    webhooks,
)
from seatd.web.api.ops import Op

OPS: tuple[Op, ...] = (
    *license_import.ops,
    *license_totals.ops,
    *licenses.ops,
    *license_users.ops,
    *logout.ops,
    *sessions.ops,
    *usage.ops,
    *denials.ops,
    *events.ops,
    *stream.ops,
    *sign_in.ops,
    *profile.ops,
    *profile_totp.ops,
    *administrators.ops,
    *sign_in_links.ops,
    *tokens.ops,
    *agencies.ops,
    *customers.ops,
    *customer_status.ops,
    *customer_terms.ops,
    *domains.ops,
    *users.ops,
    *resources.ops,
    *webhooks.ops,
    *dead_letters.ops,
    *audit.ops,
    *audit_verify.ops,
    *checks.ops,
)

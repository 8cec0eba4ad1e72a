"""API tokens as administrators make them and take them back. (Nodes look them up, and register their own: `registry`.)"""

from __future__ import annotations

import msgspec

from seatd.store.access_values import TokenRecord
from seatd.store.audit import AuditVerbs
from seatd.store.audit_values import Change, Veiled
from seatd.store.hashes import fields_of
from seatd.store.keys import deployment_key


class ApiTokenVerbs(AuditVerbs):
    """Who may call without signing in."""

    async def tokens(self) -> dict[str, TokenRecord]:
        """All API tokens by their hash, the oldest first."""
        fields = fields_of(await self.pipeline.command("HGETALL", deployment_key("api_tokens")))
        found = {
            digest.decode(): msgspec.json.decode(packed, type=TokenRecord)
            for digest, packed in fields.items()
        }
        return dict(sorted(found.items(), key=lambda item: (item[1].created_ms, item[0])))


def token_change(digest: str, before: TokenRecord | None, after: TokenRecord | None) -> Change:
    """The change that makes one of the other. The trail names a token by its id, not by its hash."""
    record = after or before
    return Veiled(
        place="api_tokens",
        field=digest,
        before=None if before is None else msgspec.to_builtins(before),
        after=None if after is None else msgspec.to_builtins(after),
        label=record.id if record else "",
    )

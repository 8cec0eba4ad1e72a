"""Sessions of administrators in the console, and links that sign in once. What counts of them, `seatd.web` decides."""

from __future__ import annotations

import msgspec

from seatd.store.administrator_values import SignIn, SignInLink
from seatd.store.audit_values import Change, Veiled
from seatd.store.hashes import fields_of
from seatd.store.keys import deployment_key
from seatd.store.verbs import Verbs


class SignInVerbs(Verbs):
    """Kept by the hash of their secret, in the deployment's slot."""

    async def put_sign_in(self, digest: str, record: SignIn) -> None:
        """A new session."""
        await self.pipeline.command("HSET", deployment_key("sign_ins"), digest, msgspec.json.encode(record))

    async def sign_in(self, digest: str) -> SignIn | None:
        """The session with this hash."""
        packed = await self.pipeline.command("HGET", deployment_key("sign_ins"), digest)
        return None if packed is None else msgspec.json.decode(packed, type=SignIn)

    async def sign_ins(self) -> dict[str, SignIn]:
        """All sessions by their hash, the oldest first."""
        fields = fields_of(await self.pipeline.command("HGETALL", deployment_key("sign_ins")))
        found = {
            digest.decode(): msgspec.json.decode(packed, type=SignIn) for digest, packed in fields.items()
        }
        return dict(sorted(found.items(), key=lambda item: item[1].created_ms))

    async def see_sign_in(self, digest: str, record: SignIn) -> bool:
        """Notes that a session was used. False: it has ended meanwhile, and stays so."""
        text = msgspec.json.encode(record)
        return (await self.call_deployment("see_sign_in", digest=digest, record=text)).word == "seen"

    async def end_sign_ins(self, *digests: str) -> int:
        """Ends sessions; how many there were."""
        if not digests:
            return 0
        return int(await self.pipeline.command("HDEL", deployment_key("sign_ins"), *digests))

    async def drop_links(self, now_ms: int) -> None:
        """Throws away the links that are over by now."""
        key = deployment_key("sign_in_links")
        for digest, packed in fields_of(await self.pipeline.command("HGETALL", key)).items():
            if msgspec.json.decode(packed, type=SignInLink).ends_ms <= now_ms:
                await self.pipeline.command("HDEL", key, digest)

    async def link(self, digest: str) -> SignInLink | None:
        """The link with this hash, while nobody has used it."""
        packed = await self.pipeline.command("HGET", deployment_key("sign_in_links"), digest)
        return None if packed is None else msgspec.json.decode(packed, type=SignInLink)

    async def use_link(self, digest: str) -> bool:
        """Uses a link up. False: somebody else was faster."""
        return bool(await self.pipeline.command("HDEL", deployment_key("sign_in_links"), digest))


def link_change(digest: str, link: SignInLink) -> Change:
    """The change that makes a link, for `AuditVerbs.amend`. The trail names whom it signs in, not its hash."""
    return Veiled(place="sign_in_links", field=digest, after=msgspec.to_builtins(link), label=link.name)

"""What nodes remember of the registry, should the store lose all that it has."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from seatd.store.registry_values import Registration, Reregistered
from seatd.store.verbs import Verbs

MAPS = ("licenses", "license_keys", "account", "resources")


class RegistrationVerbs(Verbs):
    """A customer's part of the registry as a whole: read, and put back."""

    async def registered(self, customer: str) -> Registration:
        """All that the registry has of a customer. Raises `StoreUnavailable`.

        Whether the store still has everything, the caller must judge by the partition's epoch.
        """
        body = (await self.call("registered", customer)).body
        # Lua does not tell an empty list from an empty map.
        maps = {name: body[name] or {} for name in MAPS}
        return msgspec.convert(
            {**maps, "profile": body.get("profile") or None, "assignments": body["assignments"] or ()},
            Registration,
        )

    async def reregister(
        self, customer: str, remembered: Registration, withdrawn: Mapping[str, Mapping[str, object]]
    ) -> Reregistered:
        """Puts back licenses after a total loss; what is there already counts. Nothing outside of a recovery.

        `withdrawn` (records by license id): what must not be there; one that was imported again since is another one.
        """
        answer = await self.call(
            "reregister", customer, remembered=msgspec.to_builtins(remembered), withdrawn=dict(withdrawn)
        )
        return Reregistered(added=tuple(answer.body["added"]), dropped=tuple(answer.body["dropped"]))

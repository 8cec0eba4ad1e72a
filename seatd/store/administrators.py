"""Administrators in the store. They are changed through `AuditVerbs.amend`, with what `changed` makes of them."""

from __future__ import annotations

import msgspec

from seatd.store.administrator_values import SECRETS, Administrator
from seatd.store.audit import AuditVerbs
from seatd.store.audit_values import Change, Json, Veiled
from seatd.store.keys import deployment_key


class AdministratorVerbs(AuditVerbs):
    """Who may sign in."""

    async def administrator(self, name: str) -> Administrator | None:
        """The administrator of this name."""
        packed = await self.pipeline.command("HGET", deployment_key("administrators"), name)
        return None if packed is None else msgspec.json.decode(packed, type=Administrator)

    async def administrators(self) -> list[Administrator]:
        """All of them, in order of name."""
        packed = await self.pipeline.command("HVALS", deployment_key("administrators"))
        found = [msgspec.json.decode(record, type=Administrator) for record in packed]
        return sorted(found, key=lambda administrator: administrator.name)


def changed(before: Administrator | None, after: Administrator | None) -> Change:
    """The change that makes one of the other, with secrets that the trail does not show."""
    name = (before or after or _NOBODY).name
    return Veiled(
        place="administrators", field=name, before=_written(before), after=_written(after), secrets=SECRETS
    )


def _written(administrator: Administrator | None) -> Json:
    return None if administrator is None else msgspec.to_builtins(administrator)


_NOBODY = Administrator(name="", grants=())

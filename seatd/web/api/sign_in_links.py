"""Links that sign an administrator in once: for the first minutes, and for somebody who has no password (any more)."""

from __future__ import annotations

import msgspec

from seatd.store.administrator_values import SignInLink
from seatd.store.audit_values import Change
from seatd.store.sign_ins import link_change
from seatd.web.api.administrators import Name, own
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Input, Moment, Nothing, moment
from seatd.web.errors import Problem
from seatd.web.session_cookie import digest_of, new_secret

ops = Ops("sign-in")

GOOD_FOR_MS = 10 * 60 * 1000


class NewLink(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom it signs in."""

    name: Name


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """The link's secret, shown this once; `path` is where it leads in the console."""

    link: str
    path: str
    ends: Moment


@ops.op(
    "POST",
    "/api/v1/sign-in-links",
    "administrators.change",
    problems=("unknown_administrator",),
)
async def create_link(call: Call[Nothing, Nothing, NewLink]) -> LinkView:
    """Make a link that signs an administrator in once, within ten minutes; a one-time code is needed all the same"""
    store, name, now_ms = call.services.store, call.body.name, call.services.now_ms()
    secret, ends_ms = new_secret(), now_ms + GOOD_FOR_MS

    async def decide() -> list[Change]:
        found = own(call, await store.administrator(name))
        if found.disabled:
            raise Problem("unknown_administrator", "The administrator is disabled.")
        record = SignInLink(name=name, generation=found.generation, ends_ms=ends_ms)
        return [link_change(digest_of(secret), record)]

    await store.drop_links(now_ms)
    await store.amend(None, call.caller.deed("administrator.link", name), decide)
    return LinkView(link=secret, path=f"/console/sign-in#{secret}", ends=moment(ends_ms))

"""Importing a license key: all of it or nothing, and first as a dry run if wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
import structlog

from seatd.licensing.keys import BadLicenseKey, LicenseClaim, LicenseKey, verify
from seatd.store.audit_values import Change
from seatd.store.redis import Store
from seatd.store.registry import DONE
from seatd.store.registry_values import Imported, LicenseRow
from seatd.web.api.customer_views import check_alive
from seatd.web.api.import_affected import AffectedLicense, affected_by, without_names
from seatd.web.api.license_rows import DAY_MS
from seatd.web.api.license_use import validity
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Input, Moment, Nothing, moment
from seatd.web.caller import Scope
from seatd.web.errors import FieldError, Problem
from seatd.web.services import Services

ENDS_SOON_MS = 30 * DAY_MS

NOTICES = {
    "expired": "the license is already over: it gives no seats",
    "not_yet_valid": "the license gives no seats before it begins",
    "ends_soon": "the license ends within 30 days",
    "limit_lowered": "the limit is below the one it replaces",
    "holders_above_limit": "there are more holders than that: the license's policy says what becomes of them",
}
"""What an administrator may want to know about a key that is accepted all the same."""

PROBLEMS = (
    "invalid_license_key", "unknown_customer", "customer_deleted", "older_key", "other_customer", "domain_taken",
)  # fmt: skip

ops = Ops("licenses")
_log = structlog.get_logger(__name__)


class ImportQuery(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`dry_run`: only say what would change."""

    dry_run: bool = False


class ImportBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The license key, as it was pasted."""

    key: Annotated[str, msgspec.Meta(min_length=1)]


class ImportedLicense(msgspec.Struct, frozen=True, kw_only=True):
    """One license of the key, and what the import did (or would do) with it."""

    id: str
    product: str
    kind: Literal["competitive", "nominal"]
    limit: int
    valid_from: Moment
    valid_till: Moment
    change: Literal["added", "replaced", "unchanged"]


class ImportNotice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to know about one license of an accepted key."""

    code: str
    license: str
    message: str


class ImportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or with `dry_run` would do. `already_imported`: nothing, it was done before."""

    status: Literal["imported", "already_imported"]
    dry_run: bool
    customer: str
    domains: tuple[str, ...]
    licenses: tuple[ImportedLicense, ...]
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    notices: tuple[ImportNotice, ...]
    affected: Annotated[
        tuple[AffectedLicense, ...], msgspec.Meta(description="of a dry run: who would lose by it")
    ]


@ops.op("POST", "/api/v1/licenses", "licenses.import", problems=PROBLEMS)
async def import_license(call: Call[Nothing, ImportQuery, ImportBody]) -> ImportAnswer:
    """Import a license key"""
    key = await _verified(call.services, call.body.key)
    store, dry_run = call.services.store, call.query.dry_run
    await _check_customer(call.scope, store, key)
    before = {row.id: row for row in await store.registry([key.customer.id])}
    done = await _put(call, key, before)
    if done.status == "deleted":  # since we looked
        raise Problem("customer_deleted")
    if done.status not in DONE:
        raise _conflict(done)
    if done.status == "imported" and not dry_run:
        _log.info(
            "license key imported", by=call.caller.name, customer=key.customer.id, jti=key.jti,
            added=done.added, replaced=done.replaced,
        )  # fmt: skip
    affected = await _affected(call, key, before) if dry_run else ()
    return _answer(key, done, before, affected, dry_run=dry_run, now_ms=call.services.now_ms())


async def _affected(
    call: Call[Any, Any, Any], key: LicenseKey, before: dict[str, LicenseRow]
) -> tuple[AffectedLicense, ...]:
    found = await affected_by(call.services.store, key, before)
    if await call.scope.also("licenses.users", key.customer.id):
        return found
    return tuple(map(without_names, found))


async def _check_customer(scope: Scope, store: Store, key: LicenseKey) -> None:
    """The key is for a customer that is there for the caller, or for a new one that it may make."""
    customer = key.customer
    if await scope.has_customer(customer.id):
        await scope.whole_customer(customer.id)
        check_alive(await store.account(customer.id))
        return
    if await store.has_customer(customer.id) or not scope.may_create(customer.agency):
        raise Problem("unknown_customer")


async def _put(call: Call[Any, ImportQuery, Any], key: LicenseKey, before: dict[str, LicenseRow]) -> Imported:
    """Imports, when the domains are the customer's or nobody's. Nothing is claimed for a key that is refused anyway."""
    store, dry_run = call.services.store, call.query.dry_run
    if taken := await store.domains_taken(key.customer.id, key.domains):
        return Imported(status="domain_taken", faulty=taken)
    would = await store.put_license(key, dry_run=True)
    if dry_run or would.status != "imported":
        return would
    changes = [
        Change(
            place="licenses",
            field=claim.id,
            before=msgspec.to_builtins(before[claim.id]) if claim.id in before else None,
            after=msgspec.to_builtins(claim),
        )
        for claim in key.licenses
    ]
    if not (await store.facts(key.customer.id, "account")).get("created_ms"):
        made = Change(place="customers", field=key.customer.id, after=msgspec.to_builtins(key.customer))
        changes.insert(0, made)
    deed = call.caller.deed("licenses.import", key.jti)
    return await store.put_license(key, claims=True, deed=deed, changes=changes)


async def _verified(services: Services, text: str) -> LicenseKey:
    """A key of a thousand licenses takes a while to read: not on the event loop."""
    try:
        return await asyncio.to_thread(
            verify, text, services.trust, services.catalog, now_ms=services.now_ms()
        )
    except BadLicenseKey as bad:
        errors = tuple(FieldError(path=f.path, message=f"{f.message} ({f.code})") for f in bad.faults)
        raise Problem("invalid_license_key", errors[0].message, errors=errors) from None


def _conflict(done: Imported) -> Problem:
    why = {
        "older_key": ": held by a newer key",
        "other_customer": ": held by another customer",
    }.get(done.status, "")
    errors = tuple(FieldError(path="key", message=name + why) for name in done.faulty)
    return Problem(done.status, errors=errors)


def _answer(
    key: LicenseKey,
    done: Imported,
    before: dict[str, LicenseRow],
    affected: tuple[AffectedLicense, ...],
    *,
    dry_run: bool,
    now_ms: int,
) -> ImportAnswer:
    return ImportAnswer(
        status="imported" if done.status == "imported" else "already_imported",
        dry_run=dry_run,
        customer=key.customer.id,
        domains=key.domains,
        licenses=tuple(_imported(claim, done) for claim in key.licenses),
        added=done.added,
        replaced=done.replaced,
        notices=tuple(
            ImportNotice(code=code, license=claim.id, message=NOTICES[code])
            for claim in key.licenses
            for code in _notices(claim, before.get(claim.id), now_ms)
        ),
        affected=affected,
    )


def _imported(claim: LicenseClaim, done: Imported) -> ImportedLicense:
    change: Literal["added", "replaced", "unchanged"] = "unchanged"
    if claim.id in done.added:
        change = "added"
    elif claim.id in done.replaced:
        change = "replaced"
    return ImportedLicense(
        id=claim.id,
        product=claim.product,
        kind=claim.kind,
        limit=claim.limit,
        valid_from=moment(claim.valid_from_ms),
        valid_till=moment(claim.valid_till_ms),
        change=change,
    )


def _notices(claim: LicenseClaim, before: LicenseRow | None, now_ms: int) -> Iterable[str]:
    state = validity(claim.valid_from_ms, claim.valid_till_ms, now_ms)
    if state != "valid":
        yield state
    elif claim.valid_till_ms - now_ms <= ENDS_SOON_MS:
        yield "ends_soon"
    if before is not None and claim.limit < before.limit:
        yield "limit_lowered"
        if before.online > claim.limit + claim.overdraft:
            yield "holders_above_limit"

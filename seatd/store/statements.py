"""Invoice statements in the store: made of the usage that was metered, issued once, and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from seatd.store.audit_values import Change, Deed
from seatd.store.events import EVENTS_AT_ONCE, EventVerbs
from seatd.store.keys import customer_key
from seatd.store.overviews import Overview
from seatd.store.price_values import price_list
from seatd.store.registry import RegistryVerbs
from seatd.store.statement_values import (
    MOST_DAYS,
    PLACE,
    Figures,
    Metering,
    Period,
    Sealed,
    Statement,
    StatementRow,
    digest_of,
    figures_of,
    lines_of,
    total_of,
    utc,
)
from seatd.store.usage import SCOPES_AT_ONCE, UsageVerbs
from seatd.store.usage_values import Level, Scope, UsageRow, merged
from seatd.store.values import Value


class NotOver(Value, frozen=True):
    """The period has not come to its end."""


class Ended(Value, frozen=True):
    """The customer is being deleted."""


class Overlaps(Value, frozen=True, kw_only=True):
    """A day of the period belongs to a statement that was issued already."""

    number: str


class StatementVerbs(RegistryVerbs, UsageVerbs, EventVerbs):
    """Drafts statements, issues them, and reads those that were issued."""

    async def draft(self, customer: str, period: Period) -> Statement:
        """What a statement would say now. Of a period that is not over: so far."""
        overview = await self.overview(customer)
        account = overview.account
        prices = price_list(await self.facts(customer, "account"))
        usage = await self._figures(overview, period)
        lines = lines_of(usage, prices, period.months())
        used = {figures.product for figures in usage if figures.product is not None}
        return Statement(
            customer=customer,
            customer_name=account.name,
            external_id=account.external_id,
            agency=account.agency,
            from_=period.first,
            to=period.last,
            currency=prices.currency,
            lines=lines,
            total=total_of(lines),
            unpriced=tuple(sorted(used - {line.product for line in lines})),
            prices=prices,
            usage=usage,
            metering=await self._metering(customer, account.created_ms, period),
        )

    async def issue(
        self, customer: str, period: Period, deed: Deed
    ) -> Statement | NotOver | Overlaps | Ended:
        """Makes the statement of a period for good, together with its audit entry. Raises `StoreUnavailable`.

        It is decided anew when anything of the customer was changed meanwhile: no two overlap, and no number is left out.
        """
        outcome: Statement | NotOver | Overlaps | Ended = NotOver()

        async def decide() -> Sequence[Change]:
            nonlocal outcome
            outcome = await self._issuable(customer, period, deed)
            return [_sealed(outcome)] if isinstance(outcome, Statement) else ()

        await self.amend(customer, deed, decide)
        return outcome

    async def issue_last(self, customer: str, deed: Deed) -> None:
        """The statement of the days that are on none yet, of a customer that is just being deleted and has a price list.

        It may be asked again, and by several: then there is nothing left to be said. Raises `StoreUnavailable`.
        """

        async def decide() -> Sequence[Change]:
            issued = await self.statements(customer)
            period = await self._last_period(customer, issued)
            if period is None:
                return ()
            statement = await self._numbered(customer, period, issued, deed, await self.time_ms())
            return [_sealed(statement)]

        await self.amend(customer, deed, decide)

    async def statements(self, customer: str) -> list[StatementRow]:
        """All that were issued, the latest first."""
        kept = await self.hash_at(self._of(PLACE, customer))
        rows = [msgspec.json.decode(text, type=StatementRow) for text in kept.values()]
        return sorted(rows, key=lambda row: (row.issued, row.number), reverse=True)

    async def statement(self, customer: str, number: str) -> Statement | None:
        """One that was issued. None: there is none such."""
        text = await self.pipeline.command("HGET", self._of(PLACE, customer), number)
        return None if text is None else msgspec.json.decode(text, type=Statement)

    async def statement_digest(self, customer: str, number: str) -> str | None:
        """The SHA-256 of one as it is kept now. None: there is none such."""
        text = await self.pipeline.command("HGET", self._of(PLACE, customer), number)
        return None if text is None else digest_of(text)

    async def statement_count(self, customer: str) -> int:
        """How many are kept."""
        return int(await self.pipeline.command("HLEN", self._of(PLACE, customer)))

    async def _issuable(
        self, customer: str, period: Period, deed: Deed
    ) -> Statement | NotOver | Overlaps | Ended:
        if (await self.account(customer)).status == "deleted":
            return Ended()
        issued = await self.statements(customer)
        taken = next((row.number for row in issued if row.period.overlaps(period)), None)
        if taken is not None:
            return Overlaps(number=taken)
        now_ms = await self.time_ms()
        if period.till_ms > now_ms:
            return NotOver()
        return await self._numbered(customer, period, issued, deed, now_ms)

    async def _last_period(self, customer: str, issued: Sequence[StatementRow]) -> Period | None:
        """From the day after the last statement (or the customer's first) to its last; None: nothing is left to be said."""
        facts = await self.facts(customer, "account")
        end_ms = facts.get("delete_at_ms")
        if facts.get("status") != "deleted" or not end_ms or not facts.get("prices"):
            return None
        last = utc(end_ms - 1).date()
        first = max(
            (row.to + timedelta(days=1) for row in issued), default=utc(facts.get("created_ms") or 0).date()
        )
        first = max(first, last - timedelta(days=MOST_DAYS - 1))
        return Period(first, last) if first <= last else None

    async def _numbered(
        self, customer: str, period: Period, issued: Sequence[StatementRow], deed: Deed, now_ms: int
    ) -> Statement:
        number = _next_number(customer, period, issued)
        draft = await self.draft(customer, period)
        return replace(draft, number=number, issued=utc(now_ms), issued_by=deed.by.name)

    async def _figures(self, overview: Overview, period: Period) -> tuple[Figures, ...]:
        """Of each product, and then of its licenses."""
        customer = overview.account.id
        scopes = [scope for scope in await self.scopes(customer) if scope.kind in ("product", "license")]
        rows = await self._rows(customer, scopes, period)
        ms = min(period.till_ms, await self.time_ms()) - period.from_ms
        product_of = {row.id: row.product for row in overview.licenses}
        assigned = _assigned(overview)
        found = [
            figures_of(product_of.get(scope.license, scope.product or None), scope.license or None, row, ms, number)
            for scope, row in {**{scope: UsageRow() for scope in assigned}, **rows}.items()
            if (number := assigned.get(scope, 0)) or row != UsageRow()
        ]  # fmt: skip
        return tuple(
            sorted(found, key=lambda one: (one.product is None, one.product or "", one.license or ""))
        )

    async def _rows(self, customer: str, scopes: Sequence[Scope], period: Period) -> Mapping[Scope, UsageRow]:
        """A few scopes at a time: between them others have their turn."""
        months, days = period.parts()
        found: dict[Scope, UsageRow] = {}
        for start in range(0, len(scopes), SCOPES_AT_ONCE):
            part = scopes[start : start + SCOPES_AT_ONCE]
            by_month = await self._if_any(customer, part, "month", months)
            by_day = await self._if_any(customer, part, "day", days)
            for scope, of_months, of_days in zip(part, by_month, by_day, strict=True):
                found[scope] = merged([*of_months, *of_days])
        return found

    async def _if_any(
        self, customer: str, scopes: Sequence[Scope], level: Level, numbers: Sequence[int]
    ) -> list[list[UsageRow]]:
        return await self.usage(customer, scopes, level, numbers) if numbers else [[] for _ in scopes]

    async def _metering(self, customer: str, created_ms: int, period: Period) -> Metering:
        """What the stream of events says of this time, as far as it reaches back."""
        counts = {"restored": 0, "recounted": 0}
        before = None
        while found := await self.events(
            customer, from_ms=period.from_ms, till_ms=period.till_ms, before=before, limit=EVENTS_AT_ONCE
        ):
            for event in found:
                if event.type in counts:
                    counts[event.type] += 1
            before = found[-1].seq
        name = customer_key("events", self.partition(customer), customer)
        oldest = await self.pipeline.command("XRANGE", name, "-", "+", "COUNT", 1)
        known_ms = int(oldest[0][0].partition(b"-")[0]) if oldest else await self.time_ms()
        is_known = known_ms <= max(period.from_ms, created_ms) or created_ms >= period.till_ms
        state = "in_part" if any(counts.values()) else "whole" if is_known else "not_known"
        return msgspec.convert(
            {
                "state": state,
                **counts,
                "known_from": None if is_known else utc(min(known_ms, period.till_ms)),
            },
            Metering,
        )


def _sealed(statement: Statement) -> Sealed:
    return Sealed(place=PLACE, field=str(statement.number), after=msgspec.to_builtins(statement))


def _assigned(overview: Overview) -> dict[Scope, int]:
    """Users assigned, by license and by product."""
    found: dict[Scope, int] = {}
    for row in overview.licenses:
        if row.kind == "nominal" and row.used:
            of_product = Scope("product", product=row.product)
            found[of_product] = found.get(of_product, 0) + row.used
            found[Scope("license", license=row.id)] = row.used
    return found


def _next_number(customer: str, period: Period, issued: Sequence[StatementRow]) -> str:
    """Customer, year of the period's last day, and what comes next in it: from 0001 on, without gaps."""
    prefix = f"{customer}-{period.last.year}-"
    taken = [row.number.removeprefix(prefix) for row in issued if row.number.startswith(prefix)]
    return f"{prefix}{max(map(int, taken), default=0) + 1:04}"

"""What the model test does, at random: customers, users, licenses, and what is asked for."""

from __future__ import annotations

from hypothesis import strategies as st

from seatd.licensing.keys import LicenseClaim
from seatd.store.keys import partition_of
from seatd.store.values import Want
from seatd.store.verbs import StoreOptions
from seatd_protocol.messages import SeatKind
from tests.conftest import NOW_MS

PARTITIONS = 4
OPTIONS = StoreOptions(partitions=PARTITIONS, tomb_ms=60_000, recovery_ms=5_000)
CUSTOMERS = (
    "acme",
    next(f"beta{n}" for n in range(99) if partition_of(f"beta{n}", 4) == partition_of("acme", 4)),
)
PARTITION = partition_of("acme", PARTITIONS)
NODES = ("n1", "n2", "n3")
USERS = ("alice@one.test", "bob@one.test", "carol@two.test")
DEVICES = ("d1", "d2", "d3")
DOMAINS = (("one.test",), ("one.test", "two.test"), ("two.test",))

# Product and kind by id: a license keeps what it is, while its limit, domains and times change.
LICENSES: dict[str, tuple[str, SeatKind]] = {
    "cc-1": ("CALL_CENTER", "competitive"),
    "cc-2": ("CALL_CENTER", "competitive"),
    "cc-n": ("CALL_CENTER", "nominal"),
    "mail-1": ("EMAIL", "competitive"),
    "mail-2": ("EMAIL", "competitive"),
    "mail-n": ("EMAIL", "nominal"),
    "mail-m": ("EMAIL", "nominal"),
    "base-1": ("phone_system", "competitive"),
    "desk-1": ("device_desktop_app", "competitive"),
    "desk-n": ("device_desktop_app", "nominal"),
    "rtc-1": ("device_web_rtc", "competitive"),
    "rtc-2": ("device_web_rtc", "competitive"),
    "rtc-n": ("device_web_rtc", "nominal"),
}
FIRST_LICENSES = ("cc-1", "cc-n", "mail-1", "mail-2", "base-1", "desk-1", "desk-n", "rtc-1", "rtc-n")
PRODUCTS = tuple(dict.fromkeys(product for product, _ in LICENSES.values()))
COMBINE = {"EMAIL": "max"}
ONE_DEVICE = "device_web_rtc"
COUNTS_DEVICES = ("device_desktop_app", ONE_DEVICE)

a_customer = st.sampled_from((CUSTOMERS[0],) * 4 + CUSTOMERS[1:])
a_node = st.sampled_from(NODES)
a_pick = st.integers(0, 6)
a_user = st.sampled_from(USERS[:1] + USERS)
a_license = st.sampled_from(sorted(LICENSES))
a_nominal = st.sampled_from(("cc-n", "mail-n", "mail-m", "desk-n", "rtc-n", "cc-n", "rtc-n", "cc-1"))
a_cooldown = st.sampled_from((0, 0, 20_000))
a_while = st.sampled_from((0, 5_000, 29_999, 30_000, 35_000))
a_group = st.sampled_from(("", "together"))
a_device = st.sampled_from(DEVICES)
a_product = st.sampled_from(PRODUCTS)
need = st.lists(a_product, min_size=1, max_size=3, unique=True)
need_or_nothing = st.sampled_from((True, True, True, False)).flatmap(
    lambda some: need if some else st.just([])
)
more = st.lists(a_product, max_size=2, unique=True)
a_fence_error = st.sampled_from((0, 0, 0, 0, 1, -1))
a_priority = st.sampled_from((None, 0, 0, 0, 5))
"""Of one that waits; None: it does not."""
mostly = st.sampled_from((True, True, True, False))
seldom = st.sampled_from((False, False, False, True))


def want(product: str, user: str, device: str, group: str = "") -> Want:
    """What a session asks for, by the rules of the catalogue."""
    devices = product in COUNTS_DEVICES
    return Want(
        product=product,
        holder=f"{user}/{device}" if devices else user,
        combine=COMBINE.get(product, "sum"),
        devices=devices,
        max_per_user=1 if product == ONE_DEVICE else 0,
        missing="base_missing" if product == "phone_system" else "not_licensed",
        group=group,
    )


KeyParts = tuple[str, tuple[str, ...], list[LicenseClaim]]


GROUPS = ("sales", "staff")
an_ending = st.sampled_from((None, "drain", "evict", "after_call"))
policies = st.fixed_dictionaries(
    {
        "on_expiry": an_ending,
        "on_lower": an_ending,
        "on_remove": an_ending,
        "deadline_s": st.sampled_from((None, 10, 60)),
        "device": st.sampled_from((None, None, "one_per_class", "take_over", "refuse")),
        "reservations": st.sampled_from(
            (
                None,
                None,
                [{"user": USERS[0], "seats": 1}],
                [{"group": GROUPS[0], "seats": 1}],
                [{"user": USERS[1], "seats": 1}, {"domain": "two.test", "seats": 1}],
            )
        ),
    }
)
groups = st.sampled_from(((), (), GROUPS[:1], GROUPS))


@st.composite
def keys(draw: st.DrawFn) -> KeyParts:
    """A customer, domains, and one to three licenses."""
    ids = draw(st.lists(a_license, min_size=1, max_size=3, unique=True))
    claims = [
        claim(
            id_,
            limit=draw(st.integers(1, 3)),
            overdraft=draw(st.sampled_from((0, 0, 1))),
            from_ms=draw(st.sampled_from((0, 0, 0, 40_000))),
            till_ms=draw(st.sampled_from((50_000, 500_000, 600_000))),
            policy=draw(policies),
        )
        for id_ in ids
    ]
    return draw(a_customer), draw(st.sampled_from(DOMAINS)), claims


def claim(
    id_: str,
    *,
    limit: int,
    overdraft: int,
    from_ms: int,
    till_ms: int,
    policy: dict[str, object] | None = None,
) -> LicenseClaim:
    product, kind = LICENSES[id_]
    return LicenseClaim(
        id=id_,
        product=product,
        kind=kind,
        limit=limit,
        overdraft=overdraft,
        valid_from_ms=NOW_MS + from_ms,
        valid_till_ms=NOW_MS + till_ms,
        policy={name: value for name, value in (policy or {}).items() if value is not None},
    )

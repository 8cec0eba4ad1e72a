"""An operator's own catalogue: what is accepted, and the exact refusal of what contradicts itself."""

from __future__ import annotations

import pytest

from seatd.licensing.catalog import BadCatalog, Catalog, Refusal

SMALL = """
[products.DESK]
kinds = ["competitive"]
combine = "sum"
counts = "user"
emergency = false

[products.line]
kinds = ["nominal"]
combine = "sum"
counts = "extension"

[products.line_mobile]
kinds = ["nominal"]
combine = "sum"
counts = "device"
device = "mobile"
base = "line"
per_extension = 2

[[sections]]
names = ["inbox"]
opened_by = ["DESK", "line"]
"""


def test_an_own_catalogue_replaces_the_packaged_one() -> None:
    catalog = Catalog.load(SMALL)
    assert list(catalog.products) == ["DESK", "line", "line_mobile"]
    assert catalog.products["DESK"].emergency is False
    assert catalog.sections(["line"]) == ("inbox",)
    mobile, desktop = catalog.requirements(["line"], "mobile"), catalog.requirements(["line"], "desktop")
    assert not isinstance(mobile, Refusal)
    assert not isinstance(desktop, Refusal)
    assert [(need.product, need.max_per_user) for need in mobile] == [("line", None), ("line_mobile", 2)]
    assert [need.product for need in desktop] == ["line"]  # the catalogue has no add-on for that device


def with_line(line: str, product: str = "line_mobile") -> str:
    """The small catalogue with one line of a product replaced, or added."""
    head, _, rest = SMALL.partition(f"[products.{product}]\n")
    field = line.partition(" ")[0]
    body, gap, tail = rest.partition("\n\n")
    kept = [old for old in body.splitlines() if not old.startswith(f"{field} ")]
    return f"{head}[products.{product}]\n" + "\n".join([*kept, line]) + gap + tail


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["catalog: Object missing required field `products`"]),
        ("[products]", ["products: at least one product is needed"]),
        ("products = 7", ["catalog.products: Expected `object`, got `int`"]),
        ("[products\n", ["catalog: Expected ']' at the end of a table declaration (at line 1, column 10)"]),
        (SMALL + "[extra]\n", ["catalog: Object contains unknown field `extra`"]),
        (with_line("kinds = []"), ["products.line_mobile.kinds: name at least one kind"]),
        (
            with_line('kinds = ["floating"]'),
            ["products.line_mobile.kinds[0]: Invalid enum value 'floating'"],
        ),
        (with_line('combine = "min"'), ["products.line_mobile.combine: Invalid enum value 'min'"]),
        (
            with_line("per_extension = true"),
            ["products.line_mobile.per_extension: Expected `int | null`, got `bool`"],
        ),
        (with_line("colour = 1"), ["products.line_mobile: Object contains unknown field `colour`"]),
        (with_line("per_extension = 0"), ["products.line_mobile.per_extension: must be 1 or more"]),
        (with_line('base = "LINE"'), ["products.line_mobile.base: there is no product LINE"]),
        (
            with_line('base = "DESK"', "line"),
            ["products.line_mobile.base: line is an add-on itself"],
        ),
        (
            with_line('base = "line"', "line"),
            [
                "products.line.base: a product cannot be its own base",
                "products.line_mobile.base: line is an add-on itself",
            ],
        ),
        (
            with_line("per_extension = 1", "DESK"),
            ["products.DESK.per_extension: is for add-ons that count devices"],
        ),
        (
            with_line('device = "none"', "DESK"),
            ['products.DESK.device: "none" is for products that count a resource'],
        ),
        (
            with_line('counts = "resource"', "DESK"),
            [
                "products.DESK.resource: say which resource is counted",
                'products.DESK.device: must be "none" when only a resource is counted',
            ],
        ),
        (
            with_line('resource = "a b"', "DESK"),
            ["products.DESK.resource: letters, digits and _, at most 64"],
        ),
        (
            SMALL.replace("line_mobile", '"line mobile"'),
            ["products.line mobile: a product is named with letters, digits and _, at most 64"],
        ),
        (
            SMALL
            + "\n[products.twin]\nkinds = ['nominal']\ncombine = 'sum'\n"
            + "counts = 'device'\ndevice = 'mobile'\nbase = 'line'\n",
            ["products.twin.device: line_mobile is already this base's add-on for the device"],
        ),
        (
            SMALL + "[[sections]]\nnames = ['inbox', 'a-b']\nopened_by = ['TELEPATHY']\n",
            [
                "sections[1].opened_by: there is no product TELEPATHY",
                "sections[1].names: inbox is listed twice",
                "sections[1].names: letters, digits and _, at most 64",
            ],
        ),
        (SMALL + "[[sections]]\nnames = ['x']\n", ["sections[1]: Object missing required field `opened_by`"]),
    ],
)
def test_each_contradiction_has_its_place_and_reason(text: str, faults: list[str]) -> None:
    with pytest.raises(BadCatalog) as refusal:
        Catalog.load(text)
    assert list(refusal.value.faults) == faults
    assert str(refusal.value).splitlines() == ["the product catalogue is not usable", *faults]

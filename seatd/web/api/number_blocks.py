"""Internal number blocks: which extensions a customer may have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated

import msgspec

from seatd.store.account_values import NumberBlock
from seatd.web.api.shapes import END, Input
from seatd.web.errors import Problem, invalid

Number = Annotated[str, msgspec.Meta(pattern=rf"^[0-9]{{3,5}}{END}", description="3 to 5 digits")]


class NumberBlockInput(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Internal numbers from `first` to `last`, with equally many digits."""

    first: Number
    last: Number


def blocks_of(given: Sequence[NumberBlockInput]) -> tuple[NumberBlock, ...]:
    """The blocks in order, none of which meets another; else the problem `invalid`."""
    for place, block in enumerate(given):
        if block.first.startswith("0"):
            raise invalid(f"number_blocks[{place}]", "an extension does not begin with 0, so no block does")
        if len(block.first) != len(block.last):
            raise invalid(f"number_blocks[{place}]", "first and last must have equally many digits")
        if block.first > block.last:
            raise invalid(f"number_blocks[{place}]", "first must not come after last")
    blocks = sorted(
        (NumberBlock(first=block.first, last=block.last) for block in given),
        key=lambda block: (len(block.first), block.first),
    )
    for one, other in pairwise(blocks):
        if len(one.last) == len(other.first) and other.first <= one.last:
            raise invalid("number_blocks", f"{one.first}-{one.last} and {other.first}-{other.last} overlap")
    return tuple(blocks)


def check_used(
    before: Iterable[NumberBlock], after: Iterable[NumberBlock], extensions: Iterable[str]
) -> None:
    """The problem `block_in_use` when an extension that there is would lie in no block any more."""
    after = tuple(after)
    for number in extensions:
        was_covered = any(block.covers(number) for block in before)
        if was_covered and not any(block.covers(number) for block in after):
            raise Problem("block_in_use", f"The extension {number} is in use.")

"""How much is measured: the whole table, or a quick one that only shows where things stand."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Scale:
    """`clients` are there at once in each row; `turns_s`: for how long they ask; `beats`: through how many beats they idle;
    `logouts`: how many are forced out one by one; `rounds`: of one node and of two, of calm and of noise, in turn;
    `grants_at`: at how many sessions of a customer grants are measured; the last four: what pages are about."""

    clients: int = 10_000
    turns_s: float = 5.0
    beats: int = 2
    logouts: int = 300
    rounds: int = 3
    signing_in: int = 1_000
    grants_at: tuple[int, ...] = (100, 10_000, 100_000)
    customers: int = 100
    licenses: int = 1_000
    users: int = 100_000
    seats: int = 100_000
    asked: int = 20
    grants_s: float = 15.0

    def of(self, clients: int) -> Scale:
        """The same with so many clients."""
        return replace(self, clients=clients, signing_in=min(self.signing_in, clients))


QUICK = Scale(
    clients=500,
    turns_s=2,
    beats=1,
    logouts=100,
    rounds=1,
    signing_in=300,
    grants_at=(100, 1_000, 5_000),
    customers=10,
    licenses=100,
    users=5_000,
    seats=5_000,
    asked=5,
    grants_s=4,
)

"""The checker is checked: nothing is found where every rule holds, and each of fourteen bugs is."""

from __future__ import annotations

import pytest

from tests.faults.checker import Violation, check
from tests.faults.simulation import scenarios
from tests.faults.simulation.bugs import Bug
from tests.faults.simulation.scenarios import SCENARIOS
from tests.faults.simulation.world import Scenario, lived_through, rules

SEEDS = 8

CAUGHT = {
    Bug.NO_GUARD: ("I1", scenarios.failover),
    Bug.SHORT_RECOVERY: ("I1", scenarios.failover_with_a_node_cut_off),
    Bug.RUN_ID: ("I1", scenarios.there_and_back),
    Bug.IDS_REUSED: ("I3", scenarios.restarts),
    Bug.EXISTS_IS_OK: ("I3", scenarios.roaming),
    Bug.TOMBS_FORGOTTEN: ("I4", scenarios.failover_after_kicks),
    Bug.WALL_CLOCK: ("I1", scenarios.clock_jumps),
    Bug.LEASE_FROM_REPLY: ("I1", scenarios.slow_answers),
    Bug.DEADLINE_EXTENDED: ("I1", scenarios.failover_at_a_deadline),
    Bug.NO_FENCE: ("I1", scenarios.roaming),
    Bug.NO_COOLDOWN: ("I4", scenarios.kicks),
    Bug.SWEEP_IN_RECOVERY: ("I1", scenarios.failover),
    Bug.STALE_LIMIT: ("I1", scenarios.limits),
    Bug.NEW_ID_PER_TRY: ("I7", scenarios.lossy),
}
"""The rule that finds it at the latest, and where."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_nothing_is_found_where_every_rule_holds(scenario: Scenario) -> None:
    for seed in range(SEEDS):
        history = lived_through(scenario, seed)
        assert len(list(history.of("granted"))) > 3
        assert check(history, rules()) == [], f"seed {seed}"


@pytest.mark.parametrize("bug", Bug, ids=lambda bug: bug.name.lower())
def test_a_bug_is_found(bug: Bug) -> None:
    rule, scenario = CAUGHT[bug]
    for seed in range(60):
        found: list[Violation] = check(lived_through(scenario, seed, bug), rules())
        if any(violation.rule == rule for violation in found):
            return
    pytest.fail(f"not found: {bug.value}")


def test_a_run_can_be_repeated() -> None:
    first, second = (lived_through(scenarios.everyday, 5).events for _ in range(2))
    assert [(event.t, event.op, event.session) for event in first] == [
        (event.t, event.op, event.session) for event in second
    ]

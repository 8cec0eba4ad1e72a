"""What happens to a simulated deployment; all of it random within bounds."""

from __future__ import annotations

import asyncio
import copy

from tests.faults.simulation.world import World


async def everyday(world: World) -> None:
    """People come and go, are forced out; nodes crash and freeze; the limit moves up and down."""
    for _ in range(8):
        await asyncio.sleep(world.rng.uniform(5, 20))
        match world.rng.randrange(5):
            case 0:
                await world.kick(world.rng.choice(world.clients).user, world.rng.choice((5.0, 30.0)))
            case 1:
                world.crash(world.rng.choice(world.nodes))
            case 2:
                world.rng.choice(world.nodes).frozen_until = world.now + world.rng.uniform(2, 40)
            case _:
                await world.set_limit(world.rng.randint(2, 5))


async def kicks(world: World) -> None:
    """Many forced logouts."""
    for _ in range(12):
        await asyncio.sleep(world.rng.uniform(3, 10))
        await world.kick(world.rng.choice(world.clients).user, 20.0)


async def limits(world: World) -> None:
    """The limit moves all the time."""
    world.pause_s, world.stay_s = 1.0, 8.0
    for _ in range(20):
        await asyncio.sleep(world.rng.uniform(2, 8))
        await world.set_limit(world.rng.randint(2, 6))


async def restarts(world: World) -> None:
    """Nodes crash one after another."""
    for _ in range(8):
        await asyncio.sleep(world.rng.uniform(5, 15))
        world.crash(world.rng.choice(world.nodes))


async def roaming(world: World) -> None:
    """Clients change nodes, and the nodes that they leave notice late."""
    world.stay_s, world.politeness, world.far_s, world.pause_s = 8.0, 0.05, 9.0, 1.0
    await asyncio.sleep(150)


async def lossy(world: World) -> None:
    """One answer of the store in ten is lost."""
    world.reply_loss = 0.1
    await asyncio.sleep(120)


async def clock_jumps(world: World) -> None:
    """The wall clock jumps while a node is cut off from the store."""
    world.stay_s = 300.0
    for _ in range(2):
        await asyncio.sleep(world.rng.uniform(10, 20))
        node = world.rng.choice(world.nodes)
        node.cut = True
        world.wall_offset -= world.rng.choice((60.0, -60.0, 3600.0))
        await asyncio.sleep(60)
        node.cut = False


async def slow_answers(world: World) -> None:
    """A node's answers take very long, and then none come."""
    world.stay_s = 300.0
    for _ in range(3):
        await asyncio.sleep(world.rng.uniform(10, 20))
        node = world.rng.choice(world.nodes)
        node.slow_replies_s = world.rng.uniform(8, 14)
        await asyncio.sleep(world.rng.uniform(9, 16))
        task = asyncio.create_task(_cut_after_answer(node.name, world))
        await asyncio.sleep(70)
        await task


async def _cut_after_answer(name: str, world: World) -> None:
    node = next(node for node in world.nodes if node.name == name)
    before = node.lease.until_s
    while node.lease.until_s == before:
        await asyncio.sleep(0.05)
    node.cut, node.slow_replies_s = True, 0.0
    await asyncio.sleep(50)
    node.cut = False


async def failover(world: World) -> None:
    """A replica that is behind takes over; people come and go quickly."""
    world.pause_s, world.stay_s = 2.0, 15.0
    await asyncio.sleep(world.rng.uniform(40, 60))
    world.stay_s = world.rng.choice((15.0, 300.0))
    await world.fail_over(world.rng.uniform(1, 6))
    await asyncio.sleep(80)


async def failover_at_a_deadline(world: World) -> None:
    """Seats of people who lost their connection are handed on just before the primary is lost, and then they come back."""
    world.pause_s, world.stay_s, world.politeness, world.patience = 1.0, 40.0, 0.1, 1.0
    world.away_s = (31.0, 45.0)
    await asyncio.sleep(world.rng.uniform(60, 100))
    await world.fail_over(world.rng.uniform(3, 9))
    await asyncio.sleep(100)


async def failover_after_kicks(world: World) -> None:
    """Forced logouts are lost with the primary; those forced out come back later, and stay."""
    world.stay_s, world.politeness, world.pause_s = 12.0, 0.1, 6.0
    await asyncio.sleep(world.rng.uniform(30, 50))
    losing = asyncio.create_task(world.fail_over(4.0))
    for client in world.rng.sample(world.clients, 4):
        await asyncio.sleep(0.8)
        await world.kick(client.user, 5.0)
    await losing
    world.stay_s = 300.0
    await asyncio.sleep(130)


async def failover_with_a_node_cut_off(world: World) -> None:
    """A node does not reach the new primary for a while; its clients go on to the end of their leases."""
    world.pause_s, world.stay_s, world.politeness = 1.0, 6.0, 0.8
    await asyncio.sleep(world.rng.uniform(30, 50))
    node = world.rng.choice(world.nodes)
    losing = asyncio.create_task(world.fail_over(world.rng.uniform(2, 6)))
    await asyncio.sleep(1.0)
    world.stay_s = 300.0
    await losing
    node.cut = True
    await asyncio.sleep(world.rng.uniform(20, 70))
    node.cut = False
    await asyncio.sleep(30)


async def there_and_back(world: World) -> None:
    """The replica takes over and loses the role again before any script ran on it."""
    world.pause_s, world.stay_s = 2.0, 15.0
    await asyncio.sleep(world.rng.uniform(40, 60))
    behind = copy.deepcopy(world.primary.data)
    await asyncio.sleep(world.rng.uniform(2, 6))
    world.promote(behind, "B")
    world.promote(world.primary.data, "A")
    for node in world.nodes:
        world.spawn(world.moves(node))
    await asyncio.sleep(80)


async def old_primary_goes_on(world: World) -> None:
    """One node stays with the replaced primary, which still takes writes for a while."""
    world.pause_s, world.stay_s, world.politeness = 2.0, 15.0, 0.3
    await asyncio.sleep(world.rng.uniform(40, 60))
    await world.fail_over(world.rng.uniform(0.5, 4), stay=(world.rng.choice(world.nodes),))
    await asyncio.sleep(100)


SCENARIOS = (
    everyday,
    kicks,
    limits,
    restarts,
    roaming,
    lossy,
    clock_jumps,
    slow_answers,
    failover,
    failover_at_a_deadline,
    failover_after_kicks,
    failover_with_a_node_cut_off,
    there_and_back,
    old_primary_goes_on,
)

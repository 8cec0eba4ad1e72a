"""What begins at once, what waits, and how both end."""

from __future__ import annotations

import asyncio

import pytest

from seatd.eager import begin


async def test_what_waits_for_nothing_is_done_without_a_task() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("all of it")

    assert begin(work()) is None
    assert done == ["all of it"]


async def test_what_fails_at_once_fails_the_caller() -> None:
    async def work() -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        begin(work())


async def test_what_waits_goes_on_in_a_task_and_hears_the_answers() -> None:
    heard: list[int] = []
    answers = [asyncio.get_running_loop().create_future() for _ in range(2)]

    async def work() -> None:
        heard.append(await answers[0])
        heard.append(await answers[1])
        await asyncio.sleep(0)
        heard.append(3)

    task = begin(work())
    assert task is not None
    assert not heard
    for number, answer in enumerate(answers, 1):
        answer.set_result(number)
        await asyncio.sleep(0)
    await task
    assert heard == [1, 2, 3]


async def test_what_is_waited_for_may_fail() -> None:
    answer = asyncio.get_running_loop().create_future()
    caught: list[type] = []

    async def work() -> None:
        try:
            await answer
        except ValueError as error:
            caught.append(type(error))
            raise

    task = begin(work())
    assert task is not None
    answer.set_exception(ValueError())
    with pytest.raises(ValueError):
        await task
    assert caught == [ValueError]


async def test_a_cancellation_reaches_the_work() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    task = begin(work())
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["cleaned up"]

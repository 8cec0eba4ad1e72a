"""How long a page has worked."""

from __future__ import annotations

from playwright.async_api import CDPSession

from tests.console.visitor import Visitor

MEASURE = """
() => new Promise((done) => setTimeout(() => {
  const table = document.createElement("table");
  for (let row = 0; row < 1000; row += 1) {
    const cells = table.insertRow();
    for (let cell = 0; cell < 8; cell += 1) cells.insertCell().textContent = `row ${row}, cell ${cell}`;
  }
  document.body.append(table);
  table.getBoundingClientRect();
  table.remove();
  done();
}))
"""


class Busy:
    """How long the page's main thread works: in its own time, whatever else the machine does, and by the measure of what this
    machine needs to make and lay out a plain table of a thousand rows."""

    @classmethod
    async def of(cls, visitor: Visitor) -> Busy:
        cdp = await visitor.context.new_cdp_session(visitor.page)
        await cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        busy = cls(cdp)
        before_s = await busy._now_s()
        await visitor.page.evaluate(MEASURE)
        busy._before_s = await busy._now_s()
        busy._measure_s = busy._before_s - before_s
        return busy

    def __init__(self, cdp: CDPSession) -> None:
        self._cdp = cdp
        self._before_s = 0.0
        self._measure_s = 0.0

    async def at_most(self, times: float, what: str) -> None:
        """All tasks together since the last time were no longer than so many measures: so no single one was."""
        now_s = await self._now_s()
        took_s, self._before_s = now_s - self._before_s, now_s
        told = f"{what} took {took_s:.3f} s, the measure {self._measure_s:.3f} s"
        print(told)
        assert took_s < times * self._measure_s, told

    async def _now_s(self) -> float:
        answer = await self._cdp.send("Performance.getMetrics")
        now_s = {one["name"]: float(one["value"]) for one in answer["metrics"]}
        return now_s["TaskDuration"] - now_s["DevToolsCommandDuration"]  # that is the test, which looks

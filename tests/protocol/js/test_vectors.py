"""Every vector of the contract, through the JavaScript client."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.chromium import SharedBrowser
from tests.protocol.js.runtimes import HERE, ROOT, node_program, site

VECTORS = ROOT / "protocol" / "vectors"


def expected_checks() -> int:
    """How many rows there are that concern a client, and two checks of whole tables, and one of the denials."""
    files = {path.stem: json.loads(path.read_text()) for path in VECTORS.glob("*.json")}
    lists = [
        *(files["messages"]["messages"], files["messages"]["accepted"], files["malformed"]["frames"]),
        *(files["states"]["sequences"], files["lease"]["client"]),
        *(files["close_codes"][name] for name in ("codes", "unknown", "backoff")),
    ]
    return sum(map(len, lists)) + 3


def test_in_node() -> None:
    command = [node_program(), str(ROOT / HERE / "node_vectors.js"), str(VECTORS)]
    verdict = json.loads(
        subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    )
    assert verdict == {"checked": expected_checks(), "failed": []}


async def test_in_a_browser(shared_browser: SharedBrowser) -> None:
    chromium = await shared_browser.get()
    async with site() as address, await chromium.new_page() as page:
        await page.goto(f"{address}/{HERE}/page.html")
        verdict: Any = await page.evaluate(
            """async () => {
                const names = ["messages", "malformed", "states", "close_codes", "lease"];
                const read = async (name) => [name, await (await fetch(`/protocol/vectors/${name}.json`)).json()];
                const { check } = await import("./vectors.js");
                return check(Object.fromEntries(await Promise.all(names.map(read))));
            }"""
        )
    assert verdict == {"checked": expected_checks(), "failed": []}


@pytest.mark.parametrize(
    ("edit", "reason"),
    [("a frame read too deep", "nested 9 deep"), ("a lease that is too long", "the worked example")],
)
def test_the_check_notices(tmp_path: Any, edit: str, reason: str) -> None:
    """A rule that is switched off is found by the vectors."""
    copy = tmp_path / "protocol"
    for folder in ("protocol/js", HERE):
        (tmp_path / folder).mkdir(parents=True)
        for path in (ROOT / folder).glob("*.js"):
            (tmp_path / folder / path.name).write_text(path.read_text())
    (tmp_path / "package.json").write_text('{"type": "module"}')
    file, right, wrong = {
        "a frame read too deep": ("js/limits.js", "MAX_DEPTH = 8", "MAX_DEPTH = 9"),
        "a lease that is too long": ("js/lease.js", "fromS + leaseS", "fromS + leaseS + 1"),
    }[edit]
    text = (copy / file).read_text()
    assert right in text
    (copy / file).write_text(text.replace(right, wrong))
    command = [node_program(), str(tmp_path / HERE / "node_vectors.js"), str(VECTORS)]
    verdict = json.loads(
        subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    )
    assert any(reason in failure for failure in verdict["failed"])

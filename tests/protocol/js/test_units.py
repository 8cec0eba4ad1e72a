"""What no server is needed for (`units.test.mjs`), in Node's own test runner."""

from __future__ import annotations

import subprocess

from tests.protocol.js.runtimes import HERE, ROOT, node_program


def test_units() -> None:
    command = [node_program(), "--test", "--test-reporter=tap", str(ROOT / HERE / "units.test.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout
    assert "\n# fail 0\n" in done.stdout
    assert "\n# tests 0\n" not in done.stdout

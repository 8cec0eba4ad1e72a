"""The npm package: its types hold, what is published is what is used, and nothing else is needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import seatd
from tests.protocol.js.runtimes import ROOT, node_program

pytestmark = pytest.mark.timeout(
    600
)  # npm fetches TypeScript, and TypeScript is slow on a machine that is busy

PACKAGE = ROOT / "protocol" / "js"
CONSUMER = """
import { SeatClient, Stopped, claimDeviceId, type Event, type Seat } from "seatd-client";
import { nodeSocket } from "seatd-client/node";

const client = new SeatClient({
  urls: ["wss://a.example", "wss://b.example"],
  token: async () => "a-token",
  device: { kind: "web_phone", id: await claimDeviceId() },
  need: ["CALL_CENTER"],
  socket: nodeSocket({ ca: "..." }),
  onEvent: (event: Event) => {
    if (event.type === "queued") console.log(event.position + 1);
    if (event.type === "closed" && event.retryInS !== null) console.log(event.retryInS.toFixed());
  },
});
const answer = await client.connect().catch((error: Stopped) => error.closed);
if (answer.type === "welcome") answer.seats.map((seat: Seat) => seat.product);
if (answer.type === "denied") answer.message.trim();
// @ts-expect-error: there is no such product list
await client.acquire("CALL_CENTER");
// @ts-expect-error: no event of this name
client.subscribe((event) => event.type === "sudo");
"""
SETTINGS = {
    "compilerOptions": {
        "strict": True,
        "target": "es2022",
        "module": "nodenext",
        "lib": ["es2022", "dom"],
        "noEmit": True,
    }
}


def ran(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with its tools."""
    node_program()
    if shutil.which("npm") is None:
        pytest.skip("npm brings TypeScript, and is missing (Debian: apt-get install npm)")
    folder = tmp_path_factory.mktemp("npm") / "js"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("node_modules", "types"))
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
    try:
        done = subprocess.run(
            ["npm", "install", *quiet], cwd=folder, capture_output=True, text=True, timeout=200
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not get TypeScript in time")
    if done.returncode:
        pytest.skip(f"npm could not get TypeScript: {done.stderr[-300:]}")
    return folder


def test_the_types_hold(package: Path, tmp_path: Path) -> None:
    """Its own, strictly; and those that are published, in a program that uses them."""
    ran(package, "npm", "run", "--silent", "types")
    modules = tmp_path / "node_modules"
    modules.mkdir()
    (modules / "seatd-client").symlink_to(package)
    (modules / "@types").symlink_to(package / "node_modules" / "@types")
    (tmp_path / "phone.mts").write_text(CONSUMER)
    (tmp_path / "tsconfig.json").write_text(json.dumps(SETTINGS))
    ran(tmp_path, str(package / "node_modules" / ".bin" / "tsc"), "-p", ".")


def test_what_is_published(package: Path) -> None:
    told = json.loads(ran(package, "npm", "pack", "--dry-run", "--json", "--silent"))
    published = {entry["path"] for entry in told[0]["files"]}
    sources = {path.name for path in PACKAGE.glob("*.js")}
    assert sources | {"README.md", "package.json", "types/index.d.ts", "types/node.d.ts"} <= published
    assert not [path for path in published if path.startswith(("demo/", "node_modules/"))]


def test_it_depends_on_nothing() -> None:
    told = json.loads((PACKAGE / "package.json").read_text())
    assert "dependencies" not in told
    assert told["version"] == seatd.__version__
    imports = {
        (path.name, target)
        for path in PACKAGE.glob("*.js")
        for target in re.findall(r'(?:from|import\() ?"([^"]+)"', path.read_text())
    }
    assert {target for _, target in imports if not target.startswith("./")} == {
        *("node:crypto", "node:http", "node:https", "node:stream"),
    }
    of_node = {name for name, target in imports if target.startswith("node:")}
    assert of_node == {"node.js"}  # the rest runs in browsers
    assert {target for _, target in imports if target.startswith("./")} >= {
        f"./{path.name}"
        for path in PACKAGE.glob("*.js")
        if path.name not in ("index.js", "node.js", "timer_worker.js")
    }

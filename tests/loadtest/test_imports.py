"""Clients are strangers to the server: what they know of it is the contract."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import loadtest

ROOT = Path(loadtest.__file__).parent
FILES = [path for folder in ("clients", "scenarios") for path in (ROOT / folder).glob("*.py")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_of_seatd_only_the_contract(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not [name for name in names if name.partition(".")[0] == "seatd"]

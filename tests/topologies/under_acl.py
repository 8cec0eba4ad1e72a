"""An engine that gives seatd's user no more rights than `deploy/valkey/users.acl` does (but for `OF_TESTS`)."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

from seatd.store.engine import Engine
from tests.engine import PrivateEngine, private_engine, tested_engine

MAKE_USERS = Path(__file__).parents[2] / "deploy" / "valkey" / "make-users.sh"


OF_TESTS = "+flushall +scan +multi +exec"
"""Rights that seatd does not need: tests empty a store, and look at all of it at once, over the store's own connection."""


def make_users(folder: Path, program: Engine) -> dict[str, str]:
    """Makes `users.acl` in the folder, as an operator does; the password of each user."""
    old = ["--redis-7.0"] if program.name == "redis" and program.version < (7, 2, 0) else []
    subprocess.run([MAKE_USERS, *old, folder], check=True)
    users = folder / "users.acl"
    users.write_text(users.read_text().replace(" +asking ", f" +asking {OF_TESTS} "))
    return {file.stem: file.read_text() for file in folder.glob("*.password")}


class EngineUnderAcl(PrivateEngine):
    """`url` is for a user as seatd has one. `passwords` are those of all users; `asked` says what one of them may."""

    passwords: dict[str, str]

    def url_of(self, user: str) -> str:
        """The same store, for another user."""
        return f"unix://{user}:{self.passwords[user]}@{self.socket}"

    @property
    def login(self) -> str:  # type: ignore[override]
        """seatd's."""
        return f"seatd:{self.passwords['seatd']}@"

    def refusals(self) -> list[str]:
        """What users were refused so far: `USER: what`. A node always asks for a setting of the engine, and does without."""
        with Redis.from_url(self.url_of("operator"), decode_responses=True) as client:
            told = [f"{entry['username']}: {entry['object']}" for entry in client.acl_log()]
        return [what for what in told if what.startswith("seatd: ") and what != "seatd: config|get"]


@contextmanager
def engine_under_acl(**settings: str) -> Iterator[EngineUnderAcl]:
    """Starts one; `settings` as those of `private_engine`."""
    program = tested_engine()
    with tempfile.TemporaryDirectory(prefix="seatd-acl-") as folder:
        passwords = make_users(Path(folder), program)
        with private_engine(program, aclfile=f"{folder}/users.acl", **settings) as running:
            guarded = EngineUnderAcl(running.process, running.socket, program)
            guarded.passwords = passwords
            yield guarded

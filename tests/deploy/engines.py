"""An engine with the files of `deploy/valkey/`, as an operator would start it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests.deploy.programs import DEPLOY, free_ports, rewritten, running
from tests.engine import tested_engine

FILES = DEPLOY / "valkey"


class Engine:
    """A folder with `users.acl` and the passwords, and the engine that has its data there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = tested_engine()
        self.port = free_ports(1)[0]
        folder.mkdir(exist_ok=True)
        self.make_users()

    def make_users(self) -> None:
        """What an operator does first, and again when a password is to be another."""
        old = self.program.name == "redis" and self.program.version < (7, 2, 0)
        command = [FILES / "make-users.sh", *(["--redis-7.0"] if old else []), self.folder]
        subprocess.run(command, check=True)

    def password(self, user: str) -> str:
        """As it lies in its file."""
        return (self.folder / f"{user}.password").read_text()

    def url(self, user: str = "seatd") -> str:
        """The store's URL for a user."""
        return f"redis://{user}:{self.password(user)}@127.0.0.1:{self.port}"

    def client(self, user: str) -> Redis:
        """A connection as a user."""
        return Redis.from_url(self.url(user), decode_responses=True)

    @contextmanager
    def running(self, *, more: str = "", changes: Mapping[str, str] = {}) -> Iterator[None]:
        """While inside, it serves. `more`: lines below those of the file."""
        common = {"/etc/valkey": str(self.folder), "port 6379": f"port {self.port}"}
        text = rewritten(FILES / "valkey.conf", {**common, **changes})
        (self.folder / "valkey.conf").write_text(f"{text}\ndir {self.folder}\n{more}\n")
        command = [self.program.path, self.folder / "valkey.conf"]
        with running(command, self.folder / "engine.log", self.is_up):
            yield

    def is_up(self) -> bool:
        try:
            with self.client("monitor") as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

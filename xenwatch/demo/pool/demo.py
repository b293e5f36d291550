"""The demo's pool: three pretend hosts of XCP-ng beside the simulated Xen host, on which a story goes on as well."""

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.base.supervise import supervise
from xenwatch.demo.pool.methods import USERS
from xenwatch.demo.pool.pools import add_repository, fill, guest
from xenwatch.demo.pool.server import StandInPool
from xenwatch.demo.pool.story import Scene, play, read_scenes

NAME = "lab"
"""Of the section [xapi.lab] that the demo configures."""
POLICY = Path(__file__).with_name("policy.toml")
_HOSTS, _GUESTS = 3, 7
_MEMORY = "memory"


@dataclass
class DemoPool:
    """Everything that a configuration needs is below `folder`; the hosts answer on addresses of this machine alone."""

    folder: Path
    port: int = 0

    def __post_init__(self) -> None:
        self.port = self.port or _free_port()
        self.pool = StandInPool(port=self.port)
        fill(self.pool, _HOSTS, _GUESTS, name=NAME)
        add_repository(self.pool, "iscsi1", "lvmoiscsi")
        _enliven(self.pool)

    def settings(self) -> dict[str, Any]:
        """What makes the agent watch the pool, by `section.key`."""
        given = {
            "urls": (self.pool.url(),),
            "user": "monitor",
            "password_file": self._password("monitor"),
            "repair_user": "repairs",
            "repair_password_file": self._password("repairs"),
            "every": 5.0,
            "tags": ("auto",),
        }
        return {f"xapi.{NAME}.{key}": value for key, value in given.items()}

    def section(self) -> str:
        """The same for a file, so that the other commands find the pool."""
        lines = [f"{key.rpartition('.')[2]} = {_toml(value)}\n" for key, value in self.settings().items()]
        return f"[xapi.{NAME}]\n{''.join(lines)}"

    def policy(self) -> str:
        """The guests of the pool and the rules for them."""
        records = self.pool.database.records("VM").values()
        guests = [
            f'[[guest]]\nname = "{vm["name_label"]}"\nuuid = "{vm["uuid"]}"\npool = "{NAME}"\n'
            'desired = "running"\ntags = ["auto-restart"]\n'
            for vm in records
            if not vm["is_control_domain"]
        ]
        return "\n".join([*guests, POLICY.read_text()])

    def _password(self, user: str) -> Path:
        path = self.folder / f"{NAME}-{user}"
        path.touch(mode=0o600)
        path.write_text(USERS[user][0])
        return path

    @contextlib.asynccontextmanager
    async def running(self, clock: Clock, *, story: bool = True) -> AsyncIterator[StandInPool]:
        """The hosts answer, and things happen on them."""
        await self.pool.start()
        scenes: tuple[Scene, ...] = read_scenes() if story else ()
        task = asyncio.create_task(supervise("story of the pool", lambda: play(scenes, self.pool, clock), clock))
        try:
            yield self.pool
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.pool.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value:g}s"' if isinstance(value, float) else f'"{value}"'


def _enliven(pool: StandInPool) -> None:
    """Numbers that move, and names by which the guests of a pool are not taken for those of the host."""
    for n, name in enumerate(("wiki", "git", "ldap", "mailgw", "ci", "grafana", "vpn")):
        pool.database.change("VM", guest(pool, f"web{n}"), name_label=name, tags=("auto",))
    for nth, owners in enumerate(pool.figures.values()):
        for owner, sources in owners.items():
            phase = nth + sum(map(ord, owner)) % 7
            sources |= {
                name: _moving(source, phase) for name, source in sources.items() if not name.startswith(_MEMORY)
            }


def _moving(source: Callable[[int], float], phase: int) -> Callable[[int], float]:
    return lambda t: source(t) * (1 + 0.5 * math.sin(t / 90 + phase))

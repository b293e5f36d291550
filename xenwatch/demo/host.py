"""The demo host: libvirt's test driver as hypervisor and a folder of its own for logs and state; it needs no Xen."""

import asyncio
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenwatch.agent.agent import Agent
from xenwatch.base.clock import Clock
from xenwatch.demo.story import play, read_story

log = logging.getLogger(__name__)

NODE = Path(__file__).with_name("demo_node.xml")


@dataclass(frozen=True, slots=True)
class DemoHost:
    """Everything is below `folder`."""

    folder: Path

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    def settings(self, listen: tuple[str, int]) -> dict[str, Any]:
        """The agent's settings, by `section.key`, for this host."""
        return {
            "agent.state_dir": self.folder / "state",
            "logs.paths": (f"{self.logs}/*", f"{self.logs}/console/*"),
            "logs.from_start": True,
            "logs.hypervisor_every": 0.0,
            "logs.journal": False,
            "sampling.libvirt_uri": f"test://{NODE}",
            "diagnosis.cache_dir": self.folder / "cache",
            "web.listen": listen,
            "remediation.policy": self.folder / "policy.toml",
            "remediation.access": self.folder / "access.toml",
        }

    def prepare(self) -> None:
        """Make the folders."""
        (self.logs / "console").mkdir(parents=True, exist_ok=True)

    async def play_story(self, clock: Clock) -> None:
        """Play the story of failures into the logs, once."""
        await play(read_story(), self.logs, clock)
        log.info("The demo's story is over; the agent keeps running.")


def choose_address(wanted: tuple[str, int]) -> tuple[str, int]:
    """`wanted` where it is free, otherwise any port there: a demo should work beside a real agent."""
    host, port = wanted
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return host, 0
    return wanted


async def run_with_story(agent: Agent, host: DemoHost, clock: Clock) -> None:
    """Run the agent while the story plays; both end when the agent does."""
    story = asyncio.create_task(host.play_story(clock), name="demo story")
    try:
        await agent.run()
    finally:
        story.cancel()
        with suppress(asyncio.CancelledError):
            await story

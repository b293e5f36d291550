"""An old host that nothing is installed on: its programs are run through ssh, and answer as local ones do."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from xenwatch.base.errors import CommandFailed, HostError, Unavailable
from xenwatch.host.exec.runner import OUTPUT_LIMIT, Completed, Runner
from xenwatch.host.exec.ssh import ssh_argv
from xenwatch.host.parse.xl_list import XlDomain
from xenwatch.host.paths import Paths
from xenwatch.host.toolstack.protocol import Toolstack
from xenwatch.host.toolstack.xend import Xend
from xenwatch.host.toolstack.xl import Xl, XlVcpu

T = TypeVar("T")

NOWHERE = Paths(Path("/nonexistent"))
"""The files of another host: this machine's own /proc and /sys say nothing about it."""

_SSH_FAILED = 255
_NOT_FOUND = 127


class SshRunner:
    """Runs programs on `destination` (`root@old1`), in the C locale; the far shell gets each argument quoted.

    It needs a key that the user of the agent has, and a host key that is known.
    """

    def __init__(self, destination: str, runner: Runner, options: Sequence[str] = ()) -> None:
        """`options` are further ones of ssh, such as `-F` with a file."""
        self.destination, self._runner, self._options = destination, runner, tuple(options)

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        """As a local run; Unavailable where ssh does not get there."""
        far = ("env", "LC_ALL=C", *argv)
        seconds = max(1, math.ceil(deadline))
        command = ssh_argv(self.destination, far, connect_seconds=seconds, options=self._options)
        done = replace(await self._runner.run(command, deadline, limit=limit), argv=tuple(argv))
        stderr = done.stderr.decode("utf-8", "replace")
        if done.returncode == _SSH_FAILED:
            raise Unavailable(f"ssh {self.destination}: {stderr.strip() or 'failed and said nothing'}")
        if done.returncode == _NOT_FOUND:
            raise CommandFailed(done.argv, None, stderr)
        return done


class FarToolstack:
    """xend's where the far host has `xm` (Xen before 4.5), else xl's. Which one is found out at the first question."""

    def __init__(self, runner: SshRunner) -> None:
        self._runner = runner
        self._found: Toolstack | None = None
        self._up = False

    @property
    def name(self) -> str:
        return self._found.name if self._found is not None else "ssh"

    @property
    def up(self) -> bool:
        return self._up

    @up.setter
    def up(self, up: bool) -> None:
        self._up = up

    async def domains(self, deadline: float = 5.0) -> list[XlDomain]:
        return await self._ask(deadline, lambda toolstack: toolstack.domains(deadline))

    async def vcpus(self, deadline: float = 5.0) -> list[XlVcpu]:
        return await self._ask(deadline, lambda toolstack: toolstack.vcpus(deadline))

    async def info(self, deadline: float = 5.0) -> dict[str, str]:
        return await self._ask(deadline, lambda toolstack: toolstack.info(deadline))

    async def _ask(self, deadline: float, question: Callable[[Toolstack], Awaitable[T]]) -> T:
        try:
            if self._found is None:
                has_xm = (await self._runner.run(("which", "xm"), deadline)).returncode == 0
                self._found = Xend(NOWHERE, self._runner) if has_xm else Xl(self._runner)
            answer = await question(self._found)
        except HostError:
            self.up = False
            raise
        self.up = True
        return answer

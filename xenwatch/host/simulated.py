"""A simulated host in a folder: its files below `root`, its programs behind a socket. `agent --demo` makes one."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xenwatch.base.errors import CommandFailed, TimedOut, Unavailable
from xenwatch.host.exec.runner import OUTPUT_LIMIT, Completed
from xenwatch.host.paths import Paths

NO_SUCH_PROGRAM = 127


def simulated_paths(folder: Path) -> Paths:
    """Where its files are."""
    return Paths(folder / "root")


def simulated_socket(folder: Path) -> Path:
    """Where it takes commands: a line of JSON with the words, answered by a line with `code`, `out` and `err`."""
    return folder / "shell.sock"


class SimulatedRunner:
    """Runs programs on the simulated host and none on this machine."""

    def __init__(self, folder: Path) -> None:
        self._socket = simulated_socket(folder)

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        try:
            async with asyncio.timeout(deadline):
                answer = await self._ask(argv)
        except TimeoutError:
            raise TimedOut(f"{' '.join(argv)}: no answer from the simulated host after {deadline:g} s") from None
        except (OSError, ValueError) as error:
            raise Unavailable(f"the simulated host does not answer at {self._socket}: {error}") from None
        if answer["code"] == NO_SUCH_PROGRAM:
            raise CommandFailed(tuple(argv), None, "No such file or directory")
        out = answer["out"].encode()
        return Completed(tuple(argv), answer["code"], out[:limit], answer["err"].encode(), len(out) > limit)

    async def _ask(self, argv: Sequence[str]) -> dict[str, Any]:
        reader, writer = await asyncio.open_unix_connection(str(self._socket), limit=OUTPUT_LIMIT)
        try:
            writer.write(json.dumps(list(argv)).encode() + b"\n")
            await writer.drain()
            answer: dict[str, Any] = json.loads(await reader.readline())
            return answer
        finally:
            writer.close()

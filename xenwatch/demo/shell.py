"""Runs the commands of the simulated hosts, for the agent and for whoever types them."""

import asyncio
import contextlib
import json
import shlex
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from xenwatch.demo.answer import Program, Said
from xenwatch.demo.lvm import LVM
from xenwatch.demo.tools import TOOLS
from xenwatch.demo.world import SimulatedHost, World
from xenwatch.demo.xl import run_xl
from xenwatch.host.simulated import NO_SUCH_PROGRAM, simulated_socket

PROGRAMS: dict[str, Program] = {"xl": run_xl, **LVM, **TOOLS}
TYPED = {"xl": ["xl"], "demo": []}
"""Scripts for a person, and the words before their arguments: `xl list`, and `demo ip link show` for anything else."""
_STARTERS = ("setsid", "systemd-run")
_CLIENT = """#!{python}
# A program of the simulated host: asks the demo that runs.
import json, socket, sys
asked = socket.socket(socket.AF_UNIX)
try:
    asked.connect({socket!r})
except OSError as error:
    sys.exit("the demo does not run any more: " + str(error))
asked.sendall(json.dumps([*{words!r}, *sys.argv[1:]]).encode() + b"\\n")
answer = json.loads(asked.makefile("rb").readline())
sys.stdout.write(answer["out"])
sys.stderr.write(answer["err"])
sys.exit(answer["code"])
"""


class Shell:
    """The command lines of both hosts; those of the second one are reached through ssh from the first."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, argv: Sequence[str], host: SimulatedHost | None = None) -> Said:
        """What the command prints and does."""
        name, *rest = argv or [""]
        here = host or self._world.here
        if name in _STARTERS:
            return self.run(rest[rest.index("--") + 1 :], here) if "--" in rest else Said()
        if name == "ssh":
            return self._ssh(rest)
        program = PROGRAMS.get(name)
        if program is None:
            return Said(NO_SUCH_PROGRAM, "", f"{name}: command not found\n")
        self._world.advance()
        said = program(self._world, here, rest)
        return Said(0, said) if isinstance(said, str) else said

    def _ssh(self, words: list[str]) -> Said:
        """Options, then `root@address`, then the command as one word for a shell there."""
        at = next((n for n, word in enumerate(words) if "@" in word and not word.startswith("-")), None)
        host = self._world.host(words[at].rpartition("@")[2]) if at is not None else None
        if at is None or host is None:
            return Said(255, "", "ssh: connect to host: No route to host\n")
        return self.run(shlex.split(" ".join(word for word in words[at + 1 :] if word != "--")), host)


@contextlib.asynccontextmanager
async def serve_shell(shell: Shell, folder: Path) -> AsyncIterator[None]:
    """On a socket in `folder`."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError), contextlib.closing(writer):
            said = shell.run(json.loads(await reader.readline()))
            writer.write(json.dumps(said._asdict()).encode() + b"\n")
            await writer.drain()

    async with await asyncio.start_unix_server(connected, str(simulated_socket(folder))):
        yield


def write_programs(folder: Path, bin_: Path) -> None:
    """Scripts in `bin_` by which a person types commands on the simulated host in `folder`."""
    bin_.mkdir(parents=True, exist_ok=True)
    for name, words in TYPED.items():
        script = bin_ / name
        script.write_text(_CLIENT.format(python=sys.executable, socket=str(simulated_socket(folder)), words=words))
        script.chmod(0o755)

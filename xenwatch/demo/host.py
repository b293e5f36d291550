"""The demo: a simulated Xen host in a folder of its own, on which a story of failures and repairs goes on."""

import asyncio
import contextlib
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xenwatch
from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError
from xenwatch.base.supervise import supervise
from xenwatch.config.loader import LoadedConfig, all_settings
from xenwatch.demo.guests import GUESTS
from xenwatch.demo.pool.demo import DemoPool
from xenwatch.demo.shell import Shell, serve_shell, write_programs
from xenwatch.demo.story import play, read_story
from xenwatch.demo.tree import Tree, files_of
from xenwatch.demo.world import World, appended_to
from xenwatch.demo.xenstore import nodes, serve_xenstore
from xenwatch.host.simulated import simulated_paths

POLICY = Path(__file__).with_name("policy.toml")
TICK = 2.0
"""Seconds between two looks at the counters of the simulated host."""
_LONGEST_FOLDER = 80
"""The sockets below it have names of at most 107 bytes (man 7 unix)."""
_ENVIRONMENT = """# For a shell that should see the demo instead of this machine: . {folder}/env
export XENWATCH_CONFIG={folder}/xenwatch.toml XENWATCH_TOKEN={token}
PATH={folder}/bin:$PATH
PS1="(demo) ${{PS1:-$ }}"
"""
_XENWATCH = '#!/bin/sh\nPYTHONPATH={package}${{PYTHONPATH:+:$PYTHONPATH}} exec {python} -m xenwatch.cli.main "$@"\n'


@dataclass(frozen=True, slots=True)
class DemoHost:
    """Everything is below `folder`."""

    folder: Path
    pool: DemoPool | None = None
    """A pool beside it, which is watched and repaired as well."""

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    @property
    def env(self) -> Path:
        """What a person's shell reads first."""
        return self.folder / "env"

    def settings(self) -> dict[str, Any]:
        """What makes the agent watch this host, by `section.key`."""
        return {
            "agent.state_dir": self.folder / "state",
            "logs.paths": (f"{self.logs}/*", f"{self.logs}/console/*"),
            "logs.from_start": True,
            "logs.hypervisor_every": 0.0,
            "logs.journal": False,
            "sampling.libvirt_uri": "",
            "sampling.ssh": "",
            "sampling.simulated": self.folder,
            **(self.pool.settings() if self.pool else {}),
        }

    def defaults(self) -> dict[str, Any]:
        """What a configuration file may say otherwise."""
        return {
            "diagnosis.cache_dir": self.folder / "cache",
            "sampling.facts_every": 10.0,
            "remediation.policy": self.folder / "policy.toml",
            "remediation.access": self.folder / "access.toml",
        }

    def prepare(self) -> None:
        """Make the folders, and the files that a person may change."""
        folder = self.folder.absolute()
        if len(str(folder)) > _LONGEST_FOLDER:
            raise InputError(f"{folder}: the path of the demo's folder may have {_LONGEST_FOLDER} characters at most")
        for name in ("console",):
            (self.logs / name).mkdir(parents=True, exist_ok=True)
        write_programs(folder, folder / "bin")
        package = Path(xenwatch.__file__).parents[1]
        _executable(folder / "bin/xenwatch", _XENWATCH.format(package=package, python=sys.executable))
        if not (folder / "access.toml").exists():
            token = secrets.token_urlsafe(24)
            _secret(folder / "access.toml", f'[[person]]\nname = "you"\nrole = "admin"\ntoken = "{token}"\n')
            _secret(self.env, _ENVIRONMENT.format(folder=folder, token=token))
        if not (folder / "policy.toml").exists():
            (folder / "policy.toml").write_text(self._policy())

    def _policy(self) -> str:
        text = POLICY.read_text().replace("{guests}", _policy_guests())
        return text if self.pool is None else f"{text}\n{self.pool.policy()}"

    def describe(self, loaded: LoadedConfig, port: int) -> None:
        """Write the configuration by which the other commands find the demo."""
        config, tables = loaded.config, dict[str, list[str]]()
        for name, declared in all_settings():
            section, _, key = name.partition(".")
            value = getattr(getattr(config, section), key)
            if name == "web.listen":
                value = (value[0], port)
            elif value == declared.default:
                continue
            tables.setdefault(section, []).append(f"{key} = {declared.kind.show(value)}\n")
        text = "".join(f"[{section}]\n{''.join(lines)}" for section, lines in tables.items())
        (self.folder / "xenwatch.toml").write_text(text + (self.pool.section() if self.pool else ""))

    @contextlib.asynccontextmanager
    async def running(self, clock: Clock, *, story: bool = True) -> AsyncIterator[Shell]:
        """The host is up: its programs and xenstore answer, its counters grow, and things happen on it."""
        paths = simulated_paths(self.folder)
        world = World(clock, appended_to(self.logs), paths.root)
        shell, tree = Shell(world), Tree(paths.root)
        tree.write(files_of(world))
        pool = self.pool.running(clock, story=story) if self.pool else contextlib.nullcontext()
        async with pool, serve_shell(shell, self.folder), serve_xenstore(paths.root, lambda: nodes(world.here)):
            tasks = [asyncio.create_task(supervise("simulated host", lambda: _tick(world, tree), clock))]
            if story:
                tasks.append(asyncio.create_task(supervise("story", lambda: play(read_story(), world, shell), clock)))
            try:
                yield shell
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def _tick(world: World, tree: Tree) -> None:
    while True:
        world.advance()
        await asyncio.to_thread(tree.write, files_of(world))
        await world.clock.sleep(TICK)


def choose_address(wanted: tuple[str, int]) -> tuple[str, int]:
    """`wanted` where it is free, otherwise any port there: a demo should work beside a real agent."""
    return wanted if is_free(wanted) else (wanted[0], 0)


def is_free(address: tuple[str, int]) -> bool:
    """Whether somebody may listen there now."""
    host, port = address
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _policy_guests() -> str:
    """The guests as the policy names them; web may run on both hosts."""
    texts = []
    for guest in GUESTS.values():
        lines = [
            "[[guest]]", f'name = "{guest.name}"', f'uuid = "{guest.uuid}"', f'config = "{guest.config_path}"',
            f'desired = "{"stopped" if guest.name == "archive" else "running"}"', 'tags = ["auto-restart"]',
            'placement = ["xen1", "xen2"]', "shared_storage = true", 'lease = "none"',
            f'address = "{guest.address}"', 'health = ["icmp"]',
        ]  # fmt: skip
        texts.append("\n".join(lines) + "\n")
    return "\n".join(texts)


def _executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)

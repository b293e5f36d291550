"""The program behind the socket `effects.sock`: started by systemd when the agent asks, ended when nobody does."""

import asyncio
import logging
import os
import pwd
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import XenwatchError
from xenwatch.effects.ledger import Ledger
from xenwatch.effects.service import EffectsService
from xenwatch.effects.settings import read_approvers, read_settings, require_ours
from xenwatch.effects.stored_run import StoredRuns
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.files import read_text
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.privileged.activation import handed_over, serve_until_told
from xenwatch.host.privileged.server import LocalServer
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.open import RUN_STORE, read_policy, through
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.registry import load_catalogue
from xenwatch.remediation.store.run_store import boot_id

_IDLE_SECONDS = 900.0
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"


def service(config: Path, folder: Path, agent: pwd.struct_passwd) -> EffectsService:
    """As the configuration says. XenwatchError where it or the ledger cannot be used."""
    settings, clock = read_settings(config), SystemClock()
    runner = SystemRunner()
    libvirt = Libvirt(settings.libvirt_uri, clock) if settings.libvirt_uri else None

    def policy() -> Policy:
        require_ours(settings.policy)
        return read_policy(settings.policy)

    def machine(read: Policy) -> LocalMachine:
        call, uri = (through(libvirt), libvirt.uri) if libvirt else (None, "")
        return LocalMachine(
            read.inventory, runner=runner, libvirt=call, libvirt_uri=uri, folder=folder / "diagnostics",
            sockets=folder / "ssh",
        )  # fmt: skip

    return EffectsService(
        policy, lambda: read_approvers(settings.access),
        StoredRuns(settings.state_dir / RUN_STORE, runner, _as_agent(agent)),
        Ledger(folder / "ledger.jsonl", clock, boot_id(lambda: read_text("/proc/sys/kernel/random/boot_id"))),
        load_catalogue(), machine, clock,
    )  # fmt: skip


def _as_agent(agent: pwd.struct_passwd) -> tuple[str, ...]:
    """What reads the run store: this very code, with the agent's user instead of ours."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from xenwatch.effects.stored_run import main; "
    words = (sys.executable, "-I", "-c", code + "sys.exit(main(sys.argv[1:]))")
    if agent.pw_uid == os.geteuid():
        return words
    who = (f"--reuid={agent.pw_uid}", f"--regid={agent.pw_gid}", "--clear-groups", "--inh-caps=-all", "--no-new-privs")
    return ("/usr/bin/setpriv", *who, "--", *words)


async def _serve(listening: socket.socket, config: Path, folder: Path, agent: pwd.struct_passwd) -> None:
    server = LocalServer(service(config, folder, agent).answer, {agent.pw_uid})
    await serve_until_told(server, listening, _IDLE_SECONDS)


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """`[--config FILE] [--folder FOLDER] [--agent USER]`; the socket comes from systemd."""
    given = dict(zip(words[::2], words[1::2], strict=True))
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        listening = handed_over(environment, os.getpid())
        os.environ.clear()
        os.environ["PATH"] = _PATH
        config = Path(given.get("--config", "/etc/xenwatch/xenwatch.toml"))
        folder = Path(given.get("--folder", "/var/lib/xenwatch-effects"))
        agent = pwd.getpwnam(given.get("--agent", "xenwatch"))
        asyncio.run(_serve(listening, config, folder, agent))
    except (XenwatchError, KeyError) as error:
        print(f"xenwatch-effects: {error}", file=sys.stderr)  # noqa: T201 - for the journal
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ)))

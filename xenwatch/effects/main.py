"""The two programs with root's rights, each behind a socket of systemd: `effects` acts, `reader` answers questions."""

import asyncio
import logging
import os
import pwd
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import XenwatchError
from xenwatch.effects.ledger import Ledger
from xenwatch.effects.reader import ReaderService
from xenwatch.effects.service import EffectsService
from xenwatch.effects.settings import EffectsSettings, read_approvers, read_settings, require_ours
from xenwatch.effects.stored_run import StoredRuns
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.files import read_text
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.libvirt.uri import LOCAL
from xenwatch.host.paths import Paths
from xenwatch.host.privileged.activation import handed_over, serve_until_told
from xenwatch.host.privileged.server import Answerer, LocalServer
from xenwatch.host.xenstore.client import Xenstore
from xenwatch.remediation.machine.fence import FILE as FENCE
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.machine.ssh import SshTransport
from xenwatch.remediation.open import RUN_STORE, policy_in_force, through
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.registry import load_catalogue
from xenwatch.remediation.store.run_store import boot_id

_IDLE_SECONDS = 900.0
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"


@dataclass(frozen=True, slots=True)
class Started:
    """What a program is started with."""

    config: Path
    folder: Path
    agent: pwd.struct_passwd

    def policy(self, settings: EffectsSettings) -> Policy:
        """As root wrote it; XenwatchError where somebody else could have."""
        require_ours(settings.policy)
        return policy_in_force(settings.policy)


def effects(started: Started) -> Answerer:
    """Carries out repairs."""
    settings, clock, runner = read_settings(started.config), SystemClock(), SystemRunner()
    libvirt = Libvirt(settings.libvirt_uri, clock) if settings.libvirt_uri else None

    def machine(policy: Policy) -> LocalMachine:
        call, uri = (through(libvirt), libvirt.uri) if libvirt else (None, LOCAL)
        return LocalMachine(
            policy.inventory, runner=runner, libvirt=call, libvirt_uri=uri, folder=started.folder / "diagnostics",
            sockets=started.folder / "ssh", fence=started.folder / FENCE,
        )  # fmt: skip

    return EffectsService(
        lambda: started.policy(settings), lambda: read_approvers(settings.access),
        StoredRuns(settings.state_dir / RUN_STORE, runner, _as_agent(started.agent)),
        Ledger(started.folder / "ledger.jsonl", clock, boot_id(lambda: read_text("/proc/sys/kernel/random/boot_id"))),
        load_catalogue(), machine, clock,
    ).answer  # fmt: skip


def reader(started: Started) -> Answerer:
    """Answers questions, and changes nothing."""
    settings = read_settings(started.config)

    def transport() -> SshTransport:
        return SshTransport(started.policy(settings).inventory, started.folder / "ssh")

    return ReaderService(SystemRunner(), Xenstore(Paths()), transport).answer


_PROGRAMS: Mapping[str, Callable[[Started], Answerer]] = {"effects": effects, "reader": reader}


_MOST_ASKING = {"effects": 16, "reader": 64}
"""All collectors of an agent ask at the same moment."""


def _as_agent(agent: pwd.struct_passwd) -> tuple[str, ...]:
    """What reads the run store: this very code, with the agent's user instead of ours."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from xenwatch.effects.stored_run import main; "
    words = (sys.executable, "-I", "-c", code + "sys.exit(main(sys.argv[1:]))")
    if agent.pw_uid == os.geteuid():
        return words
    who = (f"--reuid={agent.pw_uid}", f"--regid={agent.pw_gid}", "--clear-groups", "--inh-caps=-all", "--no-new-privs")
    return ("/usr/bin/setpriv", *who, "--", *words)


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """`effects|reader [--config FILE] [--folder FOLDER] [--agent USER]`; the socket comes from systemd."""
    program, *more = words
    given = dict(zip(more[::2], more[1::2], strict=True))
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        listening = handed_over(environment, os.getpid())
        os.environ.clear()
        os.environ["PATH"] = _PATH
        started = Started(
            Path(given.get("--config", "/etc/xenwatch/xenwatch.toml")),
            Path(given.get("--folder", f"/var/lib/xenwatch-{program}")),
            pwd.getpwnam(given.get("--agent", "xenwatch")),
        )
        server = LocalServer(_PROGRAMS[program](started), {started.agent.pw_uid}, most=_MOST_ASKING[program])
        asyncio.run(serve_until_told(server, listening, _IDLE_SECONDS))
    except (XenwatchError, KeyError) as error:
        print(f"xenwatch-{program}: {error}", file=sys.stderr)  # noqa: T201 - for the journal
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ)))

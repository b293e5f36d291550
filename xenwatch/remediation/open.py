"""Remediation of this host: policy, run store, machine and service put together."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xenwatch.base.clock import Clock, SystemClock
from xenwatch.base.errors import HostError, Problem, StoreError, TimedOut
from xenwatch.host.exec.runner import Runner
from xenwatch.host.files import read_text
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.libvirt.uri import LOCAL
from xenwatch.host.simulated import SimulatedRunner, simulated_paths
from xenwatch.model.coordination import Coordinator
from xenwatch.remediation.machine.apart import EffectsSocket, SplitMachine
from xenwatch.remediation.machine.fence import FILE as FENCE
from xenwatch.remediation.machine.libvirt_calls import call
from xenwatch.remediation.machine.local import LibvirtCall, LocalMachine
from xenwatch.remediation.machine.pool import PoolMachine
from xenwatch.remediation.machine.port import OUTPUT_FOLDER, Answer
from xenwatch.remediation.policy.loader import load_policy
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.record_check import record_problems
from xenwatch.remediation.registry import load_catalogue, risks
from xenwatch.remediation.service import RemediationService
from xenwatch.remediation.store.run_store import RunStore, boot_id

if TYPE_CHECKING:  # an HTTP client is slow to load
    from xenwatch.host.xapi.access import XapiAccess

log = logging.getLogger(__name__)

RUN_STORE = "remediation.db"
"""The run store's file in the state folder."""


def read_policy(path: Path) -> Policy:
    """The policy in a file, checked against the actions there are. ConfigError."""
    return load_policy(path, risks(load_catalogue()))


def policy_in_force(path: Path) -> Policy:
    """The policy in a file without the guests that have a mistake; each is said. ConfigError for all else."""
    aside: list[Problem] = []
    policy = load_policy(path, risks(load_catalogue()), aside)
    for problem in aside:
        log.warning("nothing is ever done to this guest: %s", problem)
    return policy


def open_service(
    policy: Policy,
    state_dir: Path,
    *,
    clock: Clock | None = None,
    libvirt: Libvirt | None = None,
    runner: Runner | None = None,
    simulated: Path | None = None,
    coordinator: Coordinator | None = None,
    effects: EffectsSocket | None = None,
    pools: "Mapping[str, XapiAccess] | None" = None,
) -> RemediationService:
    """Remediation under a policy that was read. StoreError where the run store cannot be opened.

    `effects`: the process that carries out orders; None: this one.
    `pools`: those that may be acted on through xapi. Their orders are carried out here: no right of this machine helps.
    `simulated`: the folder of a simulated host; then no program runs on this machine and nothing is written outside it.
    """
    clock = clock or SystemClock()
    here = open_machine(policy, libvirt=libvirt, runner=runner, simulated=simulated, fence=state_dir / FENCE)
    machine = PoolMachine(here if effects is None else SplitMachine(here, effects), pools or {}, clock)
    store = RunStore(state_dir / RUN_STORE, clock, boot_id(lambda: read_text("/proc/sys/kernel/random/boot_id")))
    if problems := store.read(record_problems):
        store.close()
        raise StoreError(f"{store.path}: the run store was changed: {problems[0]} (xenwatch audit verify says more)")
    return RemediationService(store, policy, load_catalogue(), machine, clock, effects, coordinator)


def effects_of(mode: str, socket: Path, simulated: Path | None) -> EffectsSocket | None:
    """Who carries out repairs, by the words of the configuration; None: this process. A simulated host is our own."""
    here = mode == "auto" and os.geteuid() == 0 and not socket.exists()
    return None if simulated is not None or mode == "in-process" or here else EffectsSocket(socket)


def open_machine(
    policy: Policy,
    *,
    libvirt: Libvirt | None = None,
    libvirt_uri: str = LOCAL,
    runner: Runner | None = None,
    simulated: Path | None = None,
    fence: Path | None = None,
) -> LocalMachine:
    """The host as actions see it. `libvirt` is a connection; without one, `libvirt_uri` is only named to programs."""
    uri = libvirt.uri if libvirt else libvirt_uri
    call_libvirt = through(libvirt) if libvirt else None
    if simulated is None:
        return LocalMachine(policy.inventory, runner=runner, libvirt=call_libvirt, libvirt_uri=uri, fence=fence)
    return LocalMachine(
        policy.inventory,
        runner=SimulatedRunner(simulated),
        libvirt=call_libvirt,
        libvirt_uri=uri,
        folder=simulated_paths(simulated).at(OUTPUT_FOLDER),
        sockets=simulated / "ssh",
        fence=fence,
    )


def through(libvirt: Libvirt) -> LibvirtCall:
    """Orders for libvirt over the connection to it."""

    async def carry_out(argv: Sequence[str], deadline: float) -> Answer:
        try:
            return await libvirt.run(argv[0], lambda session: call(session.connection, argv), deadline)
        except TimedOut as error:
            return Answer(None, "", str(error))
        except HostError as error:
            return Answer(1, "", str(error))

    return carry_out

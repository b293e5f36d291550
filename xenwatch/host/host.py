"""Every way to ask one host, in one value: what a collector is handed, live or over a recorded tree."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xenwatch.base.clock import Clock
from xenwatch.host.devices import Devices
from xenwatch.host.domains import Domains
from xenwatch.host.exec.runner import Runner
from xenwatch.host.exec.worker_thread import WorkerThread
from xenwatch.host.files import read_text
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.libvirt.connection import LifecycleEvent
from xenwatch.host.libvirt.lifecycle import Lifecycle
from xenwatch.host.libvirt.uri import LOCAL
from xenwatch.host.paths import Paths
from xenwatch.host.privileged.reading import local_runner
from xenwatch.host.simulated import SimulatedRunner, simulated_paths
from xenwatch.host.toolstack.protocol import Toolstack, find_toolstack
from xenwatch.host.toolstack.xl import Xl
from xenwatch.host.xenstore.client import Xenstore


@dataclass(frozen=True, slots=True)
class Host:
    """An interface that this host does not have is None; one that is down just now raises Unavailable when used."""

    paths: Paths
    clock: Clock
    runner: Runner
    domains: Domains
    devices: Devices
    lifecycle: Lifecycle
    aside: WorkerThread
    libvirt: Libvirt | None = None
    toolstack: Toolstack | None = None
    """Xen's own view of its domains: xl's, or on an old host xend's."""
    xenstore: Xenstore | None = None

    def sources(self) -> dict[str, bool]:
        """Which interfaces there are, and which of them answered when last used."""
        up = {}
        if self.libvirt is not None:
            up["libvirt"] = self.libvirt.up
        if self.xenstore is not None:
            up["xenstore"] = self.xenstore.up
        if self.toolstack is not None:
            up[self.toolstack.name] = self.toolstack.up
        return up

    async def close(self) -> None:
        if self.libvirt is not None:
            await self.libvirt.close()
        if self.xenstore is not None:
            await self.xenstore.close()
        self.aside.close()


def open_host(
    clock: Clock,
    *,
    paths: Paths = Paths(),  # noqa: B008 - frozen
    libvirt_uri: str | None = LOCAL,
    ssh: str | None = None,
    simulated: Path | None = None,
    runner: Runner | None = None,
    on_lifecycle: Callable[[LifecycleEvent], None] | None = None,
) -> Host:
    """The interfaces of this host. Nothing is asked of a daemon yet; each connection opens when it is first used.

    Xen's own interfaces are there on a control domain only, so that `test:///` on any machine uses libvirt alone.
    With `ssh` (`root@old1`) they are those of that host, and none of this machine's files is taken for one of its.
    The same holds for `simulated`, the folder of a simulated host.
    """
    if simulated is not None:
        made_up, there = simulated_paths(simulated), SimulatedRunner(simulated)
        return build_host(
            clock, made_up, there, toolstack=Xl(there), libvirt_uri=libvirt_uri, on_lifecycle=on_lifecycle
        )
    runner = runner or local_runner()
    if ssh:
        from xenwatch.host.toolstack.ssh import NOWHERE, FarToolstack, SshRunner  # noqa: PLC0415 - only for hosts that are reached by ssh

        far = SshRunner(ssh, runner)
        return build_host(
            clock, NOWHERE, far, toolstack=FarToolstack(far), libvirt_uri=libvirt_uri, on_lifecycle=on_lifecycle
        )
    toolstack = find_toolstack(paths, runner) if is_control_domain(paths) else None
    return build_host(clock, paths, runner, toolstack=toolstack, libvirt_uri=libvirt_uri, on_lifecycle=on_lifecycle)


def build_host(
    clock: Clock,
    paths: Paths,
    runner: Runner,
    *,
    toolstack: Toolstack | None,
    libvirt_uri: str | None,
    on_lifecycle: Callable[[LifecycleEvent], None] | None = None,
) -> Host:
    """A host over exactly these parts, for a recorded host or one that is reached in another way."""
    xenstore = Xenstore(paths) if is_control_domain(paths) else None
    lifecycle = Lifecycle(on_lifecycle)
    libvirt = Libvirt(libvirt_uri, clock, on_lifecycle=lifecycle.seen) if libvirt_uri else None
    return Host(
        paths=paths,
        clock=clock,
        runner=runner,
        domains=Domains(clock, toolstack, libvirt),
        devices=Devices(clock, paths, xenstore),
        lifecycle=lifecycle,
        aside=WorkerThread(),
        libvirt=libvirt,
        toolstack=toolstack,
        xenstore=xenstore,
    )


def is_control_domain(paths: Paths) -> bool:
    """Whether Xen runs below and this is the domain that controls it."""
    return "control_d" in (read_text(paths.at("proc/xen/capabilities")) or "")

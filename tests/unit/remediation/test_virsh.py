"""Every virsh that remediation starts speaks with the libvirt that the configuration names."""

from pathlib import Path

import pytest
from simulated_host import StoryClock

from xenwatch.host.exec.runner import Completed
from xenwatch.host.libvirt.uri import LOCAL
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Context
from xenwatch.remediation.actions import restart_service
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.policy.inventory import Guest, ManagedInventory
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.preflight.guest_config import read_config

SOURCES = Path(__file__).parents[3] / "xenwatch"
GUEST = Guest("web", "5a3f4f6e-0000-4000-8000-000000000001", toolstack="libvirt")
CONFIGURED = "xen:///system?socket=/run/other.sock"


class Programs:
    """Keeps what is started; systemd says that every service is active."""

    def __init__(self) -> None:
        self.started: list[tuple[str, ...]] = []

    async def run(self, argv, deadline, *, limit=0) -> Completed:
        self.started.append(tuple(argv))
        return Completed(tuple(argv), 0, b"active\n" if argv[0] == "systemctl" else b"", b"")


def context(programs: Programs, uri: str, **params: str) -> Context:
    policy = Policy(ManagedInventory("xen1", guests=(GUEST,)))
    machine = LocalMachine(policy.inventory, runner=programs, systemd=False, libvirt_uri=uri)
    subject = Subject("host", "xen1") if params else GUEST.subject
    return Context(machine, StoryClock(), policy, subject, None if params else GUEST, params)


async def libvirts(uri: str) -> list[str]:
    """The URIs that a configuration, a restart of libvirtd and a migration are asked of."""
    programs = Programs()
    about_guest = context(programs, uri)
    await read_config(about_guest, running=True)
    await restart_service.ACTION.verify(context(programs, uri, unit="libvirtd"))
    await about_guest.machine.effect(domain_commands.migrate(about_guest.machine, GUEST, "xen2", 60.0))
    return [argv[argv.index("-c") + 1] for argv in programs.started if "virsh" in argv]


@pytest.mark.parametrize("uri", [LOCAL, CONFIGURED])
async def test_a_configuration_a_restart_and_a_migration_ask_the_configured_libvirt(uri: str) -> None:
    assert await libvirts(uri) == [uri] * 3


def test_a_migration_goes_to_the_libvirt_of_the_other_host() -> None:
    machine = LocalMachine(ManagedInventory("xen1"), libvirt_uri=CONFIGURED)
    order = domain_commands.migrate(machine, GUEST, "xen2", 60.0)
    assert order.argv == ("virsh", "-c", CONFIGURED, "migrate", "--live", GUEST.uuid, "xen+ssh://xen2/system")


def test_the_uri_of_this_hosts_libvirt_and_virshs_command_line_are_each_written_once() -> None:
    """A second place would not follow the configuration."""
    code = {path: path.read_text() for path in SOURCES.rglob("*.py")}
    assert [path.name for path, text in code.items() if f'= "{LOCAL}"' in text or f'"-c", "{LOCAL}"' in text] == [
        "uri.py"
    ]
    assert [path.name for path, text in code.items() if '"virsh", "-c"' in text] == ["virsh.py"]

"""The real machine behind the seam: real programs, ssh spelled out, nothing through a shell here."""

from pathlib import Path

import pytest
from hosts.node import own_node

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError
from xenwatch.host.exec.runner import Completed
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.machine.port import Command, Order
from xenwatch.remediation.open import open_service, read_policy, through
from xenwatch.remediation.policy.inventory import ManagedHost, ManagedInventory

INVENTORY = ManagedInventory("xen1", hosts=(ManagedHost("xen2", "10.0.0.12"), ManagedHost("evil", "-oProxyCommand=x")))


class Seen:
    """Keeps what would have been run."""

    def __init__(self) -> None:
        self.argv: list[tuple[str, ...]] = []

    async def run(self, argv, deadline, *, limit=0) -> Completed:
        self.argv.append(tuple(argv))
        return Completed(tuple(argv), 0, b"", b"")


async def test_a_program_answers_with_its_code_and_words():
    machine = LocalMachine(INVENTORY, systemd=False)
    assert (await machine.read(Command(("cat", "--", "/proc/sys/kernel/ostype")))).out == "Linux\n"
    assert (await machine.read(Command(("cat", "--", "/nowhere")))).code == 1


async def test_a_program_that_is_not_there_is_127_and_one_that_hangs_is_no_answer():
    machine = LocalMachine(INVENTORY, systemd=False)
    assert (await machine.read(Command(("no-such-program",)))).code == 127
    assert (await machine.read(Command(("sleep", "60"), deadline=0.05))).code is None


async def test_a_neighbour_is_asked_over_ssh_with_its_words_quoted(tmp_path):
    seen = Seen()
    await LocalMachine(INVENTORY, runner=seen, sockets=tmp_path / "ssh").read(
        Command(("xl", "list", "a b; reboot"), "xen2")
    )
    assert seen.argv[0][-3:] == ("--", "root@10.0.0.12", "xl list 'a b; reboot'")
    assert "-oBatchMode=yes" in seen.argv[0]


async def test_one_connection_serves_all_words_to_a_host_where_its_folder_is_ours_alone(tmp_path):
    for mode, shared in ((0o700, True), (0o755, False)):
        seen, folder = Seen(), tmp_path / oct(mode)
        folder.mkdir()
        folder.chmod(mode)
        await LocalMachine(INVENTORY, runner=seen, sockets=folder).read(Command(("true",), "xen2"))
        assert (f"-oControlPath={folder}/%C" in seen.argv[0]) is shared


@pytest.mark.parametrize("host", ["xen3", "evil"])
async def test_a_host_the_policy_does_not_know_or_misspells_is_refused(host):
    with pytest.raises(InputError):
        await LocalMachine(INVENTORY, runner=Seen()).read(Command(("true",), host))


async def test_what_is_started_apart_is_started_by_systemd_or_in_a_session_of_its_own():
    for systemd, first in ((True, "systemd-run"), (False, "setsid")):
        seen = Seen()
        machine = LocalMachine(INVENTORY, runner=seen, systemd=systemd)
        await machine.effect(Order(("xl", "create", "/etc/xen/web.cfg"), detached=True, run="018b-1"))
        assert seen.argv[0][0] == first
        assert seen.argv[0][-3:] == ("xl", "create", "/etc/xen/web.cfg")


async def test_output_is_saved_below_the_folder_alone(tmp_path):
    machine = LocalMachine(INVENTORY, systemd=False, folder=tmp_path)
    answer = await machine.effect(Order(("uname",), save_as="018b-1/kernel.txt"))
    assert answer.ok
    assert (tmp_path / "018b-1" / "kernel.txt").read_text() == "Linux\n"


async def test_a_port_is_open_or_it_is_not():
    machine = LocalMachine(INVENTORY, systemd=False)
    assert not await machine.connect("127.0.0.1", 1, 1.0)


async def test_orders_for_libvirt_go_through_the_hosts_door_to_it(tmp_path):
    door = Libvirt(own_node(tmp_path), SystemClock())
    machine = LocalMachine(INVENTORY, systemd=False, libvirt=through(door))
    uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f"
    assert (await machine.effect(Order(("libvirt:destroy", uuid)))).ok
    assert not (await machine.effect(Order(("libvirt:destroy", uuid)))).ok
    assert (await machine.effect(Order(("libvirt:create", uuid)))).ok
    await door.close()


async def test_without_libvirt_its_orders_are_refused():
    assert not (await LocalMachine(INVENTORY, systemd=False).effect(Order(("libvirt:create", "u")))).ok


async def test_a_desk_opens_on_the_shipped_policy(tmp_path):
    policy = Path(__file__).parents[3] / "packaging" / "policy.toml"
    service = open_service(read_policy(policy), tmp_path)
    await service.recover()
    await service.tick()
    assert await service.runs() == []
    service.close()

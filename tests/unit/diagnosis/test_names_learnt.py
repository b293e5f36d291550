"""Where names are learnt: tables, what toolstacks say of name, domid and UUID, configurations that somebody shows."""

from collections.abc import Sequence

import pytest

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.format import all_formats, recognise
from xenwatch.logs.owner import owner_of
from xenwatch.model.record import Chunk, Position, Source, TimeHint

CRASH = "(XEN) Domain 5 (vcpu#0) crashed on cpu#1:\n"
NO_BRIDGE = (
    "libxl: error: libxl_device.c:1229:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
)
VBD = "Error: Device 51712 (vbd) could not be connected. Hotplug scripts not working.\n"
UUID = "6f3c1c2e-0d55-4b0a-9f51-7a0b9a6f2d11"
NO_DISK = (
    f'Internal error: xenopsd internal error: Memory_interface.Internal_error("VM = {UUID}; domid = 5; '
    'Bootloader.Bad_error Traceback (most recent call last):\\n  File \\"/usr/bin/pygrub\\", line 984, in <module>\\n'
    'OSError: [Errno 5] Input/output error\\n")\n'
)
XL_LIST = """\
Name                             ID   Mem VCPUs\tState\tTime(s)
Domain-0                          0  1024     4     r-----     123.4
shop                              5   512     1     -b----       2.3
"""
GANETI = """\
# gnt-instance start shop
Waiting for job 8 for shop.example.org ...
Could not start instance 'shop.example.org': Hypervisor error: Failed to start instance shop.example.org: exited
"""


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


def first(rules: Sequence[Rule], text: str, path: str = "sent.txt", format_name: str | None = None) -> str:
    """The subject of the first incident of that log."""
    pipeline = Pipeline(rules, cache=cache_folder(), at_rest=True)
    format_ = all_formats()[format_name] if format_name else recognise(path, text.encode()).format
    assert format_ is not None
    source = Source(path, format_, owner_of(path, format_))
    pipeline.read(Chunk(source, text.encode(), Position(path, 0, 1), TimeHint(1_790_000_000.0), final=True))
    pipeline.conclude(float("inf"))
    return str(pipeline.incidents.all()[0].diagnosis.subject)


@pytest.mark.parametrize(
    "said",
    [
        XL_LIST,
        " Id   Name       State\n------------------------\n 0    Domain-0   running\n 5    shop       running\n",
        '/local/domain/5/name = "shop"   (n0,r5)\n',
        f"Domain id=5 name='shop' uuid={UUID} is tainted: custom-argv\n",
        "Save failed on domain shop (5) - resuming.\n",
    ],
)
def test_a_domid_has_the_name_that_another_line_gives_it(rules: Sequence[Rule], said: str) -> None:
    assert first(rules, said + CRASH, format_name="stderr") == "domain/shop"


@pytest.mark.parametrize(
    "said",
    [
        "shop                              6   512     1     -b----       2.3\n",
        "5 shops running out of stock\n",
        '/local/domain/5/vm = "shop"\n',
    ],
)
def test_a_domid_keeps_its_number_where_no_line_names_it(rules: Sequence[Rule], said: str) -> None:
    assert first(rules, said + CRASH, format_name="stderr") == "domain/5"


def test_a_guest_cannot_give_a_domid_a_name(rules: Sequence[Rule]) -> None:
    said = "(d5) shop                              5   512     1     -b----       2.3\n"
    assert first(rules, said + CRASH, format_name="hypervisor") == "domain/5"


def test_a_guest_that_xapi_calls_by_its_uuid_is_that_uuid_and_no_domid(rules: Sequence[Rule]) -> None:
    assert first(rules, NO_DISK) == f"domain/{UUID}"


@pytest.mark.parametrize(
    "said",
    [
        f"VM.start_on: VM = '{UUID} (shop)'; host = 'a (xen1)'\n",
        "\"Failed\",\"Starting VM 'shop' on 'xen1'\n",
        f"vm: {UUID} (shop)\n",
    ],
)
def test_a_uuid_gives_way_to_the_name(rules: Sequence[Rule], said: str) -> None:
    assert first(rules, said + NO_DISK) == "domain/shop"


NO_EMULATOR = f"# xe vm-start uuid={UUID}\nAn emulator required to run this VM failed to start\n"


def test_xe_names_the_guest_that_it_was_given_by_uuid(rules: Sequence[Rule]) -> None:
    assert first(rules, f"{NO_EMULATOR}vm: {UUID} (shop)\nname: vgpu\n", format_name="stderr") == "domain/shop"


def test_xe_naming_another_guest_leaves_the_one_of_the_command_its_uuid(rules: Sequence[Rule]) -> None:
    other = UUID.replace("6", "7")
    assert first(rules, f"{NO_EMULATOR}vm: {other} (mail)\n", format_name="stderr") == f"domain/{UUID}"


def test_an_object_of_xe_that_is_no_guest_gives_no_guest_a_name(rules: Sequence[Rule]) -> None:
    assert first(rules, f"host: {UUID} (xen1)\n" + NO_DISK) == f"domain/{UUID}"


@pytest.mark.parametrize(
    ("said", "guest"),
    [
        ("# gnt-instance startup shop\n", "shop"),
        ("# gnt-instance add -t drbd -o debootstrap shop.example.org\n", "shop.example.org"),
        ("# xm create template.cfg name=shop\n", "shop"),
        ("# xl create /dev/null 'name=\"shop\"' 'memory=256'\n", "shop"),
        ("# xm create /OVS/Repositories/0004fb/VirtualMachines/0004fb0006/vm.cfg\n", "0004fb0006"),
        (GANETI, "shop.example.org"),
    ],
)
def test_a_command_names_its_guest(rules: Sequence[Rule], said: str, guest: str) -> None:
    assert first(rules, said + VBD, format_name="stderr") == f"domain/{guest}"


def test_what_failed_to_start_is_named_afterwards(rules: Sequence[Rule]) -> None:
    text = NO_BRIDGE + "Domain shop has failed to start: internal error\n"
    assert first(rules, text, format_name="stderr") == "domain/shop"


CONFIGURATION = "name = 'shop'\nmemory = 512\nvif = ['bridge=xenbr7']\n\n"


@pytest.mark.parametrize("text", [CONFIGURATION + NO_BRIDGE, NO_BRIDGE + CONFIGURATION])
def test_a_configuration_that_is_shown_names_the_guest_where_nothing_else_does(
    rules: Sequence[Rule], text: str
) -> None:
    assert first(rules, text) == "domain/shop"


def test_a_configuration_says_how_the_guest_of_its_file_is_called(rules: Sequence[Rule]) -> None:
    text = f"# cat domu.cfg\n{CONFIGURATION}# xl create domu.cfg\nParsing config from domu.cfg\n{NO_BRIDGE}"
    assert first(rules, text) == "domain/shop"


def test_the_configuration_of_one_guest_does_not_name_the_next(rules: Sequence[Rule]) -> None:
    commands = (
        "# xl create domu.cfg\nParsing config from domu.cfg\n# xl create mail.cfg\nParsing config from mail.cfg\n"
    )
    assert first(rules, CONFIGURATION + commands + NO_BRIDGE) == "domain/mail"


def test_a_configuration_beside_a_command_on_another_guest_names_nobody(rules: Sequence[Rule]) -> None:
    text = f"# virsh start mail\n{CONFIGURATION}{NO_BRIDGE}"
    assert first(rules, text, format_name="stderr") == "domain/mail"


def test_a_logger_of_many_that_says_name_names_nobody(rules: Sequence[Rule]) -> None:
    head = "Jan  1 10:00:00 xen1 root: "
    script = f"{head}/etc/xen/scripts/vif-bridge: Could not find bridge device xenbr7\n"
    assert first(rules, f"{head}name = 'shop'\n{script}", "/var/log/syslog") == "host/dom0"


PANIC = "[    4.495545] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n"


def test_the_kernel_that_writes_below_xl_create_is_that_guests(rules: Sequence[Rule]) -> None:
    boot = "".join(f"[    1.00000{n}] Booting paravirtualized kernel on Xen\n" for n in range(5))
    assert first(rules, f"# xl create -c shop.cfg\nParsing config from shop.cfg\n{boot}{PANIC}") == "domain/shop"


@pytest.mark.parametrize(
    ("path", "guest"),
    [
        ("guest-shop.log", "shop"),
        ("guest-shop-dm.log", "shop"),
        ("guest-console.log", "unknown"),
        ("guest-console-2.log", "unknown"),
        ("guest-consolidation.log", "consolidation"),
    ],
)
def test_the_log_of_a_console_is_named_after_its_guest(rules: Sequence[Rule], path: str, guest: str) -> None:
    assert first(rules, PANIC, f"/tmp/{path}") == f"domain/{guest}"

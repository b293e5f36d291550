"""Programs that manage guests: what Xen said is read in their logs, and the guest keeps the name that they give it."""

from collections.abc import Sequence

import pytest

from xenwatch.diagnosis.operations.marks import name_of_config
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.format import recognise
from xenwatch.logs.owner import owner_of
from xenwatch.model.record import Chunk, Position, Source, TimeHint


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


def first(rules: Sequence[Rule], text: str, path: str = "sent.txt") -> tuple[str, str]:
    """Rule and subject of the first cause that is no fallback."""
    pipeline = Pipeline(rules, cache=cache_folder(), at_rest=True)
    format_ = recognise(path, text.encode()).format
    assert format_ is not None
    source = Source(path, format_, owner_of(path, format_))
    pipeline.read(Chunk(source, text.encode(), Position(path, 0, 1), TimeHint(1_790_000_000.0), final=True))
    pipeline.conclude(float("inf"))
    found = pipeline.incidents.all()[0].diagnosis
    return found.rule, str(found.subject)


VBD = "Error: Device 51712 (vbd) could not be connected. Hotplug scripts not working."
MAKE = "libxl: error: libxl_create.c:671:libxl__domain_make: domain creation fail: Invalid argument"


def log(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


ONE = "Mon Mar 18 12:23:11 2013"
TEXTS = {
    "OpenNebula's log of one guest": (
        log(f"{ONE} [VMM][I]: {VBD}", f"{ONE} [VMM][E]: Error deploying virtual machine: {VBD}"),
        "/var/log/one/42.log",
        "domain/one-42",
    ),
    "OpenNebula's log of all": (
        log(f"{ONE} [VMM][D]: Message received: DEPLOY FAILURE 42 {VBD}"),
        "/var/log/one/oned.log",
        "domain/one-42",
    ),
    "OpenNebula's command": (
        log(
            f"{ONE} [VMM][I]: Command execution fail: xm create /var/lib/one/42/images/deployment.0",
            f"{ONE} [VMM][I]: {VBD}",
        ),
        "sent.txt",
        "domain/one-42",
    ),
    "drakrun": (
        log(
            "[2020-08-26 10:02:26,145][INFO] Generated VM configuration for vm-0",
            "Parsing config from /etc/drakrun/configs/vm-0.cfg",
            MAKE,
            "[2020-08-26 10:02:26,246][ERROR] Failed to launch VM vm-0",
        ),
        "sent.txt",
        "domain/vm-0",
    ),
    "drakrun with a file of its own": (
        log(
            "[2023-09-19 19:50:28,516][INFO] Creating VM test-hvm64-example",
            "[2023-09-19 19:50:28,537][DEBUG] stderr: ",
            "Parsing config from /tmp/tmp1i3mt8gu",
            MAKE,
        ),
        "sent.txt",
        "domain/test-hvm64-example",
    ),
    "Ansible": (
        log('fatal: [xen1]: FAILED! => {"cmd": ["xl", "create", "/etc/xen/web.cfg"], "rc": 3}', MAKE),
        "sent.txt",
        "domain/web",
    ),
    "Salt": (
        log("[ERROR   ] Command 'xl create /etc/xen/web.cfg' failed with return code: 3", MAKE),
        "sent.txt",
        "domain/web",
    ),
    "xen-tools": (
        log("# xen-create-image --size=4Gb --hostname=web --dhcp --boot", MAKE),
        "sent.txt",
        "domain/web",
    ),
    "what xen-tools says first": (
        log("General Information", "Hostname       :  web", "Distribution :  squeeze", MAKE),
        "sent.txt",
        "domain/web",
    ),
    "Vagrant": (log("==> default:  -- Name:              proj_web", MAKE), "sent.txt", "domain/proj_web"),
    "CloudStack": (
        log(
            "2021-03-13 02:40:02,270 INFO  [c.c.v.VirtualMachineManagerImpl] (Work-Job-Executor-17:ctx-3d84aa87 job-61)"
            " (logid:fc577e10) Unable to start VM[User|i-2-13-VM] on the host",
            MAKE,
        ),
        "sent.txt",
        "domain/i-2-13-VM",
    ),
}


@pytest.mark.parametrize(("text", "path", "subject"), TEXTS.values(), ids=TEXTS)
def test_the_guest_keeps_the_name_that_the_program_gives_it(
    rules: Sequence[Rule], text: str, path: str, subject: str
) -> None:
    assert first(rules, text, path)[1] == subject


def test_a_file_of_a_moment_names_no_guest() -> None:
    assert name_of_config("/tmp/tmp1i3mt8gu") is None
    assert name_of_config("/tmp/web.cfg") == "web"
    assert name_of_config("/var/lib/one/datastores/0/42/deployment.3") == "one-42"


def test_a_command_that_is_only_quoted_in_prose_ends_where_its_quotation_does(rules: Sequence[Rule]) -> None:
    assert first(rules, f"I typed 'xl create mail.cfg' and got\n{MAKE}\n")[1] == "domain/mail"

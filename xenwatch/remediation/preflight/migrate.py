"""`xenwatch preflight migrate`: checks P1 to P24 for one guest and one target; it may be moved only where all hold."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import finding
from xenwatch.remediation.machine.port import path_of
from xenwatch.remediation.policy.inventory import ManagedHost
from xenwatch.remediation.preflight.cpu import check_cpu, version
from xenwatch.remediation.preflight.guest_config import GuestConfig, read_config
from xenwatch.remediation.preflight.memory import check_memory, host_info
from xenwatch.remediation.preflight.network import check_same_network
from xenwatch.remediation.preflight.place import check_place
from xenwatch.remediation.preflight.storage import check_handover, check_same_disks
from xenwatch.remediation.preflight.transport import check_duration, check_transport

_REPORTS_PAGING = (4, 13)


def target_of(context: Context) -> ManagedHost:
    """The host named by the parameter `to`; InputError where the policy does not know it."""
    host = context.inventory.host(context.param("to"))
    if host is None:
        raise InputError(f"{context.param('to')} is not a [[host]] of the policy")
    return host


async def check_migrate(context: Context) -> list[Finding]:
    """All checks, the cheap ones first; where the target does not answer, its checks are unknown."""
    target = target_of(context)
    place = await check_place(context, target, live=True)
    config = await read_config(context, running=True)
    if config is None:
        return [
            *place,
            Finding("P4 configuration", "unknown", "the toolstack does not print its configuration", "xl list -l"),
        ]
    return [
        *place,
        Finding("P4 configuration", "pass", f"{config.kind}, {config.memory_mib} MiB", "xl list -l"),
        await _same_file(context, target),
        finding(
            "P5 movable", not config.obstacles, ", ".join(config.obstacles) or "nothing forbids a move", "xl list -l"
        ),
        await _populate_on_demand(config),
        await _log_dirty(context, config),
        *await check_cpu(context, config, target.name),
        await check_memory(context, config, target.name),
        *await check_same_network(context, config, target.name),
        *await check_same_disks(context, config, target.name),
        check_handover(context),
        *await _files(context, config, target),
        *await _hvm_findings(context, config),
        *await check_transport(context, target),
        check_duration(context, config),
    ]


async def check_move(context: Context) -> list[Finding]:
    """For a cold move: what a stopped guest needs of its new host."""
    target = target_of(context)
    config = await read_config(context, running=False)
    place = await check_place(context, target, live=False)
    if config is None:
        return [*place, Finding("P4 configuration", "unknown", "its configuration cannot be read", "cat")]
    return [
        *place,
        await _same_file(context, target),
        *await check_cpu(context, config, target.name),
        await check_memory(context, config, target.name),
        *await check_same_network(context, config, target.name),
        *await check_same_disks(context, config, target.name),
        *await _files(context, config, target),
        *await check_transport(context, target),
    ]


async def _same_file(context: Context, target: ManagedHost) -> Finding:
    """The next start on the target reads the target's own file: it must be the same."""
    if context.managed_guest.toolstack == "libvirt":
        return Finding("P4 same file", "pass", "libvirt moves the configuration with the guest", "policy")
    path = path_of(context.managed_guest.config, "a configuration")
    here = await context.read("sha256sum", "--", path)
    there = await context.read("sha256sum", "--", path, host=target.name)
    same = here.out.split()[:1] == there.out.split()[:1] if here.ok and there.code is not None else None
    return finding("P4 same file", same, f"{path} on both hosts", "sha256sum")


async def _populate_on_demand(config: GuestConfig) -> Finding:
    on_demand = config.kind == "hvm" and config.memory_mib < config.max_memory_mib
    return finding(
        "P5 memory populated", not on_demand, f"{config.memory_mib} of {config.max_memory_mib} MiB", "xl list -l"
    )


async def _log_dirty(context: Context, config: GuestConfig) -> Finding:
    """While a guest is copied Xen records which pages change; a PV guest needs shadow paging, which Debian's Xen lacks.

    Without it `xl migrate` ends with "Failed to enable logdirty". Xen reports it since 4.13; older ones have it.
    """
    info = await host_info(context)
    reports_paging, caps = (version(info) or (0, 0)) >= _REPORTS_PAGING, (info or {}).get("virt_caps", "").split()
    possible = not reports_paging or "shadow" in caps or (config.kind != "pv" and "hap" in caps)
    requirement = f"{config.kind} needs shadow paging" + ("" if config.kind == "pv" else " or hap")
    return finding(
        "P5 log dirty", None if info is None else possible, f"{requirement}; virt_caps: {' '.join(caps)}", "xl info"
    )


async def _files(context: Context, config: GuestConfig, target: ManagedHost) -> list[Finding]:
    """P17: a missing kernel breaks the next reboot; a missing medium breaks the move."""
    findings = []
    media = {disk.target for disk in config.disks if disk.removable and disk.target}
    for path in sorted({*config.files, *media}):
        answer = await context.read(
            "stat", "--dereference", "--format=%s", "--", path_of(path, "a file"), host=target.name
        )
        missing = "fail" if path in media else "warn"
        outcome = "unknown" if answer.code is None else "pass" if answer.ok else missing
        findings.append(Finding("P17 file on target", outcome, path, "stat over ssh"))  # type: ignore[arg-type]
    return findings


async def _hvm_findings(context: Context, config: GuestConfig) -> list[Finding]:
    """P18, P19: QEMU must not be older on the target; an HVM guest should be able to suspend."""
    if config.kind != "hvm":
        return []
    row = await context.sole_copy()
    answer = await context.read("xenstore-read", f"/local/domain/{row.domid if row else 0}/control/feature-suspend")
    possible = answer.ok and answer.out.strip() == "1"
    qemu = [await _qemu(context, host) for host in ("", target_of(context).name)]
    newer = None if None in qemu else (qemu[1] or ()) >= (qemu[0] or ())
    return [
        finding("P18 QEMU", newer, f"{qemu}", "qemu-system-i386 --version"),
        Finding("P19 suspend", "pass" if possible else "warn", "control/feature-suspend", "xenstore-read"),
    ]


async def _qemu(context: Context, host: str) -> tuple[int, ...] | None:
    answer = await context.read("qemu-system-i386", "--version", host=host)
    words = answer.out.split()
    number = words[3] if answer.ok and len(words) > 3 else ""  # noqa: PLR2004 - "QEMU emulator version 7.2.2"
    parts = number.split(".")
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else None

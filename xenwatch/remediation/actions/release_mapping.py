"""Releases a left-over kpartx, device-mapper or loop mapping that keeps a guest's disk busy and that nothing uses."""

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding
from xenwatch.remediation.machine.port import Order, argv, path_of
from xenwatch.remediation.preflight.storage import DeviceHolder, disk_holders, guest_disks


async def _holders(context: Context) -> list[DeviceHolder] | None:
    """What holds the guest's disks in dom0; None: unknown."""
    disks = await guest_disks(context)
    if disks is None:
        return None
    found: list[DeviceHolder] = []
    for disk in disks:
        held = await disk_holders(context, path_of(disk.target, "a disk"))
        if held is None:
            return None
        found += held
    return found


async def _check(context: Context) -> list[Finding]:
    rows = await context.copies()
    gone = None if rows is None else rows == ()
    here = finding(
        "guest", gone, f"{context.managed_guest.name} must be absent while its disk is released", "xl list -v"
    )
    held = await _holders(context) if gone else []
    if held is None or not here.holds:
        return [
            here,
            *([] if held is not None else [Finding("holders", "unknown", "the guest's disks are unknown", "lsblk")]),
        ]
    mounted = [h for h in held if h.mounted_at]
    return [
        here,
        finding(
            "holders", bool(held), f"{len(held)} mapping(s): {', '.join(h.device for h in held)}", "lsblk, losetup"
        ),
        finding(
            "not mounted", not mounted, ", ".join(f"{h.device} is mounted at {h.mounted_at}" for h in mounted), "lsblk"
        ),
        *[await _unused(context, h) for h in held],
    ]


async def _unused(context: Context, held: DeviceHolder) -> Finding:
    if held.kind == "loop":
        return Finding("open count", "pass", f"{held.device} is a loop device; it is detached once it is closed")
    answer = await context.read("dmsetup", "info", "--columns", "--noheadings", "-o", "open", held.device)
    count = int(answer.out) if answer.ok and answer.out.strip().isdigit() else None
    return finding(
        "open count", None if count is None else count == 0, f"{held.device} is open {count} times", "dmsetup"
    )


async def _plan(context: Context) -> Plan:
    """The topmost mapping first."""
    held = await _holders(context)
    if held is None:
        raise InputError("the mappings are unknown")
    orders = []
    for h in held:
        device = path_of(h.device, "a mapping")
        orders.append(
            Order(argv("losetup", "--detach", device) if h.kind == "loop" else argv("dmsetup", "remove", device))
        )
    return Plan(tuple(map(Step, orders)))


async def _verify(context: Context) -> Verdict:
    held = await _holders(context)
    if held is None:
        return Verdict(None, "the mappings are unknown")
    return Verdict(not held, f"held by {', '.join(h.device for h in held)}" if held else "nothing holds the disks")


ACTION = Action(
    name="release_mapping",
    title="Release a left-over mapping of a guest's disk",
    risk="L1",
    kinds=("domain",),
    check=_check,
    plan=_plan,
    repairs=False,
    verify=_verify,
    within=30.0,
    undo="kpartx -a or losetup, by hand",
)

"""`xenwatch preflight create`: whether a start of this guest can work, checked before it is tried."""

from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import finding
from xenwatch.remediation.machine.port import path_of
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.guest_config import GuestConfig, read_config
from xenwatch.remediation.preflight.memory import check_memory, host_info
from xenwatch.remediation.preflight.network import check_bridges
from xenwatch.remediation.preflight.storage import check_disks

_TAKEN = {None: "may be taken: the list of domains is not available", True: "is running", False: "is not in use"}


async def check_create(context: Context, *, replaces: bool = False, host: str = HERE) -> list[Finding]:
    """Memory, name, kernel, disks, bridges, HVM support. `replaces`: its old domain is destroyed first."""
    config = await read_config(context, running=False)
    if config is None:
        return [
            Finding(
                "configuration",
                "unknown",
                f"{context.managed_guest.config or context.managed_guest.name} cannot be read or parsed",
            )
        ]
    return await check_config(context, config, replaces=replaces, host=host)


async def check_config(
    context: Context, config: GuestConfig, *, replaces: bool = False, host: str = HERE
) -> list[Finding]:
    """The same for a configuration already read."""
    rows = await context.domains(host)
    own = next((row for row in rows or () if row.name == config.name), None)
    taken = None if rows is None else own is not None and not replaces
    findings = [
        finding(
            "name free",
            None if taken is None else not taken,
            f"{config.name} {_TAKEN[taken]}",
            "xl list",
        ),
        await check_memory(context, config, host, released_mib=own.memory_mib if own and replaces else 0),
        *[await _file(context, path, host) for path in config.files],
        *await check_bridges(context, config, host),
    ]
    if config.kind != "pv":
        findings.append(await _hvm(context, host))
    if not replaces:  # the old domain still holds the disks; they are checked again after it is gone
        findings += await check_disks(context, config, host)
    return findings


async def _file(context: Context, path: str, host: str) -> Finding:
    answer = await context.read("stat", "--dereference", "--format=%s", "--", path_of(path, "a file"), host=host)
    present = None if answer.code is None else answer.ok and answer.out.strip() != "0"
    size = f"{answer.out.strip()} bytes" if answer.ok else answer.summary
    return finding("P17 file", present, f"{path}: {size}", "stat")


async def _hvm(context: Context, host: str) -> Finding:
    info = await host_info(context, host)
    caps = (info or {}).get("virt_caps", "")
    return finding("P7 hvm", None if info is None else "hvm" in caps.split(), f"virt_caps: {caps or 'none'}", "xl info")

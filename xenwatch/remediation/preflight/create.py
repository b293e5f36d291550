"""`xenwatch preflight create`: whether a start of this guest can work, asked before it is tried."""

from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import passes
from xenwatch.remediation.machine.port import path_of
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.guest_config import GuestConfig, read_config
from xenwatch.remediation.preflight.memory import check_memory, info
from xenwatch.remediation.preflight.network import check_bridges
from xenwatch.remediation.preflight.storage import check_disks

_TAKEN = {None: "may be taken: the list of domains could not be had", True: "is running", False: "is not in use"}


async def check_create(context: Context, *, replaces: bool = False, host: str = HERE) -> list[Finding]:
    """Memory, name, kernel, disks, bridges, HVM support. `replaces`: its old domain is destroyed first."""
    config = await read_config(context, running=False)
    if config is None:
        return [
            Finding(
                "configuration", "unknown", f"{context.known.config or context.known.name} cannot be read or understood"
            )
        ]
    return await check_config(context, config, replaces=replaces, host=host)


async def check_config(
    context: Context, config: GuestConfig, *, replaces: bool = False, host: str = HERE
) -> list[Finding]:
    """The same for a configuration already read."""
    rows = await context.rows(host)
    own = next((row for row in rows or () if row.name == config.name), None)
    taken = None if rows is None else own is not None and not replaces
    found = [
        passes(
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
        found.append(await _hvm(context, host))
    if not replaces:  # the old domain still holds the disks; the start's own proof comes after it is gone
        found += await check_disks(context, config, host)
    return found


async def _file(context: Context, path: str, host: str) -> Finding:
    answer = await context.read("stat", "--dereference", "--format=%s", "--", path_of(path, "a file"), host=host)
    there = None if answer.code is None else answer.ok and answer.out.strip() != "0"
    size = f"{answer.out.strip()} bytes" if answer.ok else answer.words
    return passes("P17 file", there, f"{path}: {size}", "stat")


async def _hvm(context: Context, host: str) -> Finding:
    said = await info(context, host)
    caps = (said or {}).get("virt_caps", "")
    return passes("P7 hvm", None if said is None else "hvm" in caps.split(), f"virt_caps: {caps or 'none'}", "xl info")

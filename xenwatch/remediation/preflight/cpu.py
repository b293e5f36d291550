"""P6 to P10, P12: the target's Xen and processors offer everything the guest was started with."""

from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import finding
from xenwatch.remediation.policy.inventory import HERE
from xenwatch.remediation.preflight.guest_config import GuestConfig
from xenwatch.remediation.preflight.memory import host_info


async def check_cpu(context: Context, config: GuestConfig, target: str) -> list[Finding]:
    """Version, guest type, vendor, features, number of processors."""
    here, there = await host_info(context), await host_info(context, target)
    vendors = [await _vendor(context, host) for host in (HERE, target)]
    findings = [
        _version(here, there),
        _type(there, config),
        finding("P8 vendor", None if None in vendors else vendors[0] == vendors[1], f"{vendors}", "/proc/cpuinfo"),
        _features(here, there),
    ]
    cpus = (there or {}).get("nr_cpus", "")
    fits = int(cpus) >= config.vcpus if cpus.isdigit() else None
    return [*findings, finding("P12 processors", fits, f"{config.vcpus} vCPUs on {cpus or '?'} processors", "xl info")]


def version(info: dict[str, str] | None) -> tuple[int, int] | None:
    """(major, minor) of `xl info`; None: unknown."""
    major, minor = (info or {}).get("xen_major", ""), (info or {}).get("xen_minor", "")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def _dotted(pair: tuple[int, int] | None) -> str:
    return "unknown" if pair is None else f"{pair[0]}.{pair[1]}"


def _version(here: dict[str, str] | None, there: dict[str, str] | None) -> Finding:
    """Xen supports a live migration to the same minor version or the next one, and promises nothing about others."""
    old, new = version(here), version(there)
    fits = None if old is None or new is None else old[0] == new[0] and new[1] - old[1] in (0, 1)
    return finding("P6 Xen version", fits, f"{_dotted(old)} here, {_dotted(new)} on the target", "xl info")


def _type(there: dict[str, str] | None, config: GuestConfig) -> Finding:
    wanted = "xen-3.0-x86_64" if config.kind == "pv" else "hvm-3.0-x86_64"
    caps = (there or {}).get("xen_caps", "")
    holds = None if there is None else wanted in caps.split()
    return finding("P7 guest type", holds, f"{config.kind} needs {wanted}; {caps}", "xl info: xen_caps")


def _features(here: dict[str, str] | None, there: dict[str, str] | None) -> Finding:
    """The target must have every feature bit of this host: Xen checks less, and silently removes what is missing."""
    old, new = (_feature_words((info or {}).get("hw_caps", "")) for info in (here, there))
    if old is None or new is None or len(old) != len(new):
        return Finding(
            "P9 features", "unknown", "the processor features of the two hosts cannot be compared", "xl info: hw_caps"
        )
    missing = [f"word {nth}: {a & ~b:#x}" for nth, (a, b) in enumerate(zip(old, new, strict=True)) if a & ~b]
    return finding(
        "P9 P10 features", not missing, ", ".join(missing) or "the target has all of them", "xl info: hw_caps"
    )


def _feature_words(text: str) -> list[int] | None:
    try:
        return [int(word, 16) for word in text.split(":")] if text else None
    except ValueError:
        return None


async def _vendor(context: Context, host: str) -> str | None:
    answer = await context.read("cat", "--", "/proc/cpuinfo", host=host)
    lines = (line.partition(":") for line in answer.out.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == "vendor_id"), None)

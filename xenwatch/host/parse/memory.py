"""/proc/meminfo and output of `free`: dom0's own memory."""

from xenwatch.base import lazy_re as re

_MEMINFO = re.compile(r"^(?P<key>[A-Z]\w*(?:\(\w+\))?):\s+(?P<kib>\d+) kB$", re.MULTILINE)
_FREE = re.compile(
    r"^(?P<kind>Mem|Swap):\s+(?P<total>\d+)\s+\d+\s+(?P<free>\d+)(?:\s+\d+\s+\d+\s+(?P<available>\d+))?", re.MULTILINE
)


def parse_meminfo(text: str) -> dict[str, int]:
    """Every line with its unit, in bytes: `{"MemTotal": 933982208, …}`."""
    return {found["key"]: int(found["kib"]) * 1024 for found in _MEMINFO.finditer(text)}


def parse_free(text: str, unit: int = 1024) -> dict[str, int]:
    """The same keys as meminfo from `free`, with numbers in `unit` bytes (`free -m`: 1024**2)."""
    values: dict[str, int] = {}
    for found in _FREE.finditer(text):
        values[f"{found['kind']}Total"] = int(found["total"]) * unit
        values[f"{found['kind']}Free"] = int(found["free"]) * unit
        if found["kind"] == "Mem" and found["available"]:
            values["MemAvailable"] = int(found["available"]) * unit
    return values

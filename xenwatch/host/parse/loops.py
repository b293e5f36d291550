"""Output of `losetup -a`, old and new, and of `losetup -l`: loop devices and the files behind them."""

from xenwatch.base import lazy_re as re

_ALL = re.compile(r"^(?P<device>/dev/loop\d+): \[[^\]]*\]:\d* \((?P<file>.*?)\)?(?:, .*)?$")
_LIST = re.compile(r"^(?P<device>/dev/loop\d+)\s+\d+\s+\d+\s+[01]\s+[01]\s+(?P<file>\S.*?)(?:\s+[01]\s+\d+)?\s*$")
_DELETED = " (deleted)"


def parse_losetup(text: str) -> dict[str, str]:
    """Backing file by loop device, as printed except for the mark of a deleted file."""
    loops = {}
    for line in text.splitlines():
        if found := _ALL.match(line) or _LIST.match(line):
            loops[found["device"]] = found["file"].removesuffix(_DELETED).rstrip()
    return loops

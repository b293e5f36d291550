"""Whether what guests run on was updated lately: a failure that begins on such hosts alone came with the update."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from xenwatch.host.paths import Paths

LATELY_DAYS = 7
LATELY = f"in the last {LATELY_DAYS} days"
EARLIER = "earlier"

_DAY = 86_400.0
_LOGS = ("dpkg.log", "dpkg.log.1", "dnf.rpm.log", "dnf.rpm.log.1", "yum.log")
"""What Debian's dpkg, dnf and yum write below /var/log; rotated once, for an update may be a week old."""
_LONGEST = 4 * 1024 * 1024
_STACK = r"(?:xen|xapi|qemu|libvirt|linux-image|kernel|lvm2|multipath|device-map|openvswitch|(?:open-)?iscsi|drbd|nfs)"
_DAY_AND_TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
_DPKG = re.compile(rf"^({_DAY_AND_TIME}) (?:upgrade|install) {_STACK}", re.MULTILINE)
_DNF = re.compile(rf"^({_DAY_AND_TIME})\S* \w+ (?:Upgraded|Upgrade|Installed): {_STACK}", re.MULTILINE)
_YUM = re.compile(rf"^(\w{{3}} \d\d \d\d:\d\d:\d\d) (?:Updated|Installed): (?:\d+:)?{_STACK}", re.MULTILINE)


def updated(paths: Paths, now: float) -> str:
    """`LATELY` or `EARLIER`; empty where no package manager keeps a log that says."""
    logs = [path for name in _LOGS if (path := paths.at("var/log", name)).is_file()]
    if not logs:
        return ""
    lately = any(now - LATELY_DAYS * _DAY <= when <= now + _DAY for path in logs for when in _times(path, now))
    return LATELY if lately else EARLIER


def _times(path: Path, now: float) -> Iterator[float]:
    """Of the updates of what guests run on, in a log that was written lately."""
    try:
        if now - path.stat().st_mtime > LATELY_DAYS * _DAY:
            return
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LONGEST))
            text = file.read(_LONGEST).decode("utf-8", "replace")
    except OSError:
        return
    for said in (*_DPKG.findall(text), *_DNF.findall(text)):
        yield from _local(said, "%Y-%m-%d %H:%M:%S")
    year = datetime.fromtimestamp(now).astimezone().year
    for said in _YUM.findall(text):  # without a year: this one, or the last one where that day has not come yet
        for which in (year, year - 1):
            yield from _local(f"{which} {said}", "%Y %b %d %H:%M:%S")


def _local(said: str, layout: str) -> Iterator[float]:
    """Package managers write the host's own time; nothing for what is no time."""
    try:
        yield datetime.strptime(said.replace("T", " "), layout).astimezone().timestamp()
    except ValueError:
        return

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
_STACK = r"(?:xen|xapi|qemu|libvirt|linux-image|kernel|lvm2|multipath|device-mapper|openvswitch|open-iscsi|iscsi-init|drbd|nfs)"
_LINES = (
    (re.compile(rf"^(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d) (?:upgrade|install) {_STACK}", re.MULTILINE), "%Y-%m-%d %H:%M:%S"),
    (re.compile(rf"^(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d)\S* \w+ (?:Upgraded|Upgrade|Installed): {_STACK}", re.MULTILINE), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(rf"^(\w{{3}} \d\d \d\d:\d\d:\d\d) (?:Updated|Installed): (?:\d+:)?{_STACK}", re.MULTILINE), "%b %d %H:%M:%S"),
)  # fmt: skip


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
    for form, layout in _LINES:
        for said in form.findall(text):
            yield from _time(said, layout, now)


def _time(said: str, layout: str, now: float) -> Iterator[float]:
    """yum writes no year: it is this one, or the last one where that day has not come yet."""
    has_year = "%Y" in layout
    year = datetime.fromtimestamp(now).astimezone().year
    try:
        when = datetime.strptime(said if has_year else f"{year} {said}", layout if has_year else f"%Y {layout}")
        stamp = when.astimezone().timestamp()
        yield stamp if has_year or stamp <= now + _DAY else when.replace(year=year - 1).astimezone().timestamp()
    except ValueError:
        return

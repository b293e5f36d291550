"""How many nodes xenstored lets a guest own, as it was started or configured."""

import re
from collections.abc import Sequence

from xenwatch.host.files import read_bytes, read_text
from xenwatch.host.paths import Paths

_USUAL = 1000
"""Of both: xen: tools/xenstored/domain.c (quota_nb_entry_per_domain), tools/ocaml/xenstored/quota.ml (maxent)."""
_GIVEN = re.compile(r"(?:^| )(?:(?:-E|--entry-nb)[ =]?|(?:-Q|--quota)[ =]?nodes=)(\d+)")
_SETTING = re.compile(r"^\s*(quota-(?:activate|maxentity))\s*=\s*(\w+)", re.MULTILINE)


def node_quota(paths: Paths) -> int | None:
    """None where there is none, or the daemon is not to be found."""
    command = _command(paths)
    if not command:
        return None
    if command[0].endswith("oxenstored"):
        return _of_oxenstored(read_text(paths.etc_xen / "oxenstored.conf") or "")
    return _of_xenstored(command[1:])


def _command(paths: Paths) -> Sequence[str]:
    for file in paths.xenstored_pids:
        pid = (read_text(file) or "").strip()
        if pid.isdigit() and (line := read_bytes(paths.proc / pid / "cmdline")):
            return line.rstrip(b"\0").decode("utf-8", "replace").split("\0")
    return ()


def _of_xenstored(arguments: Sequence[str]) -> int:
    """`-E 2000`, `--entry-nb=2000`; since Xen 4.18 also `--quota nodes=2000`."""
    found = _GIVEN.findall(" ".join(arguments))
    return int(found[-1]) if found else _USUAL


def _of_oxenstored(text: str) -> int | None:
    settings = dict(_SETTING.findall(text))
    if settings.get("quota-activate") == "false":
        return None
    most = settings.get("quota-maxentity", "")
    return int(most) if most.isdigit() else _USUAL

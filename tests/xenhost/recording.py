"""What a story left behind, as small test data: what the logs gained, and what the tools said afterwards."""

import re
from pathlib import Path

import yaml
from machine import Machine
from story import Outcome

LOGS = "/var/log/syslog /var/log/kern.log /var/log/xen /var/log/libvirt"
SIZES = f"find {LOGS} -type f -printf '%s %P %H\\n'"
STATE = {
    "xl_list.txt": "xl list -v",
    "brctl_show.txt": "brctl show",
    "lvs.txt": "lvs --nosuffix --units b",
    "ip_br_a.txt": "ip -br a",
    "xenstore_ls.txt": "xenstore-ls -f",
}
MOST_BYTES = 10_000
"""Of one log."""
CHATTER = re.compile(
    r"dbus-daemon|sshd\[|systemd\[1\]: (?!guest@|.*\bxl )|xenwatch\[|systemd-logind|Activat|\b(?:new|end)conn\b"
    r"|rsyslogd"
)
"""Lines that other programs write all the time, xenwatch among them."""
TELLING_NODES = re.compile(r"/(?:name|domid|hotplug-\w+|error|state|bridge|mac|params|mode|target|script)\b|NEW|GONE")
"""What is kept of xenstored's own log and of its tree, of which there is far too much."""


class Recorder:
    """Remembers how long the logs were before the story."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._before = self._sizes()

    def save(self, folder: Path, outcome: Outcome) -> None:
        """Write `<folder>/<story>/`."""
        place = folder / outcome.story.name
        for path, size in self._sizes().items():
            begin = self._before.get(path, 0)
            text = self._machine.run(f"tail -c +{begin + 1} {path}", check=False).stdout if size > begin else ""
            if kept := shortened(path, text):
                file = place / "log" / path.removeprefix("/var/log/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(kept)
        for name, command in STATE.items():
            said = self._machine.run(f"timeout 8 {command} 2>&1", timeout=20, check=False).stdout
            (place / "state").mkdir(parents=True, exist_ok=True)
            (place / "state" / name).write_text(shortened(name, said))
        about = {"title": outcome.story.title, "xen": self._machine.image.suite.xen, "said": said_of(outcome)}
        (place / "recording.yaml").write_text(yaml.safe_dump(about, sort_keys=False, width=120))

    def _sizes(self) -> dict[str, int]:
        rows = (line.split(" ", 2) for line in self._machine.run(SIZES).stdout.splitlines())
        return {f"{top}/{path}" if path else top: int(size) for size, path, top in rows}


def said_of(outcome: Outcome) -> list[dict[str, object]]:
    """What the agent said, for people; what a replay must find stands in the test."""
    return [
        {"rule": i["rule"], "class": i["class"], "subject": f"{i['subject']['kind']}/{i['subject']['name']}",
         "state": i["state"], "fields": i.get("fields", {})}
        for i in outcome.incidents
    ]  # fmt: skip


def shortened(path: str, text: str) -> str:
    """Without the lines of others, and only the end of what is long."""
    lines = [line for line in text.splitlines(keepends=True) if not CHATTER.search(line)]
    if "xenstore" in path:
        lines = [line for line in lines if TELLING_NODES.search(line)]
    size = 0
    for number in range(len(lines) - 1, -1, -1):
        size += len(lines[number])
        if size > MOST_BYTES:
            return "".join(lines[number + 1 :])
    return "".join(lines)

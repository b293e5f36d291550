"""docs/quickstart.md walked as a new user would: its boxes, in order, typed as root on a clean booted Debian."""

import io
import re
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from package import lent, roots
from package.booted import CONNECTED, Booted, why_not

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]

EMPTY = "systemd-sysv,dbus,ca-certificates"
PAGE = roots.CHECKOUT / "docs/quickstart.md"
INSTALLING = 1500.0
"""Seconds a box may take: a busy machine and a slow mirror."""
LISTENING = 150
"""Seconds of listening for pages before the user presses Ctrl-C."""
ENDED_BY_USER = 124
"""What timeout says of a command it had to end."""


def boxes(text: str) -> list[list[str]]:
    """The boxes (indented code) of each numbered section, as scripts."""
    sections = re.split(r"^## \d+\. ", text, flags=re.MULTILINE)[1:]
    return [
        [
            "\n".join(line[4:] for line in box.splitlines())
            for box in re.findall(r"(?:^(?: {4}.*|)\n)+", part, re.MULTILINE)
            if box.strip()
        ]
        for part in sections
    ]


@pytest.fixture
def debian(release: str, tmp_path: Path) -> Iterator[Booted]:
    """A clean Debian with the checkout as it was committed last, on this machine's network."""
    with roots.unpacked(release, tmp_path, EMPTY) as root:
        lent.settings(root.folder)
        tree = subprocess.run(["git", "archive", "HEAD"], cwd=roots.CHECKOUT, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
            archive.extractall(root.folder / "root/checkout", filter="tar")
        machine = Booted(root.folder, [*CONNECTED, *lent.folders()])
        try:
            yield machine
        finally:
            machine.power_off()


def type_in(debian: Booted, box: str, *, ok: tuple[int, ...] = (0,), until_bored: int = 0) -> str:
    """What a box prints. `until_bored`: seconds after which the user presses Ctrl-C."""
    script = f"{lent.environment()}cd /root/checkout\n{box.replace('sudo ', '')}\n"
    if not until_bored:
        return debian.run(script, ok=ok, timeout=INSTALLING)
    (debian.folder / "root/box.sh").write_text(script)
    return debian.run(f"PYTHONUNBUFFERED=1 timeout {until_bored} sh -e /root/box.sh", ok=(ENDED_BY_USER,))


def test_the_boxes_lead_from_an_empty_machine_to_a_page(debian: Booted, record_testsuite_property):
    watch, rules, pages = boxes(PAGE.read_text())[:3]
    began = time.monotonic()
    type_in(debian, watch[0])
    time.sleep(30)
    assert "names a bridge that" in type_in(debian, watch[1], ok=(1,))  # 1: there are incidents
    for box in (*rules, pages[0]):
        type_in(debian, box)
    time.sleep(60)
    assert "XenIncidentCritical" in type_in(debian, pages[1])
    took = time.monotonic() - began
    assert "XenIncidentCritical" in type_in(debian, pages[2], until_bored=LISTENING)
    print(f"\n  measured: seconds from an empty machine to the page in Alertmanager: {took:.0f}")  # noqa: T201
    record_testsuite_property("quick start seconds", round(took))

"""The report that README.md shows: what `xenwatch diagnose` prints for the logs below."""

import contextlib
import functools
import re
import tempfile
from pathlib import Path

from click.testing import CliRunner

from xenwatch.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
_WIDTH = "96"
_SAMPLE = re.compile(r"(?<=^\$ xenwatch diagnose logs\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_LOGS = {
    "messages": "May 18 20:55:02 dom0 logger: /etc/xen/scripts/vif-bridge: Could not find bridge device xenbr1\n",
    "xend.log": (
        "[2011-05-18 20:55:01 3456] DEBUG (XendDomainInfo:93) XendDomainInfo.create(['vm', ['name', 'mail']])\n"
        "[2011-05-18 20:55:02 3456] DEBUG (DevController:144) Waiting for 0.\n"
        "[2011-05-18 20:55:03 3456] DEBUG (DevController:629) hotplugStatusCallback 2.\n"
        "[2011-05-18 20:55:03 3456] ERROR (SrvBase:88) Device 0 (vif) could not be connected."
        " Hotplug scripts not working.\n"
    ),
}


def page() -> str:
    """README.md with the report as it is printed now."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return _SAMPLE.sub(lambda _: sample(), text, count=1)


@functools.cache
def sample() -> str:
    """Headline and incident, without the path of its page, which is another one on each machine."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("logs").mkdir()
        for name, text in _LOGS.items():
            Path("logs", name).write_text(text, encoding="utf-8")
        environment = {"COLUMNS": _WIDTH, "NO_COLOR": "1", "XENWATCH_FAILURE_PAGES": None}
        printed = CliRunner().invoke(cli, ["diagnose", "-q", "logs"], env=environment).stdout
    lines = "\n\n".join(printed.split("\n\n")[:2]).splitlines()
    return "\n".join(line for line in lines if not line.startswith("  page ")) + "\n"

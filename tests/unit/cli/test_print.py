"""The page as it comes out of a printer: no controls, no folded evidence, few sheets."""

import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from xenwatch.cli.main import cli

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-pdf-header-footer",
)  # fmt: skip
BRIDGE = "libxl: error: libxl_device.c:1351:hotplug_child_death_cb: script: Could not find bridge device xenbr{}\n"


def test_in_print_there_are_no_controls_and_no_card_is_torn():
    style = files("xenwatch.cli.report").joinpath("page.css").read_text(encoding="utf-8")
    in_print = style[style.index("@media print") :]
    assert re.search(r"\.tools[^{]*\{ display: none; \}", in_print)
    assert re.search(r"\.incident \{[^}]*break-inside: avoid", in_print)


@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
def test_a_short_log_is_printed_on_few_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "logs").mkdir()
    for number in range(11):
        (tmp_path / "logs" / f"xl-guest{number}.log").write_text(BRIDGE.format(number) * 3)
    page, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    CliRunner().invoke(cli, ["diagnose", "-q", str(tmp_path / "logs"), "--format", "html", "-o", str(page)])
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={tmp_path}/profile", f"--print-to-pdf={pdf}", page.as_uri()]
    subprocess.run(command, capture_output=True, timeout=90, check=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) <= 7

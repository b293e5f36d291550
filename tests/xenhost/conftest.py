"""A booted Xen host with the agent installed; each test begins from the same saved moment."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import image
import install
from machine import Machine

NEEDED = ("qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "cpio", "ssh", "grub-mkimage")


def _suites() -> list[str]:
    return os.environ.get("XENHOST_SUITES", "bookworm trixie").split()


@pytest.fixture(scope="session", params=_suites())
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.fail(f"the Xen host needs root and {', '.join(missing) or 'nothing else'}; see tests/xenhost/README.md")
    suite = image.SUITES[request.param]
    machine = Machine(image.build(suite), image.CACHE / f"run-{suite.name}")
    shutil.rmtree(machine.folder, ignore_errors=True)
    machine.start()
    try:
        machine.wait_ready()
        install.install(machine, tmp_path_factory.mktemp(suite.name))
        machine.save("installed")
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(machine.folder, ignore_errors=True)


@pytest.fixture
def host(installed: Machine) -> Machine:
    installed.restore("installed")
    installed.wait_ready(90)
    return installed


@pytest.fixture(scope="session")
def results() -> Iterator[list[dict[str, object]]]:
    """Rows that end up in .cache/xenhost/results.json, from which docs/xenhost.md is written."""
    rows: list[dict[str, object]] = []
    yield rows
    if rows:
        (image.CACHE / "results.json").write_text(json.dumps(rows, indent=1))

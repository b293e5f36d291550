"""A booted Xen host with the agent installed; each test begins from the same saved moment."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import image
import install
import repair
import report
from machine import CPU, NO_HVM, Machine

NEEDED = ("qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "cpio", "ssh", "grub-mkimage")


def _suites() -> list[str]:
    return os.environ.get("XENHOST_SUITES", "bookworm trixie").split()


@pytest.fixture(scope="session", params=_suites())
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.fail(f"the Xen host needs root and {', '.join(missing) or 'nothing else'}; see tests/xenhost/README.md")
    with _host(request.param, tmp_path_factory.mktemp(request.param, numbered=False)) as machine:
        yield machine


@contextmanager
def _host(suite: str, work: Path, cpu: str = CPU) -> Iterator[Machine]:
    """A host of that suite, saved as it was before (`bare`) and after (`installed`) the installation."""
    machine = Machine(image.build(image.SUITES[suite]), image.CACHE / f"run-{work.name}", cpu)
    shutil.rmtree(machine.folder, ignore_errors=True)
    machine.start()
    try:
        machine.wait_ready()
        machine.save("bare")
        install.install(machine, work)
        machine.save("installed")
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(machine.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def installed_without_hvm(installed: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The same on a processor without AMD-V."""
    installed.stop()  # two machines at once take more than twice as long
    suite = installed.image.suite.name
    with _host(suite, tmp_path_factory.mktemp(f"{suite}-no-hvm", numbered=False), NO_HVM) as machine:
        yield machine


@pytest.fixture(scope="session")
def allowed(installed: Machine) -> Machine:
    """The host with a policy in force, saved so that each repair begins from the same moment."""
    installed.restore("installed")
    installed.wait_ready()
    installed.run("mkdir -p /etc/xenwatch && cat > /etc/xenwatch/policy.toml", stdin=repair.POLICY.read_bytes())
    installed.run("xenwatch policy check", timeout=120)
    installed.run("systemctl restart xenwatch", timeout=600)
    install.wait_for_rest(installed)
    installed.save("allowed")
    return installed


@pytest.fixture(scope="session")
def packaged(installed: Machine, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The host as it was before it ever saw xenwatch, with the Debian package put in, and a later one in /root."""
    installed.restore("bare")
    installed.wait_ready()
    for name, version in install.VERSIONS.items():
        built = install.package(installed.image.suite, tmp_path_factory.mktemp(name), version)
        installed.run(f"cat > /root/{name}.deb", stdin=built.read_bytes(), timeout=180)
    installed.run("dpkg -i /root/old.deb", timeout=900)
    install.warm_up(installed)
    installed.save("packaged")
    return installed


@pytest.fixture
def host(installed: Machine) -> Machine:
    installed.restore("installed")
    installed.wait_ready()
    return installed


@pytest.fixture
def host_without_hvm(installed_without_hvm: Machine) -> Machine:
    installed_without_hvm.restore("installed")
    installed_without_hvm.wait_ready()
    return installed_without_hvm


@pytest.fixture
def results() -> Callable[[dict[str, object]], None]:
    """Keeps a story's row in results.json at once, from which docs/xenhost.md is written; other stories' rows stay."""

    def keep(row: dict[str, object]) -> None:
        key = (row["suite"], row["story"])
        kept = [old for old in report.load("results.json", []) if (old["suite"], old["story"]) != key]
        report.keep("results.json", [*kept, row])

    return keep


@pytest.fixture
def tables() -> Callable[[str, dict[str, object]], None]:
    """Keeps a suite's numbers beside what the tools said."""

    def keep(suite: str, table: dict[str, object]) -> None:
        report.keep("numbers.json", {**report.load("numbers.json", {}), suite: table})

    return keep


@pytest.fixture
def mended() -> Callable[[Machine, str, str], AbstractContextManager[list[tuple[str, float]]]]:
    """Around one repair: keeps in repairs.json whether it came out, the seconds of each step, and the journal."""

    @contextmanager
    def around(machine: Machine, name: str, title: str) -> Iterator[list[tuple[str, float]]]:
        row: dict[str, Any] = {"repair": name, "title": title, "suite": machine.image.suite.name, "ok": False}
        row["steps"] = []
        try:
            yield row["steps"]
            row["ok"] = True
        except Exception as error:
            row["why"] = str(error)[-1000:]
            raise
        finally:
            row["journal"] = machine.run("xenwatch audit", timeout=90, check=False).stdout
            key = (row["suite"], name)
            kept = [old for old in report.load("repairs.json", []) if (old["suite"], old["repair"]) != key]
            report.keep("repairs.json", [*kept, row])

    return around

"""The files of a package, for deb and rpm alike: libraries for one Python and one machine, programs, rules, manual.

Nothing is compiled: libraries come from wheels in the locked versions. The times of all files are those of the last
commit, so that two builds of one commit are the same, byte by byte.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHELLS = {
    "bash": "usr/share/bash-completion/completions/xenwatch",
    "zsh": "usr/share/zsh/vendor-completions/_xenwatch",
    "fish": "usr/share/fish/vendor_completions.d/xenwatch.fish",
}
UV = [sys.executable, "-m", "uv"]


@dataclass(frozen=True)
class Target:
    """What a package is for."""

    python: tuple[int, int]
    program: str = "/usr/bin/python3"
    """The Python of the system that runs it."""
    platform: str = "x86_64-manylinux_2_28"
    """As uv names it; the wheels' tag."""
    zsh: str = SHELLS["zsh"]
    instead: Mapping[str, str] = field(default_factory=dict)
    """Versions instead of the locked ones, by the name of the library: what an old platform still has wheels of."""


def build_tree(target: Target, tree: Path, out: Path) -> None:
    """Fill `tree`, which is emptied first, with everything below / that the package brings."""
    shutil.rmtree(tree, ignore_errors=True)
    lib, share = tree / "usr/lib/xenwatch", tree / "usr/share/xenwatch"
    libraries(target, lib, out)
    _programs(target, tree)
    data(lib, share)
    _manual(tree / "usr/share")
    settle_times(tree)


def libraries(target: Target, lib: Path, out: Path) -> None:
    """The wheel of xenwatch and its libraries, in the versions of the lock, less libvirt's binding."""
    wheels = out / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    subprocess.run([*UV, "build", "-q", "--wheel", "--out-dir", str(wheels)], cwd=ROOT, check=True, env=reproducible())
    wanted = out / f"requirements-{target.platform}-{target.python[1]}.txt"
    python = ".".join(map(str, target.python))
    locked = subprocess.run(
        [*UV, "pip", "compile", "-q", "pyproject.toml", "--python-version", python, "--no-annotate", "--no-header",
         "-c", "requirements.lock"], cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    lines = (line for line in locked.splitlines() if not line.startswith("libvirt-python"))
    wanted.write_text("".join(f"{_instead(line, target.instead)}\n" for line in lines))
    lib.mkdir(parents=True)
    subprocess.run(
        # copies: a link into uv's cache changes under dpkg-deb when another checkout uses the same wheel
        [*UV, "pip", "install", "-q", "--link-mode", "copy", "--target", str(lib), "--python-version", python,
         "--python-platform", target.platform, "--only-binary", ":all:", "--no-binary", "pyinotify",
         "--no-deps", "-r", str(wanted), *map(str, wheels.glob("*.whl"))], cwd=out, check=True, env=reproducible(),
    )  # fmt: skip
    shutil.rmtree(lib / "bin", ignore_errors=True)
    (lib / ".lock").unlink(missing_ok=True)
    for path in lib.rglob("__pycache__"):
        shutil.rmtree(path)
    for file in lib.rglob("*"):  # none of them is a program
        if file.is_file() and not file.is_symlink():
            file.chmod(0o644)
    for record in lib.glob("*.dist-info/RECORD"):
        _forget_where(record)


def _forget_where(record: Path) -> None:
    """Without what tells on which machine, and when, a library was installed."""
    names = [name for name in ("direct_url.json", "uv_cache.json") if (record.parent / name).exists()]
    for name in names:
        (record.parent / name).unlink()
    lines = record.read_text().splitlines(keepends=True)
    record.write_text("".join(line for line in lines if not line.partition(",")[0].endswith(tuple(names) or "\0")))


def _instead(line: str, versions: Mapping[str, str]) -> str:
    name = line.partition("==")[0]
    return f"{name}=={versions[name]}" if name in versions else line


def _programs(target: Target, tree: Path) -> None:
    for name, place in (("xenwatch.sh", "usr/bin/xenwatch"), ("privileged.py", "usr/libexec/xenwatch-privileged")):
        write(tree / place, (HERE / name).read_text().replace("/usr/bin/python3", target.program), 0o755)
    for unit in (ROOT / "packaging/systemd").glob("*.*"):
        copy(unit, tree / "usr/lib/systemd/system" / unit.name)
    copy(ROOT / "packaging/xenwatch.toml", tree / "etc/xenwatch/xenwatch.toml")
    for shell, where in {**SHELLS, "zsh": target.zsh}.items():
        told = subprocess.run(
            [sys.executable, "-m", "xenwatch.cli.main", "completion", shell],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        write(tree / where, told.stdout)


def data(lib: Path, share: Path) -> None:
    """Rules are there once, where administrators look for them; the program finds them through a link."""
    bundled = lib / "xenwatch/_bundled/rules"
    shutil.move(bundled, share / "rules")
    bundled.symlink_to(os.path.relpath(share / "rules", bundled.parent))
    # parsed here, so that a first start takes no minutes on a slow dom0
    prepare = [
        sys.executable,
        str(ROOT / "packaging/prepare.py"),
        str(share / "rules"),
        str(bundled.parent / "prepared"),
    ]
    subprocess.run(prepare, check=True, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"})
    for alerts in sorted((ROOT / "alerts").glob("*.y*ml")):
        copy(alerts, share / "alerts" / alerts.name)
    copy(ROOT / "packaging/lnav/xen.json", share / "lnav/xen.json")
    copy(ROOT / "packaging/zabbix/xenwatch.yaml", share / "zabbix/xenwatch.yaml")
    shutil.copytree(ROOT / "dashboards/out", share / "dashboards")
    shutil.copytree(ROOT / "dashboards/provisioning", share / "grafana")


def _manual(share: Path) -> None:
    doc = share / "doc/xenwatch"
    shutil.copytree(ROOT / "docs", doc / "docs", ignore=shutil.ignore_patterns("*.png", "*.svg"))
    for name in ("README.md", "CHANGELOG.md"):
        copy(ROOT / name, doc / name)
    copy(ROOT / "LICENSE", doc / "copyright")
    copy(ROOT / "packaging/policy.toml", doc / "examples/policy.toml")
    for page in sorted((ROOT / "packaging/man").glob("*.[15]")):
        place = share / f"man/man{page.suffix[1:]}" / page.name
        copy(page, place)
        subprocess.run(["gzip", "-9n", str(place)], check=True)


def commit_time() -> str:
    """When the last commit was made, as seconds; SOURCE_DATE_EPOCH where it is given."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    asked = ["git", "log", "-1", "--format=%ct"]
    return given or subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def reproducible() -> dict[str, str]:
    """The environment for programs that write times into what they make."""
    return {**os.environ, "SOURCE_DATE_EPOCH": commit_time()}


def settle_times(tree: Path) -> None:
    """All files get the time of the commit: archives hold it."""
    at = int(commit_time())
    for path in [*tree.rglob("*"), tree]:
        os.utime(path, (at, at), follow_symlinks=False)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def copy(source: Path, path: Path) -> None:
    """The text of a file of the checkout, with the mode of a file in a package."""
    write(path, source.read_text())

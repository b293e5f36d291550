"""What a root is lent of this machine's settings, so that it fetches packages as this machine does."""

import os
import re
import shutil
from pathlib import Path

_FILES = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")
_OF_ROOT = (".config/pip/pip.conf", ".config/uv/uv.toml")
_FOLDER = re.compile(r"(?:file://|find-links\s*=\s*)(/[^/\s\"']+/[^/\s\"']+)")


def settings(root: Path) -> None:
    """Copies the files that say where packages come from."""
    there = {Path(name): root / name.lstrip("/") for name in _FILES}
    there |= {Path.home() / name: root / "root" / name for name in _OF_ROOT}
    for source, target in there.items():
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def folders() -> list[str]:
    """Options for systemd-nspawn: the folders of packages that those files or the environment name."""
    said = [os.environ.get("PIP_FIND_LINKS", "")]
    names = [Path(name) for name in _FILES[:1]] + [Path.home() / name for name in _OF_ROOT]
    found = {m for path in names if path.exists() for m in _FOLDER.findall(path.read_text())}
    return [f"--bind-ro={folder}" for folder in sorted(found.union(said)) if folder and Path(folder).is_dir()]


def environment() -> str:
    """A line for the shell that exports what pip, uv and TLS are told by variables."""
    wanted = re.compile(r"PIP_|UV_|SSL_CERT_FILE|https?_proxy|no_proxy", re.IGNORECASE)
    pairs = [f"{name}='{value}'" for name, value in os.environ.items() if wanted.match(name)]
    return f"export {' '.join(pairs)}\n" if pairs else ""

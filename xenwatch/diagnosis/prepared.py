"""Where the package keeps what it worked out of its own rules when it was built."""

from importlib.resources import files
from pathlib import Path


def prepared_folder() -> Path:
    """Parsed rules and the literals of their signatures, for a quick first start; a checkout has no such folder."""
    return Path(str(files("xenwatch"))) / "_bundled" / "prepared"

"""Where the package keeps what it worked out of its own rules when it was built."""

from pathlib import Path

from xenwatch.base.bundled import bundled


def prepared_folder() -> Path:
    """Parsed rules and the literals of their signatures, for a quick first start; a checkout has no such folder."""
    return bundled("prepared")

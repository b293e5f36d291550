"""Writes packaging/lnav/xen.json, the formats of Xen's logs for lnav, from xenwatch/logs/formats and its test lines.

usage: packaging/lnav/build.py            write it, after a format was added or changed
       packaging/lnav/build.py --check    say whether it is out of date; exit code 1 if it is
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from xenwatch.logs.format import all_formats
from xenwatch.logs.lnav import has_time, lnav_format, lnav_name
from xenwatch.model.record import LogFormat

ROOT = Path(__file__).resolve().parents[2]
OUT = Path(__file__).with_name("xen.json")
_MOST_SAMPLES = 3


def document() -> dict[str, Any]:
    """One format of lnav for each of ours that has headers with a time; lnav's own read those of syslog."""
    parts = [part for part in all_formats().values() if part.headers]
    formats = {lnav_name(part): lnav_format(part, timed_lines(part)[:_MOST_SAMPLES]) for part in parts}
    return {"$schema": "https://lnav.org/schemas/format-v1.schema.json", **formats}


def timed_lines(part: LogFormat) -> list[str]:
    """Real lines with a time."""
    lines = (ROOT / "tests/logs" / part.name / "lines.log").read_text("utf-8", "replace").splitlines()
    return [line for line in lines if not line.startswith("#") and has_time(part, line)]


def main() -> None:
    """Write or check, as the usage says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; say whether it is out of date")
    text = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    if not parser.parse_args().check:
        OUT.write_text(text, encoding="utf-8")
    elif not OUT.exists() or OUT.read_text("utf-8") != text:
        sys.exit(f"{OUT.relative_to(ROOT)} is out of date; run: make lnav")


if __name__ == "__main__":
    main()

"""Logs of other systems must open no incident: prints what xenwatch says of each file, and fails if it says anything.

usage: packaging/coverage/foreign.py FOLDER     a folder of logs of systems without Xen, such as a checkout of Loghub
"""

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.logs.format import all_formats
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.record import Chunk, LogFormat, Position, Source, TimeHint

_FORMATS = ("syslog", "kernel", "stderr", "management")
"""A file of another system has no name that tells its format, so it is read as each that it could be taken for."""


def main() -> None:
    """Read every log below the folder; end with 1 if one opens an incident."""
    pipeline = Pipeline(rules_with([], cache_folder()), at_rest=True)
    fresh, formats, count = pipeline.state(), dict(all_formats()), 0
    for path in sorted(Path(sys.argv[1]).rglob("*.log")):
        for name in _FORMATS:
            pipeline.restore(fresh, ())
            for found in _told(pipeline, path, formats[name]):
                print(f"{path.name} as {name}: {found.rule}: {found.title}")
                count += 1
    print(f"{count} incidents")
    sys.exit(1 if count else 0)


def _told(pipeline: Pipeline, path: Path, format_: LogFormat) -> Iterator[Diagnosis]:
    source = Source(path.name, format_)
    pipeline.read(Chunk(source, path.read_bytes(), Position(path.name, 0), TimeHint(0), final=True))
    yield from pipeline.diagnose(float("inf"))


if __name__ == "__main__":
    main()

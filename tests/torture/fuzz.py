"""Coverage-guided fuzzing with atheris: bytes that nobody thought of, against each part that reads what others write.

python tests/torture/fuzz.py [PART] --seconds 600 --corpus .fuzz

Atheris is no dependency: `pip install atheris`. What it finds is a file crash-… in the current folder; move it to
tests/torture/found/PART/, where tests/unit/hostile/test_found_by_fuzzing.py plays it again.
"""

import importlib
import subprocess
import sys
from pathlib import Path

import click

HERE = Path(__file__).parent
sys.path.append(str(HERE))


@click.command()
@click.argument("part", default="all")
@click.option("--seconds", default=600, show_default=True, help="For each part.")
@click.option("--corpus", type=click.Path(path_type=Path), default=Path(".fuzz"), show_default=True)
def main(part: str, seconds: int, corpus: Path) -> None:
    """Fuzz one part, or one after the other."""
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        click.echo("atheris is not installed (pip install atheris): nothing is fuzzed by coverage")
        return
    if part == "all":
        sys.exit(sum(_apart(name, seconds, corpus) != 0 for name in importlib.import_module("fuzzed").PARTS))
    with atheris.instrument_imports(include=["xenwatch"]):
        fuzzed = importlib.import_module("fuzzed")
    folder, found = corpus / part, HERE / "found" / part
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(fuzzed.SEEDS[part]):
        (folder / f"seed{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=30"]
    atheris.Setup([sys.argv[0], str(folder), *([str(found)] if found.is_dir() else []), *options], fuzzed.PARTS[part]())
    atheris.Fuzz()


def _apart(part: str, seconds: int, corpus: Path) -> int:
    """A part is a process of its own: what is found ends it."""
    click.echo(f"{part}:")
    return subprocess.call([sys.executable, __file__, part, f"--seconds={seconds}", f"--corpus={corpus}"])


if __name__ == "__main__":
    main()

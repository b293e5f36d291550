"""How fast signatures are found: our scan core beside mtail, Python's `re`, grep and wc, as ratios of one run."""

import argparse
import os
import random
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

import xenwatch.logs.formats
from xenwatch.base.registry import load_parts
from xenwatch.diagnosis.library import load_library
from xenwatch.diagnosis.patterns import FLAGS
from xenwatch.diagnosis.rule import Rule
from xenwatch.diagnosis.rulefile import parse_rule
from xenwatch.diagnosis.scanner import Scanner
from xenwatch.model.record import Chunk, LogFormat, Position, Source, TimeHint

SIGNATURES = 300
CHUNK = 256 * 1024
MB = 1_000_000
RULES = Path(__file__).parents[2] / "rules"

_CALM = """\
DEBUG (DevController:144) Waiting for devices {dev}.
DEBUG (DevController:629) hotplugStatusCallback /local/domain/0/backend/{dev}/{id}/{n}/hotplug-status.
DEBUG (DevController:643) hotplugStatusCallback 1.
DEBUG (XendDomainInfo:1536) Releasing devices
DEBUG (XendDomainInfo:1542) Removing {dev}/{n}
DEBUG (XendDomainInfo:590) XendDomainInfo.destroyDevice: deviceClass = {dev}, device = {dev}/{n}
DEBUG (XendDomainInfo:117) XendDomainInfo.create(['vm', ['name', 'vm{id}'], ['memory', '{n}24'], ['vcpus', 2]])
DEBUG (XendDomainInfo:153) createDevice: ['vbd', ['uname', 'phy:vg0/disk{id}'], ['dev', 'xvda{n}'], ['mode', 'w']]
DEBUG (DevController:95) DevController: writing {{'backend-id': '0', 'virtual-device': '5171{n}', 'state': '1'}} to x.
DEBUG (DevController:95) DevController: writing {{'domain': 'vm{id}', 'frontend': '/local/domain/{id}/device/{dev}'}}.
DEBUG (balloon:127) Balloon: {n}48 KiB free; need {n}24; done.
DEBUG (image:291) args: -d {id} -m 512 -vcpus {n}, val: cdrom:/srv/iso/debian.iso
""".splitlines()
_RARE = """\
INFO (XendDomainInfo:1709) Domain has shutdown: name=vm{id} id={id} reason=poweroff.
DEBUG (image:291) nothing failed here: error={n} is only a word
""".splitlines()
_TROUBLE = """\
ERROR (XendDomainInfo:2199) VM vm{id} restarting too fast (Elapsed time: {n}.5 seconds). Refusing to restart.
WARNING (XendDomainInfo:874) Domain has crashed: name=vm{id} id={id}.
ERROR (SrvBase:88) Request failed.|Traceback (most recent call):|  File "x.py", line {n}|VmError: Device {n} (vif) broke
""".splitlines()


def generate(path: Path, size: int, seed: int = 1) -> None:
    """About `size` bytes of a xend.log in which one record in 160 is trouble."""
    dice, written, at = random.Random(seed), 0, 1_300_000_000
    with path.open("w") as file:
        while written < size:
            at += dice.randrange(3)
            stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
            chance = dice.random()
            words = dice.choice(_TROUBLE if chance < 1 / 160 else _RARE if chance < 1 / 120 else _CALM)
            text = words.format(
                id=dice.randrange(1, 90), n=dice.randrange(1, 9), dev=dice.choice(("vif", "vbd", "tap"))
            )
            written += file.write(f"[{stamp} 3456] {text}\n")


def signatures(count: int = SIGNATURES) -> list[Rule]:
    """The real rules, cut or padded with rules about messages of the same make to `count` signatures."""
    rules = [rule for rule in load_library([RULES]) if not rule.noise] if RULES.is_dir() else []
    chosen: list[Rule] = []
    for rule in rules:
        if sum(len(r.signatures) for r in chosen) + len(rule.signatures) <= count:
            chosen.append(rule)
    while (have := sum(len(r.signatures) for r in chosen)) < count:
        regex = rf"Backend number {have} of (?P<device>\w+) could not be .* in time"
        text = f"id: pad-{have}\nclass: pad\ntitle: pad\nseverity: error\nsignatures: [{{regex: '{regex}'}}]\n"
        chosen.append(parse_rule(text, Path(f"pad-{have}.yaml")))
    return chosen


def ours(path: Path, rules: list[Rule], engine: str = "auto") -> Callable[[], int]:
    """Scan core as the pipeline runs it: chunks in, events out."""
    dialects = load_parts(xenwatch.logs.formats, "FORMAT", LogFormat)
    scanner = Scanner(rules, engine, formats=dialects.values())  # type: ignore[arg-type]

    def run() -> int:
        scanner.restore({"sources": {}, "identity": {"names": {}, "uuids": {}, "seen": {}}})
        source, found = Source(str(path), dialects["xend"]), 0
        for offset, data in _chunks(path):
            found += len(scanner.feed(Chunk(source, data, Position("g", offset), TimeHint(0.0))))
        return found

    return run


def python_re(path: Path, rules: list[Rule]) -> Callable[[], int]:
    patterns = [re.compile(s.regex, FLAGS) for rule in rules for s in rule.signatures]

    def run() -> int:
        with path.open(errors="replace") as file:
            return sum(1 for line in file for pattern in patterns if pattern.search(line))

    return run


def command(*argv: str) -> Callable[[], int]:
    def run() -> int:
        subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
        return 0

    return run


def main() -> None:
    """Print the table. `--size` is in MB; slow methods read a head of the same file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--size", type=float, default=100.0)
    size = int(parser.parse_args().size * MB)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "xend.log"
        generate(whole, size)
        _table(whole, Path(folder), signatures())


def _table(whole: Path, folder: Path, rules: list[Rule]) -> None:
    small, tiny = _head(whole, folder / "small.log", 2 * MB), _head(whole, folder / "tiny.log", MB // 5)
    patterns = folder / "patterns"
    regexes = [s.regex for rule in rules for s in rule.signatures]
    patterns.write_text("\n".join(map(_extended, regexes)) + "\n")
    rows: list[tuple[str, Path, Callable[[], int]]] = [
        ("xenwatch, hyperscan", whole, ours(whole, rules, "hyperscan")),
        ("xenwatch, ahocorasick", whole, ours(whole, rules, "ahocorasick")),
        ("wc -l", whole, command("wc", "-l", str(whole))),
        ("grep -E -c -f", small, command("env", "LC_ALL=C", "grep", "-E", "-c", "-f", str(patterns), str(small))),
        ("Python re, line by line", small, python_re(small, rules)),
    ]
    if shutil.which("mtail"):
        program = folder / "rules.mtail"
        program.write_text(_mtail(regexes))
        empty = folder / "empty.log"
        empty.touch()
        started = _seconds(_mtail_run(program, empty))
        rows.append(("mtail (start-up left out)", tiny, _mtail_run(program, tiny)))
    speeds: dict[str, float] = {}
    for name, path, run in rows:
        seconds = min(_seconds(run) for _ in range(3 if path is whole else 1))
        if name.startswith("mtail"):
            seconds = max(seconds - started, 1e-3)
        speeds[name] = path.stat().st_size / seconds / MB
    _print(speeds, len(regexes), whole.stat().st_size)


def _print(speeds: dict[str, float], count: int, size: int) -> None:
    first = next(iter(speeds.values()))
    click.echo(f"{count} signatures, {size / MB:.0f} MB of xend.log, one core, CPU time; slow ones on a head of it")
    for name, speed in speeds.items():
        click.echo(f"{name:28} {speed:10.2f} MB/s   ours is {first / speed:8.1f} x")


def _seconds(run: Callable[[], int]) -> float:
    """CPU seconds of us and our children: the machine may be busy with others."""
    before = _cpu()
    run()
    return _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _chunks(path: Path) -> Iterator[tuple[int, bytes]]:
    offset = 0
    with path.open("rb", buffering=0) as file:
        while block := os.pread(file.fileno(), CHUNK, offset):
            data = block[: block.rfind(b"\n") + 1]
            yield offset, data
            offset += len(data)


def _head(whole: Path, path: Path, size: int) -> Path:
    with whole.open("rb") as file:
        data = file.read(size)
    path.write_bytes(data[: data.rfind(b"\n") + 1])
    return path


def _extended(regex: str) -> str:
    r"""As near as grep -E comes: no lookaround, no named groups, no lazy repeats, `\d` spelt out."""
    text = _without_lookaround(regex)
    text = re.sub(r"\(\?P<\w+>|\(\?:|\(\?i:?\)?", "(", text)
    return re.sub(r"([*+?}])\?", r"\1", text).replace(r"\d", "[0-9]").replace(r"\n", " ").replace("()", "")


def _without_lookaround(regex: str) -> str:
    while found := re.search(r"\(\?<?[=!]", regex):
        depth, end = 1, found.end()
        for token in re.finditer(r"\\.|\[\^?\]?[^\]]*\]|[()]", regex[found.end() :]):
            depth += {"(": 1, ")": -1}.get(token.group(), 0)
            end = found.end() + token.end()
            if not depth:
                break
        regex = regex[: found.start()] + regex[end:]
    return regex


def _mtail(regexes: list[str]) -> str:
    """One counter a signature. RE2 has no lookaround, and mtail no pattern of more than 1024 characters."""
    lines = [f"counter found_{n}" for n in range(len(regexes))]
    for number, regex in enumerate(regexes):
        go = re.sub(r"\(\?P<\w+>", "(?:", _without_lookaround(regex)).replace("/", r"\/")
        go = re.sub(r"\(\?P=\w+\)", ".", go)
        lines.append(f"/{go[:1000]}/ {{\n  found_{number}++\n}}")
    return "\n".join(lines) + "\n"


def _mtail_run(program: Path, log: Path) -> Callable[[], int]:
    return command("mtail", "--one_shot", "--progs", str(program), "--logs", str(log))


if __name__ == "__main__":
    main()

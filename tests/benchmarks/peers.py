"""What we are measured beside: wc, grep and mtail, with our own signatures as far as they can take them."""

import os
import re
import resource
import statistics
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

MB = 1_000_000
_DEADLINE = 600.0


def command(*argv: str) -> Callable[[], int]:
    """Runs it; what it prints is not wanted. 1 is a proper end, too: grep's for no match."""

    def run() -> int:
        quiet = subprocess.DEVNULL
        ended = subprocess.run(argv, check=False, stdout=quiet, stderr=quiet, timeout=_DEADLINE).returncode
        if ended not in (0, 1):
            raise SystemExit(f"{argv[0]} ended with {ended}: what it took says nothing")
        return ended

    return run


def grep(regexes: Sequence[str], log: Path, folder: Path) -> Callable[[], int]:
    """`grep -E -c -f` of all but the few that it cannot read, in the C locale, where it is fastest."""
    patterns = folder / "patterns"
    patterns.write_text("".join(f"{text}\n" for text in map(_extended, regexes) if _grep_takes(text)))
    return command("env", "LC_ALL=C", "grep", "-E", "-c", "-f", str(patterns), str(log))


def _grep_takes(pattern: str) -> bool:
    argv = ["grep", "-E", "-c", "-e", pattern, os.devnull]
    return subprocess.run(argv, check=False, capture_output=True, timeout=_DEADLINE).returncode <= 1


def mtail_speed(regexes: Sequence[str], log: Path, folder: Path) -> float:
    """MB a second of CPU time; what it needs to start and compile is left out."""
    program, empty = folder / "rules.mtail", folder / "empty.log"
    program.write_text(_mtail(regexes))
    if command("mtail", "--compile_only", "--progs", str(program))():
        raise SystemExit("mtail does not compile our signatures: what it took would say nothing")
    empty.touch()
    started, took = (cpu_seconds(_mtail_run(program, one)) for one in (empty, log))
    return log.stat().st_size / max(took - started, 1e-3) / MB


def speed(run: Callable[[], int], log: Path, repeats: int) -> float:
    """MB a second of CPU time, the median of so many runs."""
    return log.stat().st_size / statistics.median(cpu_seconds(run) for _ in range(repeats)) / MB


def cpu_seconds(run: Callable[[], int]) -> float:
    """CPU seconds of us and our children: the machine may be busy with others."""
    before = _cpu()
    run()
    return _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def head(whole: Path, path: Path, size: int) -> Path:
    """The whole lines among the first `size` bytes, as a file."""
    with whole.open("rb") as file:
        data = file.read(size)
    path.write_bytes(data[: data.rfind(b"\n") + 1])
    return path


def on_one_core() -> None:
    """Keep to one core, children included: what else runs there is then the same for all."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _extended(regex: str) -> str:
    r"""As near as grep -E comes: no lookaround, no named groups, no lazy repeats, `\d` spelt out."""
    text = _without_lookaround(regex)
    text = re.sub(r"\(\?P<\w+>|\(\?:|\(\?i:?\)?", "(", text)
    return re.sub(r"([*+?}])\?", r"\1", text).replace(r"\d", "[0-9]").replace(r"\n", " ").replace("\n", " ")


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


def _mtail(regexes: Sequence[str]) -> str:
    """One counter a signature. RE2 has no lookaround and no repeat beyond 1000, mtail no more than 1024 characters."""
    lines = [f"counter found_{n}" for n in range(len(regexes))]
    for number, regex in enumerate(regexes):
        go = re.sub(r"\(\?P<\w+>", "(?:", _without_lookaround(regex)).replace("/", r"\/")
        go = re.sub(r"\{(\d+),\d{4,}\}", r"{\1,}", re.sub(r"\(\?P=\w+\)", ".", go))
        lines.append(f"/{go[:1000]}/ {{\n  found_{number}++\n}}")
    return "\n".join(lines) + "\n"


def _mtail_run(program: Path, log: Path) -> Callable[[], int]:
    return command("mtail", "--one_shot", "--progs", str(program), "--logs", str(log))

"""The whole agent with 20 logs and 20 domains: memory, processor time at rest, and from a written line to the API.

python tests/benchmarks/bench_agent.py [seconds at rest]
"""

# ruff: noqa: T201  a benchmark prints

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

LOGS, DOMAINS, LINES = 20, 20, 200
REST_SECONDS = 30.0
START_DEADLINE = 120.0
BRIDGE = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device br{n}\n"
_DOMAIN = """<domain type="test"><name>guest{n}</name><memory>262144</memory><vcpu>2</vcpu>
<os><type>hvm</type></os><devices>
<disk type="block"><source dev="/dev/vg0/guest{n}"/><target dev="xvda" bus="xen"/></disk>
<interface type="bridge"><mac address="00:16:3e:00:00:{n:02x}"/><source bridge="br0"/>
<target dev="vif{n}.0"/></interface>
</devices></domain>"""
_NODE = "<node><cpu><mhz>2000</mhz><model>x86_64</model><active>2</active></cpu><memory>33554432</memory>{}</node>"


def main() -> None:
    """Print one line for each figure."""
    rest = float(sys.argv[1]) if len(sys.argv) > 1 else REST_SECONDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, first, _ = _start(folder)  # compiles signatures and byte code
        _stop(first)
        figures = _run(folder, rest)
    for key, value in figures.items():
        print(f"{key:<34} {value}")


def _run(folder: Path, rest: float) -> dict[str, str]:
    url, agent, start_seconds = _start(folder)
    try:
        memory, busy = _at_rest(agent.pid, rest)
        latencies = sorted(_latencies(folder, url))
        after = _rss(agent.pid)
    finally:
        _stop(agent)
    at = {share: latencies[min(len(latencies) - 1, int(len(latencies) * share))] * 1000 for share in (0.5, 0.99)}
    return {
        "start until ready": f"{start_seconds:.2f} s",
        f"resident, {LOGS} logs {DOMAINS} domains": f"{memory / 1e6:.1f} MB",
        "resident after the lines": f"{after / 1e6:.1f} MB",
        f"processor at rest over {rest:g} s": f"{busy:.2%} of a core",
        f"line to API, {len(latencies)} lines": f"p50 {at[0.5]:.1f} ms, p99 {at[0.99]:.1f} ms",
    }


def _start(folder: Path) -> tuple[str, "subprocess.Popen[bytes]", float]:
    logs, node = folder / "log", folder / "node.xml"
    logs.mkdir(exist_ok=True)
    for n in range(LOGS):
        (logs / f"xl-guest{n}.log").touch()
    node.write_text(_NODE.format("".join(_DOMAIN.format(n=n) for n in range(DOMAINS))))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "AGENT_STATE_DIR": f"{folder}/state", "LOGS_PATHS": f"{logs}/*.log", "LOGS_JOURNAL": "false",
        "SAMPLING_LIBVIRT_URI": f"test://{node}", "DIAGNOSIS_CACHE_DIR": f"{folder}/cache",
        "WEB_LISTEN": f"127.0.0.1:{port}", "REMEDIATION_POLICY": f"{folder}/policy.toml",
    }  # fmt: skip
    environment = {**os.environ, **{f"XENWATCH_{key}": value for key, value in settings.items()}}
    # As installed: byte-compiled. Compiling at the import costs 20 MB and a second.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = f"{folder}/pyc"
    began = time.monotonic()
    command = [str(Path(sys.executable).with_name("xenwatch")), "agent"]
    agent = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while time.monotonic() - began < START_DEADLINE:
        try:
            compiled = any((folder / "cache").glob("signatures-*.hs"))
            if compiled and _get(f"{url}/readyz").get("ready"):
                return url, agent, time.monotonic() - began
        except OSError:
            pass
        time.sleep(0.02)
    agent.kill()
    raise SystemExit("the agent did not get ready")


def _stop(agent: "subprocess.Popen[bytes]") -> None:
    agent.send_signal(signal.SIGTERM)
    agent.wait(30)


def _at_rest(pid: int, seconds: float) -> tuple[int, float]:
    time.sleep(5)  # the first sampling cycles are behind it
    before = _cpu_seconds(pid)
    time.sleep(seconds)
    return _rss(pid), (_cpu_seconds(pid) - before) / seconds


def _latencies(folder: Path, url: str) -> list[float]:
    """From the return of write() until the API says that the incident was seen once more."""
    took = []
    for n in range(LINES):
        guest = n % LOGS
        wanted = n // LOGS + 1
        with (folder / "log" / f"xl-guest{guest}.log").open("a") as log:
            log.write(BRIDGE.format(n=guest))
        began = time.perf_counter()
        while _seen(url, f"guest{guest}") < wanted:
            if time.perf_counter() - began > 30:
                raise SystemExit("a line never reached the API")
        took.append(time.perf_counter() - began)
    return took


def _seen(url: str, guest: str) -> int:
    """How often by now."""
    shown = _get(f"{url}/api/v1/incidents?name={guest}&class=vif-bridge-missing&full=1")["incidents"]
    return max((one["count"] for one in shown if one["subject"]["name"] == guest), default=0)


def _get(url: str) -> Any:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


def _rss(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()

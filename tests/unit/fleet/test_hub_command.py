"""`xenwatch hub` as people run it: two of them, one killed with -9, and the other goes on."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from click.testing import CliRunner
from monitoring.tools import tool

from xenwatch.base.clock import SystemClock
from xenwatch.cli.main import cli
from xenwatch.fleet.etcd import EtcdRefused
from xenwatch.fleet.registry import HostRegistry
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import HOST

pytestmark = pytest.mark.timeout(300)


def nfs_dead() -> Incident:
    line = "nfs: server 10.0.0.9 not responding, still trying"
    diagnosis = Diagnosis(
        "nfs-not-responding", "nfs-unavailable", HOST, "error", "NFS does not answer", line, "", 1.0,
        fields={"server": "10.0.0.9"},
    )  # fmt: skip
    return Incident("n1", diagnosis, "open", 1.0, 1.0)


@contextmanager
def hub_at(port: int, endpoints: tuple[str, ...], folder: Path, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "XENWATCH_FLEET_ETCD": ",".join(endpoints)}
    argv = [sys.executable, "-m", "xenwatch.cli.main", "hub", "--listen", f"127.0.0.1:{port}", *words]
    with (folder / f"hub-{port}.log").open("ab") as log:
        hub = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
    try:
        yield hub
    finally:
        hub.kill()
        hub.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ask(port: int, path: str) -> Any:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return json.loads(answer.read())
    except HTTPError as error:
        return json.loads(error.read())
    except OSError:
        return {}


async def test_a_hub_that_is_killed_is_followed_by_the_other(etcd, until, tmp_path: Path):
    ports = [free_port(), free_port()]
    registries = [HostRegistry(f"xen{n}", etcd.connect, SystemClock()) for n in range(3)]
    running = [asyncio.create_task(registry.run()) for registry in registries]
    with hub_at(ports[0], etcd.endpoints, tmp_path) as first, hub_at(ports[1], etcd.endpoints, tmp_path) as second:
        await until(lambda: any(ask(port, "/healthz").get("leader") for port in ports))
        lead = 0 if ask(ports[0], "/healthz").get("leader") else 1
        other = ports[1 - lead]
        for registry in registries:
            registry.offer([nfs_dead()])
        await until(lambda: ask(other, "/fleet/incidents").get("incidents"))
        (first, second)[lead].kill()
        await until(lambda: ask(other, "/healthz").get("leader"))
        (incident,) = ask(other, "/fleet/incidents")["incidents"]
        assert (incident["rule"], sorted(incident["hosts"])) == ("fleet-nfs-server-dead", ["xen0", "xen1", "xen2"])
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_prometheus_finds_the_hosts_in_the_file_of_targets_that_a_hub_keeps(etcd, until, tmp_path: Path):
    registry = HostRegistry("xen1", etcd.connect, SystemClock(), about={"metrics": "10.0.0.1:10197"})
    running = asyncio.create_task(registry.run())
    path = tmp_path / "targets.json"
    with hub_at(free_port(), etcd.endpoints, tmp_path, "--file-sd", str(path)):
        await until(lambda: path.exists() and "10.0.0.1:10197" in path.read_text())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert json.loads(path.read_text()) == [{"targets": ["10.0.0.1:10197"], "labels": {"host": "xen1"}}]
    config = tmp_path / "prometheus.yml"
    config.write_text(f"scrape_configs: [{{job_name: x, file_sd_configs: [{{files: ['{path}']}}]}}]\n")
    said = subprocess.run([tool("promtool"), "check", "config", config], capture_output=True, check=False)  # noqa: ASYNC221
    assert said.returncode == 0, said.stderr


async def test_an_etcd_without_room_refuses_and_a_host_goes_on_and_comes_back(etcd, until):
    """An alarm of no space, as etcd raises it itself when its file is as large as it may be."""
    registry, client = HostRegistry("xen1", etcd.connect, SystemClock(), lease_seconds=5), etcd.connect()
    running = asyncio.create_task(registry.run())
    try:
        await until(lambda: registry.is_connected)
        member = (await client.call("cluster/member/list", {}))["members"][0]["ID"]
        alarm = {"memberID": member, "alarm": "NOSPACE"}
        await client.call("maintenance/alarm", {**alarm, "action": "ACTIVATE"})
        with pytest.raises(EtcdRefused, match="space"):
            await client.put("/a", "1")
        registry.offer([nfs_dead()])
        await until(lambda: registry.failures > 0)
        await asyncio.sleep(7)
        assert not running.done()
        told = [kv.key for kv in (await client.list_below("/xenwatch/hosts/xen1/")).keys]
        assert told == ["/xenwatch/hosts/xen1/self"], "what was told before stays: its lease of 5 s is kept alive"
        await client.call("maintenance/alarm", {**alarm, "action": "DEACTIVATE"})
        await until(lambda: registry.is_connected)
        keys = [kv.key for kv in (await client.list_below("/xenwatch/hosts/xen1/")).keys]
        assert keys == ["/xenwatch/hosts/xen1/incidents/n1", "/xenwatch/hosts/xen1/self"]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()


def test_a_hub_listens_on_the_loopback_only_and_needs_etcd():
    ended = CliRunner().invoke(cli, ["hub", "--listen", "0.0.0.0:10198"])
    assert ended.exit_code == 2
    assert "only the loopback" in ended.output
    ended = CliRunner(env={"XENWATCH_FLEET_ETCD": ""}).invoke(cli, ["hub"])
    assert "no etcd is configured" in str(ended.exception)

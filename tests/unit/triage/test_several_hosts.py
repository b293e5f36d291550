"""Logs of several hosts in one bundle: each incident is of its host, and nothing of one host explains another's."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from xenwatch.cli.report import as_html, as_json, as_markdown, as_text
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.triage.bundle.host_record import FILE, read_host_record, write_host_record
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.report import Report

NO_BRIDGE = (
    "libxl: error: libxl_device.c:1319:device_hotplug_child_death_cb: script: Could not find bridge device xenbr1\n"
)
FAILED_DISK = "May 18 20:55:03 {host} kernel: [ 10.000000] md/raid1:md0: Disk failure on sdb1, disabling device.\n"
NAMED = "May 18 20:50:00 {host} xenstored: A1 write /local/domain/7/name {name}\n"
XEND = "[2011-05-18 20:55:04 3456] DEBUG (XendDomainInfo:1) Domain has crashed: name={name} id=7\n"

Write = Callable[[dict[str, str]], Path]
Read = Callable[..., Report]


@pytest.fixture(scope="module")
def read(tmp_path_factory) -> Read:
    cache = tmp_path_factory.mktemp("cache")
    rules = rules_with((), cache)

    def read(*paths: Path, host: str | None = None) -> Report:
        return diagnose([str(path) for path in paths], rules, cache=cache, host=host)

    return read


@pytest.fixture
def folder(tmp_path: Path) -> Write:
    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / "logs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "logs"

    return write


def packed(folder: Path) -> Path:
    archive = folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=".")
    return archive


def subjects(report: Report) -> list[str]:
    return sorted({str(incident.diagnosis.subject) for incident in report.incidents})


def test_three_hosts_logs_in_one_folder_are_three_incidents(folder: Write, read: Read):
    logs = folder({f"syslog-{host}/messages": FAILED_DISK.format(host=host) for host in ("xen1", "xen2", "xen3")})
    assert subjects(read(logs)) == ["xen1:array/md0", "xen2:array/md0", "xen3:array/md0"]


def test_three_hosts_in_one_file_of_a_log_server_are_three_incidents(folder: Write, read: Read):
    lines = "".join(FAILED_DISK.format(host=f"{host}.example.org") for host in ("xen1", "xen2", "xen3"))
    assert subjects(read(folder({"messages": lines}))) == [
        "xen1:array/md0", "xen2:array/md0", "xen3:array/md0",
    ]  # fmt: skip


def test_of_one_host_nobody_writes_the_name(folder: Write, read: Read):
    logs = folder(
        {"messages": FAILED_DISK.format(host="xen1"), "kern.log": FAILED_DISK.format(host="xen1.example.org")}
    )
    report = read(logs)
    assert subjects(report) == ["array/md0"]
    assert "host" not in json.loads(as_json.render(report))["incidents"][0]["subject"]


def test_guests_of_one_name_on_two_hosts_are_two_incidents(folder: Write, read: Read):
    logs = folder({f"{host}/xl-web.log": NO_BRIDGE for host in ("xen1", "xen2")} | {
        f"{host}/xl.log": "a line of the host's own log\n" for host in ("xen1", "xen2")
    })  # fmt: skip
    assert subjects(read(logs)) == ["xen1:domain/web", "xen2:domain/web"]


def test_folders_of_guests_are_no_hosts(folder: Write, read: Read):
    logs = folder({"web/xl-web.log": NO_BRIDGE, "db/xl-db.log": NO_BRIDGE})
    assert subjects(read(logs)) == ["domain/db", "domain/web"]


def test_folders_of_days_are_no_hosts(folder: Write, read: Read):
    line = FAILED_DISK.format(host="localhost")
    logs = folder({f"2011-05-{day}/messages": line for day in (18, 19)})
    assert subjects(read(logs)) == ["array/md0"]


def test_an_archive_gives_the_hosts_that_the_folder_gives(folder: Write, read: Read):
    logs = folder({f"{host}/{name}": NO_BRIDGE for host in ("xen1", "xen2") for name in ("xl-web.log", "libxl.log")} | {
        f"{host}/var/log/messages": FAILED_DISK.format(host="localhost") for host in ("xen1", "xen2")
    })  # fmt: skip
    assert subjects(read(packed(logs))) == subjects(read(logs))
    assert {"xen1:array/md0", "xen2:array/md0"} <= set(subjects(read(logs)))


def test_two_archives_side_by_side_are_two_hosts(folder: Write, tmp_path: Path, read: Read):
    logs = folder({"messages": FAILED_DISK.format(host="localhost")})
    for host in ("xen1", "xen2"):
        packed(logs).rename(tmp_path / f"{host}.tar.gz")
    report = read(tmp_path / "xen1.tar.gz", tmp_path / "xen2.tar.gz")
    assert subjects(report) == ["xen1:array/md0", "xen2:array/md0"]


def test_sosreports_are_called_after_their_hosts(folder: Write, read: Read):
    logs = folder({
        f"sosreport-{host}-2024-05-01-abcdefg/var/log/xen/xl-web.log": NO_BRIDGE for host in ("xen-a", "xen-b")
    })  # fmt: skip
    assert subjects(read(logs)) == ["xen-a:domain/web", "xen-b:domain/web"]


def test_what_collect_wrote_of_the_host_counts_for_its_whole_bundle(tmp_path: Path, read: Read):
    paths = []
    for host in ("xen1", "xen2"):
        paths.append(tmp_path / f"xenwatch-{host}.tar.gz")
        with tarfile.open(paths[-1], "w:gz") as tar:
            for name, data in ((FILE, write_host_record(host)), ("logs/xl-web.log", NO_BRIDGE.encode())):
                member = tarfile.TarInfo(f"xenwatch-20240501T000000Z/{name}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    report = read(*paths)
    assert subjects(report) == ["xen1:domain/web", "xen2:domain/web"]
    assert not report.skipped


@pytest.mark.parametrize(
    "data", [b'{"xenwatch_host": 3}', b'{"xenwatch_host": "a/b"}', b'{"xenwatch_host": "x"', b"[]"]
)
def test_a_forged_record_of_the_host_is_refused(data: bytes):
    with pytest.raises(ValueError):  # noqa: PT011
        read_host_record(data)


def test_the_host_that_the_operator_says_is_named(folder: Write, read: Read):
    logs = folder({"messages": FAILED_DISK.format(host="localhost"), "xl-web.log": NO_BRIDGE})
    assert subjects(read(logs, host="xen9")) == ["xen9:array/md0", "xen9:domain/web"]


def test_the_host_is_printed_in_every_format(folder: Write, read: Read):
    logs = folder({f"{host}/messages": FAILED_DISK.format(host=host) for host in ("xen1", "xen2")})
    report = read(logs)
    for render in (as_text.render, as_html.render, as_markdown.render):
        assert "xen1:array/md0" in render(report)
    told = json.loads(as_json.render(report))["incidents"]
    assert sorted(incident["subject"]["host"] for incident in told) == ["xen1", "xen2"]


def test_a_domid_of_one_host_names_no_guest_of_another(folder: Write, read: Read):
    died = "(XEN) domain_crash called from p2m.c:1\n(XEN) Domain 7 (vcpu#0) crashed on cpu#1:\n"
    logs = folder({
        "xen1/xend.log": XEND.format(name="web"), "xen2/xend.log": XEND.format(name="db"),
        "xen1/xl-dmesg": "(XEN) started\n", "xen2/xl-dmesg": died,
    })  # fmt: skip
    assert "xen2:domain/web" not in subjects(read(logs))
    assert "xen1:domain/db" not in subjects(read(logs))


def test_a_hosts_fact_decides_nothing_on_another(folder: Write, read: Read):
    table = "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n{bridge}\t\t8000.002590fb1d2a\tno\t\teth0\n"
    script = "May 18 20:55:03 {host} root: /etc/xen/scripts/vif-bridge: Could not find bridge device xenbr1\n"
    logs = folder({
        "xen1/messages": script.format(host="xen1"), "xen1/brctl_show.txt": table.format(bridge="br0"),
        "xen2/messages": "May 18 20:55:03 xen2 root: started\n", "xen2/brctl_show.txt": table.format(bridge="other"),
    })  # fmt: skip
    report = read(logs)
    (incident,) = report.incidents
    said = " ".join(piece.summary for piece in incident.diagnosis.evidence)
    assert "br0" in said
    assert "other" not in said


def test_one_hosts_trouble_explains_nothing_of_another(folder: Write, read: Read):
    logs = folder({"xen1/xl-web.log": NO_BRIDGE, "xen1/xl.log": "x\n", "xen2/xl.log": "x\n", "xen2/xl-web.log": (
        "libxl: error: libxl_create.c:1921:domcreate_attach_devices: Domain 7:unable to add vif devices\n"
    )})  # fmt: skip
    report = read(logs)
    assert {str(i.diagnosis.subject) for i in report.causes} == {"xen1:domain/web", "xen2:domain/web"}


def test_a_device_models_process_of_one_host_is_not_that_of_another(folder: Write, read: Read):
    spawned = (
        "[2011-05-18 20:55:04 3456] INFO (image:390) spawning device models: /usr/lib/xen/bin/qemu-dm "
        "['qemu-dm', '-d', '7', '-domain-name', '{name}']\n"
        "[2011-05-18 20:55:04 3456] INFO (image:391) device model pid: 4711\n"
    )
    failed = "qemu: could not load PC BIOS 'bios-256k.bin'\n"
    logs = folder({
        f"{host}/{log}": text
        for host, name in (("xen1", "web"), ("xen2", "db"))
        for log, text in (("xend.log", spawned.format(name=name)), ("qemu-dm.4711.log", failed))
    })  # fmt: skip
    assert subjects(read(logs)) == subjects(read(packed(logs))) == ["xen1:domain/web", "xen2:domain/db"]

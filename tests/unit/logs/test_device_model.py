"""The log of a device model is tied to its domain, and stays tied when the process is gone."""

import json

from xenwatch.logs.format import all_formats
from xenwatch.logs.owner import DeviceModels, Owner, device_model_owner, owner_of, owner_of_process
from xenwatch.model.record import Source

SPAWN = (
    "spawning device models: /usr/lib/xen/bin/qemu-dm ['/usr/lib/xen/bin/qemu-dm', '-d', '7', '-vcpus', '1', "
    "'-domain-name', 'win1', '-vnc', '127.0.0.1:7']"
)
QEMU_DM, XEND = all_formats()["qemu-dm"], all_formats()["xend"]
PID_LOG = "/var/log/xen/qemu-dm.4711.log"


def nobody_runs(_pid: int) -> bytes | None:
    return None


def test_xends_two_lines_together_say_who_is_served() -> None:
    assert device_model_owner(f"{SPAWN}\ndevice model pid: 4711") == Owner(4711, 7, "win1")


def test_a_line_without_a_pid_or_without_a_domain_says_nothing() -> None:
    assert device_model_owner(SPAWN) is None
    assert device_model_owner("device model pid: 4711") is None


def test_a_running_process_says_whom_it_serves() -> None:
    old = b"/usr/lib/xen/bin/qemu-dm\0-d\x007\0-domain-name\0win1\0"
    new = b"/usr/bin/qemu-system-i386\0-xen-domid\x009\0-no-shutdown\0-name\0win2\0"
    assert owner_of_process(4711, old) == Owner(4711, 7, "win1")
    assert owner_of_process(4712, new) == Owner(4712, 9, "win2")


def test_another_program_that_has_the_pid_now_is_no_device_model() -> None:
    assert owner_of_process(4711, b"/bin/sleep\0-d\x007\0") is None


def test_two_records_of_xend_log_are_put_together() -> None:
    models = DeviceModels(nobody_runs)
    models.learn_record(SPAWN)
    models.learn_record("device model pid: 4711")
    owner = owner_of(PID_LOG, QEMU_DM, models.of_process)
    assert owner is not None
    assert (owner.name, owner.domid) == ("win1", 7)


def test_a_pair_of_records_that_two_chunks_tear_apart_is_put_together() -> None:
    models = DeviceModels(nobody_runs)
    models.learn_from(f"[2008-05-18 20:55:04 xend 1] INFO (image:390) {SPAWN}\n".encode())
    models.learn_from(b"[2008-05-18 20:55:04 xend 1] INFO (image:391) device model pid: 4711\nand more\n")
    assert models.of_process(4711) == Owner(4711, 7, "win1")


def test_the_tie_outlives_the_process_and_a_restart_of_the_agent() -> None:
    running = {4711: b"/usr/lib/xen/bin/qemu-dm\0-d\x007\0-domain-name\0win1\0"}
    models = DeviceModels(running.get)
    assert models.of_process(4711) == Owner(4711, 7, "win1")
    running.clear()
    assert models.of_process(4711) == Owner(4711, 7, "win1")
    again = DeviceModels(nobody_runs)
    again.from_json(json.loads(json.dumps(models.to_json())))
    assert again.of_process(4711) == Owner(4711, 7, "win1")


def test_a_reused_pid_belongs_to_the_newest_domain() -> None:
    models = DeviceModels(nobody_runs)
    models.learn_record(f"{SPAWN}\ndevice model pid: 4711")
    later = SPAWN.replace("win1", "win2").replace("'7'", "'8'")
    models.learn_record(f"{later}\ndevice model pid: 4711")
    assert models.of_process(4711) == Owner(4711, 8, "win2")


def test_what_is_remembered_is_bounded() -> None:
    models = DeviceModels(nobody_runs, most=2)
    for pid in (1, 2, 3):
        models.learn_record(f"{SPAWN}\ndevice model pid: {pid}")
    assert models.of_process(1) is None
    assert models.of_process(3) is not None


def test_damaged_rows_of_the_memory_are_passed_over() -> None:
    models = DeviceModels(nobody_runs)
    models.from_json([["x", 7, "win1"], [4711, 7, "win1"], []])
    assert models.of_process(4711) == Owner(4711, 7, "win1")


def test_a_name_or_a_domid_in_the_path_needs_no_process() -> None:
    by_name = owner_of("/var/log/xen/qemu-dm-win1.log.2", QEMU_DM)
    by_domid = owner_of("/var/log/xen/qemu-dm-7.log", QEMU_DM)
    assert by_name is not None
    assert by_name.name == "win1"
    assert by_domid is not None
    assert by_domid.domid == 7


def test_a_pid_nobody_knows_gives_no_owner() -> None:
    assert owner_of(PID_LOG, QEMU_DM, DeviceModels(nobody_runs).of_process) is None
    assert owner_of(PID_LOG, QEMU_DM) is None


def test_the_same_pid_on_two_hosts_is_two_processes_and_a_third_host_has_none() -> None:
    models = DeviceModels(nobody_runs)
    for host, guest in (("xen1", "win1"), ("xen2", "win2")):
        spawned = SPAWN.replace("win1", guest)
        models.learn_record(f"{spawned}\ndevice model pid: 4711", Source(f"{host}/xend.log", XEND, host=host))

    def owner(host: str) -> str | None:
        subject = models.owner(Source(f"{host}/qemu-dm.4711.log", QEMU_DM, host=host), lambda a, b: a.host == b.host)
        return subject.name if subject else None

    assert [owner("xen1"), owner("xen2"), owner("xen3")] == ["win1", "win2", None]


def test_arguments_of_one_hosts_log_are_not_put_together_with_the_pid_of_anothers() -> None:
    models = DeviceModels(nobody_runs)
    models.learn_record(SPAWN, Source("xen1/xend.log", XEND))
    models.learn_record("device model pid: 4711", Source("xen2/xend.log", XEND))
    assert models.of_process(4711) is None

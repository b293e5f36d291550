"""Harmless records of one shape are counted and passed over; whatever may mean something is still read."""

from xenwatch.logs.format import all_formats

NOISE = "noise: It says so at each start.\n"


def stamped(*messages: str) -> str:
    return "".join(f"[{number}] INFO {message}\n" for number, message in enumerate(messages, 10))


def test_a_harmless_line_is_counted_each_time_whatever_its_numbers(kit):
    feeder = kit.feeder(kit.one(r"API call: \S+ not found", more=NOISE))
    events = feeder.feed(stamped(*(f"API call: VM.get_{number} not found" for number in range(50))))
    assert events == []
    assert feeder.scanner.matches == {"a-rule": 50}


def test_a_line_whose_number_decides_is_read_each_time(kit):
    feeder = kit.feeder(
        kit.one(r"qemu ended with [01]\b", "fine", more=NOISE), kit.one(r"qemu ended with 9\b", "killed")
    )
    events = feeder.feed(stamped("start", "qemu ended with 0", "qemu ended with 1", "qemu ended with 9"))
    assert [event.rule for event in events] == ["killed"]


def test_a_harmless_line_with_trouble_in_it_is_read(kit):
    feeder = kit.feeder(kit.one("watch node error", "fine", more=NOISE), kit.one("node error, disk is gone", "disk"))
    events = feeder.feed(stamped("start", "watch node error 1", "watch node error 2", "watch node error, disk is gone"))
    assert feeder.scanner.matches == {"fine": 3, "disk": 1}
    assert events == []  # the quiet rule is as severe as the other


def test_a_line_that_teaches_a_name_teaches_it_each_time(kit):
    feeder = kit.feeder(kit.one("nothing of this"))
    feeder.feed(stamped("start", "Domain web (3) unpaused", "Domain db (4) unpaused", "end"))
    assert [feeder.scanner.registry.name_of(domid, 11.0) for domid in (3, 4)] == ["web", "db"]


def test_an_error_that_no_rule_knows_is_noted_each_time(kit):
    feeder = kit.feeder(kit.one("nothing of this"))
    feeder.feed("".join(f"[{number}] ERROR disk {number} failed\n" for number in range(10, 15)), final=True)
    assert feeder.scanner.unread.total == 5


def kernel_lines(host: str, *messages: str) -> str:
    stamped = enumerate(messages, 1)
    return "".join(f"Jul 14 14:18:{n % 60:02} {host} kernel: [   12.{n:06}] {text}\n" for n, text in stamped)


def test_a_harmless_line_of_a_kernel_is_counted_each_time(kit):
    feeder = kit.feeder(kit.one("device is resumed", more=NOISE))
    asked: list[str] = []
    record = feeder.scanner._record
    feeder.scanner._record = lambda reader, cut, *more: asked.append("") or record(reader, cut, *more)
    lines = kernel_lines("xen1", "xen: registering gsi 9", *["sd 0:0: device is resumed"] * 30)
    assert feeder.feed(lines, all_formats()["syslog"]) == []
    assert feeder.scanner.matches == {"a-rule": 30}
    assert len(asked) < 4


def test_what_one_kernel_says_in_vain_another_one_may_mean(kit):
    feeder = kit.feeder(kit.one("error on the disk", streams=["console"]))
    dom0 = kernel_lines("xen1", "xen: registering gsi 9", *["error on the disk"] * 3)
    guest = kernel_lines("xen2", "Hypervisor detected: Xen HVM", *["error on the disk"] * 3)
    assert feeder.feed(dom0, all_formats()["syslog"]) == []
    assert len(feeder.feed(dom0 + guest, all_formats()["syslog"])) == 3

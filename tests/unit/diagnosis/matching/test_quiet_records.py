"""Harmless records of one shape are counted and passed over; whatever may mean something is still read."""

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

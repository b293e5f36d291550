"""What it means that a rule is experimental."""

from xenwatch.diagnosis.correlation.engine import CorrelationEngine


def concluded(kit, status: str):
    rule = kit.one("gone", more=f"severity: critical\n{status}actions: [host_cordon]\n")
    feeder = kit.feeder(rule)
    events = feeder.feed("[20] ERROR gone\n", final=True)
    [diagnosis] = CorrelationEngine([rule], feeder.scanner.registry).observe(events, now=20.0)
    return diagnosis


def test_an_experimental_rule_is_never_critical_offers_no_action_and_is_marked(kit):
    diagnosis = concluded(kit, "status: experimental\n")
    assert (diagnosis.severity, diagnosis.actions, diagnosis.experimental) == ("error", (), True)


def test_a_stable_rule_and_one_that_says_nothing_are_as_severe_as_they_say(kit):
    for status in ("status: stable\n", ""):
        diagnosis = concluded(kit, status)
        assert (diagnosis.severity, diagnosis.actions, diagnosis.experimental) == ("critical", ("host_cordon",), False)


def test_the_words_of_older_files_are_read_as_experimental(kit):
    assert concluded(kit, "status: test\n").experimental
    assert concluded(kit, "status: deprecated\n").experimental

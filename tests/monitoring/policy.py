"""The policy of the end-to-end tests: an alert proposes to tell somebody, and nothing else is done."""

_POLICY = """
[remediation]
host = "xen1"
mode = "propose"
[[host]]
name = "xen1"
address = "127.0.0.1"
machine_id = "0123456789abcdef0123456789abcdef"
[[rule]]
name = "tell-somebody"
mode = "propose"
max_risk = "L1"
[rule.when]
alert = "ALERT"
[rule.scope]
selector = "host:xen1"
[[rule.ladder]]
action = "notify"
"""


def tell_somebody_of(alert: str) -> str:
    """The policy for an alert of this name."""
    return _POLICY.replace("ALERT", alert)


TELL_SOMEBODY = tell_somebody_of("XenIncidentCritical")

"""The policy of the end-to-end tests: a critical incident proposes to tell somebody, and nothing else is done."""

TELL_SOMEBODY = """
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
alert = "XenIncidentCritical"
[rule.scope]
selector = "host:xen1"
[[rule.ladder]]
action = "notify"
"""

"""What the logs said and what was made of it."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import BYTE_RATE, BYTES, COUNT, EACH_SECOND, SECONDS, lines, number, states, table
from dashboards.lib.queries import host, increase, opened, rate, top

DASHBOARD = dashboard(
    "logs-and-incidents",
    "Logs and incidents",
    "What was diagnosed, and from which logs.",
    {
        "Now": [
            number(
                "Open",
                "Read them below; the first explains most.",
                COUNT,
                f"sum({host('xenwatch_incidents_known', state='open')})",
                bad_from=1,
            ),
            number(
                "Explained",
                "Symptoms of an open one: they go with it.",
                COUNT,
                f"sum({host('xenwatch_incidents_known', state='explained')})",
            ),
            number(
                "Resolved",
                "Kept for their history.",
                COUNT,
                f"sum({host('xenwatch_incidents_known', state='resolved')})",
            ),
            number(
                "Opened in this time",
                "Choose a shorter time to see the last night only.",
                COUNT,
                opened(host("xenwatch_incidents_total")),
            ),
            number(
                "Errors no rule knows",
                "Many: `xenwatch rules coverage` lists them; a rule may be worth writing.",
                COUNT,
                f"sum({increase(host('xenwatch_log_unmatched_errors_total'))})",
            ),
            number(
                "Rules",
                "Zero: nothing is diagnosed; read the agent's log.",
                COUNT,
                f"min({host('xenwatch_diagnosis_rules')})",
            ),
        ],
        "Incidents": [
            table(
                "Open incidents",
                "Cause and first evidence beside each; `xenwatch incidents show ID` has the rest.",
                COUNT,
                (host("xenwatch_incident_info"), "open"),
            ),
            states(
                "When they were open",
                "Several that begin together have one cause.",
                (host("xenwatch_incident_open"), "{{kind}} {{name}}: {{rule}}"),
            ),
            lines(
                "Open by severity",
                "critical above zero: somebody should be on it.",
                COUNT,
                (f"count by (severity) ({host('xenwatch_incident_open')})", "{{severity}}"),
                stacked=True,
            ),
            lines(
                "Known",
                "Explained ones are symptoms.",
                COUNT,
                (f"sum by (state) ({host('xenwatch_incidents_known')})", "{{state}}"),
                stacked=True,
            ),
        ],
        "Signatures": [
            lines(
                "Matches",
                "The first is the noisiest.",
                EACH_SECOND,
                (top(f"sum by (rule) ({rate(host('xenwatch_log_matches_total'))})"), "{{rule}}"),
            ),
            table(
                "Matches in this time",
                "Records that each rule recognised.",
                COUNT,
                (
                    top(f"sum by (rule, stream, severity) ({increase(host('xenwatch_log_matches_total'))})", 50),
                    "records",
                ),
            ),
            lines(
                "Errors no rule knows",
                "A rise is something new.",
                EACH_SECOND,
                (rate(host("xenwatch_log_unmatched_errors_total")), "{{instance}}"),
            ),
            lines(
                "Rules that could not be judged",
                "Above zero: that failure may go unnoticed.",
                EACH_SECOND,
                (rate(host("xenwatch_diagnosis_rule_errors_total")), "{{rule}}"),
            ),
        ],
        "Logs": [
            lines(
                "Lines",
                "A log that screams hides what matters.",
                EACH_SECOND,
                (top(rate(host("xenwatch_log_lines_total"))), "{{source}}"),
            ),
            lines(
                "Bytes",
                "Before a disk is full, it shows here.",
                BYTE_RATE,
                (top(rate(host("xenwatch_log_bytes_total"))), "{{source}}"),
            ),
            lines(
                "Not read yet",
                "Climbing: it grows faster than it is read.",
                BYTES,
                (top(host("xenwatch_log_lag_bytes")), "{{source}}"),
            ),
            lines(
                "Silent for",
                "A log that always spoke and is silent: its writer died, or it moved.",
                SECONDS,
                (top(f"time() - {host('xenwatch_log_last_read_timestamp_seconds')}"), "{{source}}"),
            ),
            lines(
                "Rotations and losses",
                "A loss: content was replaced before it was read.",
                COUNT,
                (increase(host("xenwatch_log_rotations_total")), "{{source}} rotated"),
                (increase(host("xenwatch_log_losses_total")), "{{source}} lost"),
            ),
            lines(
                "Errors while reading",
                "Permissions, or a mount that is gone.",
                COUNT,
                (increase(host("xenwatch_log_read_errors_total")), "{{source}}"),
            ),
        ],
    },
)

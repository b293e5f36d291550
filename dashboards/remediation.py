"""What was done, what was held back, and what waits for a person."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import COUNT, SECONDS, YES_NO, lines, number, table
from dashboards.lib.queries import host

DASHBOARD = dashboard(
    "remediation",
    "Remediation",
    "Actions: done, refused, waiting.",
    {
        "Now": [
            number(
                "Wait for consent",
                "Read the plan: `xenwatch remediation list`.",
                COUNT,
                f"sum({host('xenwatch_remediation_approval_pending')})",
                bad_from=1,
            ),
            number(
                "Outcome unknown",
                "Look yourself, then settle: runbook XenwatchRemediationUnknown.",
                COUNT,
                f"sum({host('xenwatch_remediation_unknown_runs')})",
                bad_from=1,
            ),
            number(
                "Breaker open",
                "Nothing is done until a person closes it.",
                YES_NO,
                f"max({host('xenwatch_remediation_breaker_open')})",
                bad_from=1,
            ),
            number(
                "Storm",
                "Too much fails at once; look for one cause.",
                YES_NO,
                f"max({host('xenwatch_remediation_storm_active')})",
                bad_from=1,
            ),
            number(
                "Maintenance",
                "Automatic actions wait; is it still needed?",
                YES_NO,
                f"max({host('xenwatch_remediation_maintenance_active')})",
            ),
            number(
                "Switched off",
                "On again with `xenwatch remediation on`.",
                YES_NO,
                f"max({host('xenwatch_remediation_switched_off')})",
            ),
        ],
        "Runs": [
            lines(
                "Ended",
                "failed and unknown should be rare.",
                COUNT,
                (
                    f"sum by (action, result) ({host('xenwatch_remediation_runs_total')})",
                    "{{action}} {{result}}",
                ),
            ),
            lines(
                "Underway", "One at a time is usual.", COUNT, (host("xenwatch_remediation_in_progress"), "{{action}}")
            ),
            lines(
                "Age of the oldest run",
                "Above an hour: runbook XenwatchRemediationStuck.",
                SECONDS,
                (host("xenwatch_remediation_oldest_open_seconds"), "{{instance}}"),
            ),
            table("All runs", "By action and result.", COUNT, (host("xenwatch_remediation_runs_total"), "runs")),
        ],
        "Guards": [
            lines(
                "Held back",
                "The guard's name says why.",
                COUNT,
                (f"sum by (guard) ({host('xenwatch_remediation_blocked_total')})", "{{guard}}"),
            ),
            lines(
                "Budget left",
                "At zero nothing more is done within the window.",
                COUNT,
                (host("xenwatch_remediation_budget_remaining"), "{{limit}}"),
            ),
            lines(
                "Repaired over and over",
                "A root cause that nobody has found: runbook XenwatchRemediationHidesACause.",
                COUNT,
                (host("xenwatch_remediation_repeated_successes"), "{{instance}}"),
            ),
            lines(
                "Slowest commit of the journal",
                "Above a second: the disk of dom0 is in trouble.",
                SECONDS,
                (host("xenwatch_remediation_journal_fsync_seconds"), "{{instance}}"),
            ),
        ],
    },
)

"""All hosts at a glance: which one needs a look."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import BYTES, COUNT, SECONDS, SHARE, lines, number, table
from dashboards.lib.queries import HOST, host, top, total

DASHBOARD = dashboard(
    "fleet",
    "Fleet",
    "All hosts at a glance. Start here, then follow the links to the host.",
    {
        "Now": [
            number(
                "Hosts",
                "Fewer than you have: those not counted are down or not scraped; see the agents' table.",
                COUNT,
                f"count(up{{{HOST}}} == 1)",
            ),
            number(
                "Hosts not answering",
                "The host, its network or the agent is down: runbook XenwatchDown.",
                COUNT,
                f"count(up{{{HOST}}}) - sum(up{{{HOST}}})",
                bad_from=1,
            ),
            number(
                "Open incidents",
                "Read them on Logs and incidents, or type `xenwatch incidents` on the host.",
                COUNT,
                f"sum({host('xenwatch_incidents_known', state='open')})",
                bad_from=1,
            ),
            number(
                "Critical incidents",
                "Somebody should be on it already.",
                COUNT,
                f"count({host('xenwatch_incident_open', severity='critical')}) or vector(0)",
                bad_from=1,
            ),
            number(
                "Guests running",
                "A sudden fall is an outage; compare with the hosts' table.",
                COUNT,
                f"sum({host('xen_hypervisor_domains', state='=~running|blocked')})",
            ),
            number(
                "Guests crashed",
                "Each is preserved and serves nobody: runbook XenDomainCrashed.",
                COUNT,
                f"sum({host('xen_hypervisor_domains', state='crashed')})",
                bad_from=1,
            ),
        ],
        "Incidents and hosts": [
            table(
                "Open incidents",
                "The cause stands beside each; the id opens it with `xenwatch incidents show ID`.",
                COUNT,
                (host("xenwatch_incident_info"), "open"),
            ),
            table(
                "Hosts",
                "Versions that differ within a fleet make migrations fail.",
                COUNT,
                (host("xen_hypervisor_info"), "there"),
            ),
            table(
                "Agents",
                "An agent of another version than the others was not upgraded.",
                COUNT,
                (host("xenwatch_build_info"), "there"),
            ),
        ],
        "Load": [
            lines(
                "Cpus in use",
                "Above 95 % guests wait for each other: move one away.",
                SHARE,
                (host("instance:xen_hypervisor_cpu_used:ratio"), "{{instance}}"),
                most=1,
            ),
            lines(
                "Vcpus for each cpu",
                "Above 4 expect waiting when many guests are busy at once.",
                COUNT,
                (host("instance:xen_hypervisor_vcpus_per_cpu:ratio"), "{{instance}}"),
            ),
            lines(
                "Free memory",
                "Near zero no guest can be started there.",
                BYTES,
                (host("xen_hypervisor_memory_free_bytes"), "{{instance}}"),
            ),
            lines(
                "Guests by state",
                "paused and crashed should be empty.",
                COUNT,
                (total(host("xen_hypervisor_domains"), "state"), "{{state}}"),
                stacked=True,
            ),
            lines(
                "Busiest guests",
                "The first is the one to ask about.",
                COUNT,
                (top(host("instance_domain:xen_domain_cpu_seconds:rate5m")), "{{instance}} {{domain}}"),
            ),
            lines(
                "Age of the numbers",
                "Over a minute or two: that host's collectors fail or dom0 hangs; see Control plane.",
                SECONDS,
                (
                    f"max by (instance) (time() - {host('xenwatch_collector_last_success_timestamp_seconds')})",
                    "{{instance}}",
                ),
            ),
        ],
    },
)

"""One host: its cpus, its memory, its guests, and dom0."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import (
    BYTE_RATE,
    BYTES,
    COUNT,
    EACH_SECOND,
    SECONDS,
    SHARE,
    WATCH,
    YES_NO,
    lines,
    number,
    states,
    table,
)
from dashboards.lib.queries import host, rate, top

DASHBOARD = dashboard(
    "host",
    "Host",
    "One host. Choose it above; the guests' own page is Domain.",
    {
        "Now": [
            number(
                "Up since",
                "Minutes ago and not planned: the host crashed or was reset; runbook XenHostRebooted.",
                WATCH,
                f"min({host('xen_hypervisor_boot_time_seconds')}) * 1000",
            ),
            number(
                "Guests running",
                "Fewer than usual: look at Autostart without guest below.",
                COUNT,
                f"sum({host('xen_hypervisor_domains', state='=~running|blocked')})",
            ),
            number(
                "Zombies",
                "Dead domains that still hold memory: runbook XenZombieDomains.",
                COUNT,
                f"sum({host('xen_hypervisor_zombie_domains')})",
                bad_from=1,
            ),
            number(
                "Free memory",
                "Near zero no guest can be started.",
                BYTES,
                f"sum({host('xen_hypervisor_memory_free_bytes')})",
            ),
            number(
                "Open incidents",
                "Read them on Logs and incidents.",
                COUNT,
                f"sum({host('xenwatch_incidents_known', state='open')})",
                bad_from=1,
            ),
            number(
                "Crash kernel",
                "Zero: a crash of the host would leave no dump.",
                YES_NO,
                f"min({host('xen_kexec_crash_loaded')})",
            ),
        ],
        "Cpu": [
            lines(
                "Cpus in use",
                "Above 95 % guests wait for each other.",
                SHARE,
                (host("instance:xen_hypervisor_cpu_used:ratio"), "{{instance}}"),
                most=1,
            ),
            lines(
                "Cpu time by guest",
                "One band that grew explains a host that became slow.",
                COUNT,
                (top(host("instance_domain:xen_domain_cpu_seconds:rate5m"), 15), "{{domain}}"),
                stacked=True,
            ),
            lines(
                "Cpu taken from dom0",
                "Above 0.2 dom0 cannot serve disks and network: give it a larger weight.",
                SECONDS,
                (rate(host("xen_dom0_cpu_steal_seconds_total")), "{{instance}}"),
            ),
            lines(
                "Vcpus ready without a cpu",
                "Steadily above zero: too many busy vcpus, or a pin that is too narrow.",
                COUNT,
                (f"sum by (domain) ({host('xen_domain_vcpu_runnable')})", "{{domain}}"),
            ),
            lines(
                "Waiting in dom0",
                "memory or io above 0.2: dom0 lacks memory, or a disk below is slow.",
                SHARE,
                (rate(host("xen_dom0_pressure_stalled_seconds_total")), "{{resource}}"),
                most=1,
            ),
            table(
                "Cpupools",
                "A guest in a pool with few cpus is slow while others idle.",
                COUNT,
                (host("xen_cpupool_cpus"), "cpus"),
                (host("xen_cpupool_domains"), "guests"),
            ),
        ],
        "Memory": [
            lines(
                "Memory of the hypervisor",
                "Claims that last half an hour belong to a domain that hangs in its construction.",
                BYTES,
                (host("xen_hypervisor_memory_total_bytes"), "total"),
                (host("xen_hypervisor_memory_free_bytes"), "free"),
                (host("xen_hypervisor_memory_outstanding_claims_bytes"), "claimed"),
            ),
            lines(
                "Free memory by NUMA node",
                "One node near zero: new guests get memory far from their cpus.",
                BYTES,
                (host("xen_numa_node_memory_free_bytes"), "node {{node}}"),
            ),
            lines(
                "Memory of dom0",
                "Available below 128 MiB: the kernel will kill programs, and with them guests.",
                BYTES,
                (host("xen_dom0_memory_available_bytes"), "available"),
                (host("xen_dom0_memory_current_bytes"), "current"),
                (host("xen_dom0_memory_target_bytes"), "target"),
            ),
            lines(
                "Memory by guest",
                "Compare with the target on Domain when the host has none left.",
                BYTES,
                (top(host("xen_domain_memory_current_bytes"), 15), "{{domain}}"),
                stacked=True,
            ),
        ],
        "Guests": [
            states(
                "Guests that do not run well",
                "Coloured is a guest in that state: crashed and dying need a hand, paused needs a reason.",
                (f"{host('xen_domain_state', state='=~paused|crashed|dying|shutdown')}", "{{domain}} {{state}}"),
            ),
            table(
                "Autostart without guest",
                "These are to run and do not: runbook XenDomainNotRunning.",
                YES_NO,
                (
                    (
                        f"{host('xen_domain_autostart')} == 1 unless on (job, instance, domain) "
                        f"{host('xen_domain_state', state='=~running|blocked|paused')} == 1"
                    ),
                    "wanted",
                ),
            ),
            lines(
                "Disk traffic by guest",
                "The first band is the guest that keeps the disks busy.",
                BYTE_RATE,
                (top(host("instance_domain:xen_domain_vbd_bytes:rate5m")), "{{domain}}"),
                stacked=True,
            ),
            lines(
                "Disk requests by guest",
                "Many small requests hurt more than large ones.",
                EACH_SECOND,
                (top(host("instance_domain:xen_domain_vbd_requests:rate5m")), "{{domain}}"),
                stacked=True,
            ),
            lines(
                "Network traffic by guest",
                "A band that came from nowhere may be an attack, or a backup.",
                BYTE_RATE,
                (top(host("instance_domain:xen_domain_vif_bytes:rate5m")), "{{domain}}"),
                stacked=True,
            ),
        ],
    },
)

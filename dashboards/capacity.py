"""Is there room: for another guest, for the loss of a host, for next month."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import BYTES, COUNT, SHARE, lines, number, table
from dashboards.lib.queries import host

DASHBOARD = dashboard(
    "capacity",
    "Capacity",
    "Room for guests, and for the loss of a host.",
    {
        "Now": [
            number("Memory free", "Over all chosen hosts.", BYTES, f"sum({host('xen_hypervisor_memory_free_bytes')})"),
            number(
                "Free after the loss of the largest host",
                "Negative: the guests of a lost host do not fit elsewhere.",
                BYTES,
                f"sum({host('xen_hypervisor_memory_free_bytes')}) - max({host('xen_hypervisor_memory_total_bytes')})",
            ),
            number(
                "Largest free piece",
                "A guest larger than this fits on no host.",
                BYTES,
                f"max({host('xen_hypervisor_memory_free_bytes')})",
            ),
            number("Cpus", "Physical ones.", COUNT, f"sum({host('xen_hypervisor_cpus', state='all')})"),
            number("Vcpus", "Of guests that run.", COUNT, f"sum({host('xen_hypervisor_vcpus_allocated')})"),
            number(
                "Vcpus for each cpu",
                "Above 4 expect waiting.",
                COUNT,
                f"sum({host('xen_hypervisor_vcpus_allocated')}) / sum({host('xen_hypervisor_cpus', state='all')})",
                bad_from=8,
            ),
        ],
        "Hosts": [
            lines(
                "Cpus in use",
                "A fleet above 70 % has no room for a lost host.",
                SHARE,
                (host("instance:xen_hypervisor_cpu_used:ratio"), "{{instance}}"),
                most=1,
            ),
            lines(
                "Memory free",
                "In a line that falls for weeks: order memory.",
                SHARE,
                (host("instance:xen_hypervisor_memory_free:ratio"), "{{instance}}"),
                most=1,
            ),
            lines(
                "Vcpus for each cpu",
                "By host.",
                COUNT,
                (host("instance:xen_hypervisor_vcpus_per_cpu:ratio"), "{{instance}}"),
            ),
            lines(
                "Free memory by NUMA node",
                "Even is good.",
                BYTES,
                (host("xen_numa_node_memory_free_bytes"), "{{instance}} node {{node}}"),
            ),
            table(
                "NUMA nodes",
                "Where the next guest fits.",
                BYTES,
                (host("xen_numa_node_memory_total_bytes"), "total"),
                (host("xen_numa_node_memory_free_bytes"), "free"),
            ),
            table("Cpus", "Which cpu lies where.", COUNT, (host("xen_hypervisor_cpu_topology_info"), "there")),
        ],
        "Promised to guests": [
            lines(
                "Memory guests may have",
                "Above the total: not all can have it at once.",
                BYTES,
                (f"sum by (instance) ({host('xen_domain_memory_maximum_bytes')})", "{{instance}} promised"),
                (host("xen_hypervisor_memory_total_bytes"), "{{instance}} total"),
            ),
            lines(
                "Guests",
                "Running ones by host.",
                COUNT,
                (f"sum by (instance) ({host('xen_hypervisor_domains', state='=~running|blocked')})", "{{instance}}"),
                stacked=True,
            ),
        ],
        "Storage": [
            lines(
                "Free in volume groups",
                "In a line that falls: extend before it ends.",
                BYTES,
                (host("xen_lvm_vg_free_bytes"), "{{instance}} {{vg}}"),
            ),
            lines(
                "In thirty days",
                "As it went in the last six hours; negative: full by then.",
                BYTES,
                (f"predict_linear({host('xen_lvm_vg_free_bytes')}[6h], 30 * 86400)", "{{instance}} {{vg}}"),
            ),
            lines(
                "libvirt's pools",
                "Available space.",
                BYTES,
                (host("xen_storage_pool_available_bytes"), "{{instance}} {{pool}}"),
            ),
        ],
    },
)

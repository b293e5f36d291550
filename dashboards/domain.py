"""One guest: is it up, does it get what it needs, what happened to it."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import (
    BYTE_RATE,
    BYTES,
    COUNT,
    EACH_SECOND,
    SECONDS,
    WATCH,
    YES_NO,
    lines,
    number,
    states,
    table,
)
from dashboards.lib.queries import domain, increase, rate

DASHBOARD = dashboard(
    "domain",
    "Domain",
    "One guest. Choose it above.",
    {
        "Now": [
            number(
                "Running",
                "Zero: see its state below and its incidents.",
                YES_NO,
                f"max({domain('xen_domain_state', state='=~running|blocked')})",
            ),
            number(
                "Started",
                "Later than you think: it restarted; look at the incidents of that time.",
                WATCH,
                f"max({domain('xen_domain_start_time_seconds')}) * 1000",
            ),
            number(
                "Restarts",
                "More than one in the time shown and not planned: read its console log.",
                COUNT,
                f"sum({increase(domain('xen_domain_restarts_total'))})",
                bad_from=2,
            ),
            number(
                "Vcpus",
                "Fewer than configured: some are offline.",
                COUNT,
                f"sum({domain('xen_domain_vcpus', kind='online')})",
            ),
            number(
                "Memory",
                "Below its target for long: runbook XenBalloonStuck.",
                BYTES,
                f"sum({domain('xen_domain_memory_current_bytes')})",
            ),
            number(
                "Device model",
                "Zero: qemu is gone, the guest is dead or deaf; runbook XenDeviceModelMissing.",
                YES_NO,
                f"min({domain('xen_domain_device_model_up')})",
            ),
        ],
        "State": [
            states("State", "Coloured is the state that held.", (domain("xen_domain_state"), "{{domain}} {{state}}")),
            table(
                "Identity",
                "The domid changes with each start; use the UUID elsewhere.",
                COUNT,
                (domain("xen_domain_info"), "there"),
            ),
            table(
                "Why it is in its state",
                "Xen's or libvirt's own word.",
                COUNT,
                (domain("xen_domain_state_reason"), "holds"),
            ),
            lines(
                "Jobs",
                "A save, migration or dump under way. More than an hour: runbook XenDomainJobLong.",
                SECONDS,
                (domain("xen_domain_job_elapsed_seconds"), "{{domain}} {{kind}}"),
            ),
            table(
                "Differs from its configuration",
                "1: the next start brings something else; `virsh dumpxml` beside `virsh dumpxml --inactive`.",
                COUNT,
                (domain("xen_domain_config_drift"), "differs"),
            ),
            lines(
                "Silence of the console",
                "Silence is usual; output that ends where the trouble began is not: read its console log.",
                SECONDS,
                (f"time() - {domain('xen_domain_console_last_output_timestamp_seconds')}", "{{domain}}"),
            ),
            table(
                "Lifecycle",
                "What libvirt told since the agent started; guests made by xl have none.",
                COUNT,
                (domain("xen_domain_lifecycle_events_total"), "times"),
            ),
        ],
        "Cpu": [
            lines(
                "Cpu time",
                "At the number of its vcpus it uses all it may.",
                COUNT,
                (domain("instance_domain:xen_domain_cpu_seconds:rate5m"), "{{domain}}"),
            ),
            lines(
                "By vcpu",
                "One at 1 and the others idle: a program with a single thread.",
                COUNT,
                (rate(domain("xen_domain_vcpu_seconds_total")), "{{domain}} {{vcpu}}"),
            ),
            lines(
                "Ready without a cpu",
                "Often 1: it waits for others; raise its weight or move it.",
                COUNT,
                (domain("xen_domain_vcpu_runnable"), "{{domain}} {{vcpu}}"),
                most=1,
            ),
            table(
                "Scheduling",
                "A cap limits it even while the host idles.",
                COUNT,
                (domain("xen_domain_sched_weight"), "weight"),
                (domain("xen_domain_sched_cap_ratio"), "cap"),
            ),
        ],
        "Memory": [
            lines(
                "Memory",
                "current away from target: the balloon does not follow.",
                BYTES,
                (domain("xen_domain_memory_current_bytes"), "{{domain}} current"),
                (domain("xen_domain_memory_target_bytes"), "{{domain}} target"),
                (domain("xen_domain_memory_maximum_bytes"), "{{domain}} maximum"),
            ),
            lines(
                "Free inside",
                "As the guest's agent says; steadily near zero it swaps.",
                BYTES,
                (domain("xen_domain_guest_memory_bytes"), "{{domain}} {{kind}}"),
            ),
            lines(
                "Device model's memory",
                "Growing for days: qemu leaks; migrate or restart the guest when it suits.",
                BYTES,
                (domain("xen_domain_device_model_resident_memory_bytes"), "{{domain}}"),
            ),
        ],
        "Disks": [
            lines(
                "Throughput",
                "Flat at a limit: the disk below is the limit; see Storage.",
                BYTE_RATE,
                (rate(domain("xen_domain_vbd_read_bytes_total")), "{{domain}} {{device}} read"),
                (rate(domain("xen_domain_vbd_written_bytes_total")), "{{domain}} {{device}} written"),
            ),
            lines(
                "Requests",
                "Zero while the guest says it waits: the disk is stuck.",
                EACH_SECOND,
                (rate(domain("xen_domain_vbd_read_requests_total")), "{{domain}} {{device}} read"),
                (rate(domain("xen_domain_vbd_write_requests_total")), "{{domain}} {{device}} write"),
                (rate(domain("xen_domain_vbd_flush_requests_total")), "{{domain}} {{device}} flush"),
            ),
            lines(
                "Out of requests",
                "Above 1 for long: runbook XenVbdOutOfRequests.",
                EACH_SECOND,
                (rate(domain("xen_domain_vbd_out_of_requests_total")), "{{domain}} {{device}}"),
            ),
            table("Disks", "What each disk stands on in dom0.", COUNT, (domain("xen_domain_vbd_info"), "there")),
            table(
                "Sizes",
                "A volume that was grown shows within a minute.",
                BYTES,
                (domain("xen_domain_vbd_capacity_bytes"), "bytes"),
            ),
            table(
                "Backing",
                "The volume behind each disk: search its name on Storage.",
                COUNT,
                (domain("xen_domain_vbd_backing_info"), "there"),
            ),
            table(
                "State of devices",
                "backend 4 is connected; anything else while the guest runs: runbook XenBackendNotConnected.",
                COUNT,
                (domain("xen_xenbus_backend_state"), "backend"),
                (domain("xen_xenbus_frontend_state"), "frontend"),
            ),
        ],
        "Network": [
            lines(
                "Throughput",
                "In the guest's view: receive is towards it.",
                BYTE_RATE,
                (rate(domain("xen_domain_vif_receive_bytes_total")), "{{domain}} {{vif}} receive"),
                (rate(domain("xen_domain_vif_transmit_bytes_total")), "{{domain}} {{vif}} transmit"),
            ),
            lines(
                "Dropped",
                "The guest does not take its packets: runbook XenVifDropsHigh.",
                EACH_SECOND,
                (domain("instance_domain_vif:xen_domain_vif_dropped:rate5m"), "{{domain}} {{vif}}"),
            ),
            lines(
                "On its bridge",
                "Zero: it is cut off; runbook XenVifNotOnBridge.",
                YES_NO,
                (domain("xen_domain_vif_bridge_attached"), "{{domain}} {{vif}}"),
                most=1,
            ),
            table(
                "Interfaces",
                "The name in dom0 changes with each start.",
                COUNT,
                (domain("xen_domain_vif_info"), "there"),
            ),
        ],
        "Crashes": [
            table(
                "Cores",
                "Keep the newest; each is as large as the guest.",
                BYTES,
                (domain("xen_crash_dump_bytes"), "bytes"),
            ),
            lines(
                "Time since the last core",
                "Short: it crashed just now; its console log says why.",
                SECONDS,
                (f"time() - {domain('xen_crash_dump_last_timestamp_seconds')}", "{{domain}}"),
            ),
        ],
    },
    by_domain=True,
)

"""How a thread steps back behind all others."""

import os
import threading


def yield_to_others() -> None:
    """This thread only: a hotplug script that waits for the CPU of a small dom0 fails after 40 s, and so its guest."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)

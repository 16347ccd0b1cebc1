"""The cores, and foreign load on them."""

import os
import platform
import time

from process import TICK_NS

PROXY_CORE = 0
LOAD_CORE = 1


def describe():
    model = "unknown"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    system = "Linux"
    with open("/etc/os-release", encoding="utf-8") as f:
        for line in f:
            if line.startswith("PRETTY_NAME="):
                system = line.split("=", 1)[1].strip().strip('"')
    return {"cpu": model, "cores": os.cpu_count(), "system": system,
            "kernel": platform.release(), "arch": platform.machine()}


def busy_ns(cores):
    """The busy time by /proc/stat, steal included. Idle time is exact in the
    kernel, other time is sampled: hence wall less idle."""
    idle = 0
    with open("/proc/stat", encoding="ascii") as f:
        for line in f:
            name, *fields = line.split()
            if name in {f"cpu{core}" for core in cores}:
                idle += (int(fields[3]) + int(fields[4])) * TICK_NS
    return time.monotonic_ns() * len(cores) - idle


class Watch:
    """How much of the cores' time went to none of the given processes."""

    def __init__(self, processes):
        self.cores = {PROXY_CORE, LOAD_CORE}
        self.processes = processes
        self.start = self.now()

    def now(self):
        own = sum(process.cpu_ns() for process in self.processes)
        own += time.process_time_ns()
        return busy_ns(self.cores), own, time.monotonic_ns()

    def foreign_share(self):
        """Of one core, 0 to 2."""
        busy, own, wall = (b - a for a, b in zip(self.start, self.now()))
        return max(0.0, (busy - own) / wall)

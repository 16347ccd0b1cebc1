"""A program on one core, and the figures of /proc for its process tree."""

import ctypes
import os
import resource
import signal
import subprocess
import time

TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
DEADLINE = 20
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class BenchError(Exception):
    """An error that ends the bench with one line."""


def wait_for(condition, what, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise BenchError(f"not within {deadline} s: {what}")
        time.sleep(0.005)


def cpu_clock_ns(pid):
    """The CPU time of all threads, ended ones too, to the nanosecond: the
    kernel's clock of the process, that of clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def stat_fields(pid):
    """Of /proc/PID/stat, from the third on: the second may have blanks."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        return f.read().rsplit(")", 1)[1].split()


def tree(pid):
    """The process and all descendants, the process first."""
    pids = [pid]
    for parent in pids:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children",
                          encoding="ascii") as f:
                    pids += [int(word) for word in f.read().split()]
        except OSError:
            pass  # the process has ended meanwhile
    return pids


class Process:
    """Started on a core, in a group of its own, with its output in a file."""

    def __init__(self, argv, core, log_path, env=None, stdin=None,
                 stdout=None, nice=0):
        def prepare():
            # However the bench ends, no process is left behind.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            os.sched_setaffinity(0, {core})
            os.nice(nice)
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

        self.log_path = log_path
        with open(log_path, "ab") as log:
            self.popen = subprocess.Popen(  # pylint: disable=R1732,W1509
                argv, stdin=stdin or subprocess.DEVNULL, stdout=stdout or log,
                stderr=log, env={**os.environ, **(env or {})},
                preexec_fn=prepare, start_new_session=True)
        self.pid = self.popen.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def check(self, what):
        if self.popen.poll() is not None:
            raise BenchError(f"{what} has ended:\n{self.log()}")

    def pids(self):
        return tree(self.pid)

    def cpu_ns(self):
        """User and system time of the whole tree. The time of an ended child is
        in its parent's account, in ticks."""
        total = 0
        for pid in self.pids():
            try:
                total += cpu_clock_ns(pid)
                fields = stat_fields(pid)
                total += (int(fields[13]) + int(fields[14])) * TICK_NS
            except (OSError, ProcessLookupError):
                pass
        return total

    def stat_cpu_ns(self):
        """The same from utime and stime, in ticks: a check of the above."""
        total = 0
        for pid in self.pids():
            try:
                total += sum(map(int, stat_fields(pid)[11:15])) * TICK_NS
            except OSError:
                pass
        return total

    def pss_bytes(self):
        """The tree's memory, with shared pages divided by their sharers."""
        total = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                    total += sum(int(line.split()[1]) * 1024 for line in f
                                 if line.startswith("Pss:"))
            except OSError:
                pass
        return total

    def stop(self, signum=signal.SIGTERM, deadline=10):
        """Ends the process; the rest of its group is killed."""
        if self.popen.poll() is None:
            self.popen.send_signal(signum)
            try:
                self.popen.wait(deadline)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()

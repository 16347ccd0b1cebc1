"""The surroundings of the proxies: the backend and Redis, on the other core;
and a measurement of a proxy."""

import os
import shutil
import tempfile

import workload
from contender import Site, accepts, find, free_port
from load import Load, merge
from machine import LOAD_CORE, Watch
from process import BenchError, Process, wait_for

ENDPOINTS_MAX = 1000
WARM_UP = 0.1
WARM_UP_SLOW = 0.6  # a just-in-time compiler's


class Rig:
    def __init__(self, tools):
        self.tools = tools
        self.place = tempfile.mkdtemp(prefix="drover-bench-")
        self.backend_port, self.redis_port = free_port(), free_port()
        self.processes = []
        try:
            self.start("backend", [
                os.path.join(tools, "backend"),
                f"127.0.0.1:{self.backend_port}", str(ENDPOINTS_MAX)],
                self.backend_port)
            # Redis has no core of its own here: its work, ten times a second,
            # must not hold up the load generator.
            self.start("redis", [
                find("redis-server"), "--port", str(self.redis_port),
                "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", self.place], self.redis_port, nice=19)
        except BaseException:
            self.stop()
            raise

    def start(self, name, argv, port, nice=0):
        process = Process(argv, LOAD_CORE, os.path.join(self.place, name),
                          nice=nice)
        self.processes.append(process)

        def is_up():
            process.check(name)
            return accepts(port)

        wait_for(is_up, f"{name} listens")

    def stop(self):
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.place, ignore_errors=True)

    def site(self, load):
        return Site(self.backend_port, self.redis_port,
                    busy=load.busy or load.connections, is_big=load.is_big,
                    **load.site)

    def load(self, contender, load, options=None):
        return Load(self.tools, contender.port,
                    options or load.load_options(),
                    os.path.join(self.place, "load"))

    def measure(self, contender, load, seconds):
        """A sample of a workload: a dict of figures."""
        contender.start(self.site(load))
        try:
            if load.kind == workload.MEMORY:
                return self.measure_memory(contender, load)
            return self.measure_time(contender, load, seconds)
        finally:
            contender.stop()

    def measure_time(self, contender, load, seconds):
        generator = self.load(contender, load)
        try:
            generator.run(WARM_UP_SLOW if contender.is_slow else WARM_UP)
            own = [*self.processes, generator.process]
            proxy = contender.process
            if proxy:
                own.append(proxy)
            watch = Watch(own)
            cpu_ns, stat_ns = cpu_of(proxy)
            done = merge([
                generator.run(max(seconds, load.seconds) / load.runs)
                for _ in range(load.runs)])
            foreign = watch.foreign_share()
            cpu_ns, stat_ns = (b - a for a, b in zip((cpu_ns, stat_ns),
                                                     cpu_of(proxy)))
            sample = {**done, "foreign": foreign}
            if proxy:
                sample["pss_bytes"] = proxy.pss_bytes()
                sample["cpu_ns"] = cpu_ns
                sample["stat_ns"] = stat_ns
                if done["completed"] > 0:
                    sample["cpu_us"] = cpu_ns / 1e3 / done["completed"]
            return sample
        finally:
            generator.close()

    def measure_memory(self, contender, load):
        # A proxy listens before all of its tables are made, and the first
        # request makes the rest.
        self.load(contender, load, ["-c", "1"]).close()
        before = contender.process.pss_bytes()
        generator = self.load(contender, load)
        try:
            after = contender.process.pss_bytes()
            return {"errors": 0, "foreign": 0, "pss_bytes": after,
                    "pss_per_connection":
                    (after - before) / load.connections}
        finally:
            generator.close()


def cpu_of(process):
    if process is None:
        return 0, 0
    return process.cpu_ns(), process.stat_cpu_ns()


def check_environment():
    """The bench's needs of the machine."""
    if os.cpu_count() < 2 or not {0, 1} <= os.sched_getaffinity(0):
        raise BenchError("two cores are needed, 0 and 1")

"""The load generator, as the bench drives it."""

import json
import os
import select
import statistics
import subprocess
from collections import Counter

from machine import LOAD_CORE
from process import BenchError, Process

OPEN_DEADLINE = 60  # for all connections, with an answer each


def merge(runs):
    """A sample from several runs. A pause of the machine delays the requests of
    a run and says nothing of the proxy: medians hide a pause unless most of the
    runs had one."""
    if len(runs) == 1:
        return runs[0]
    one = {key: sum(run[key] for run in runs)
           for key in ("completed", "errors", "unsent", "reopened", "seconds")}
    one["kinds"] = sum((Counter(run["kinds"]) for run in runs), Counter())
    one["rate"] = one["completed"] / one["seconds"]
    for key in ("p50_us", "p99_us"):
        one[key] = statistics.median(run[key] for run in runs)
    one["max_us"] = max(run["max_us"] for run in runs)
    return one


class Load:
    """Its connections open with the object; each run() is a measurement."""

    def __init__(self, tools, port, options, log_path):
        with open(log_path, "wb"):
            pass  # the present content is about this run
        self.process = Process(
            [os.path.join(tools, "load"), *options, "--wait",
             f"127.0.0.1:{port}"], LOAD_CORE, log_path,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.line(OPEN_DEADLINE)
        if line != "ready":
            self.close()
            raise BenchError(f"load: {line} {self.process.log()}".strip())

    def line(self, deadline):
        out = self.process.popen.stdout
        if not select.select([out], [], [], deadline)[0]:
            self.close()
            raise BenchError(f"load: nothing within {deadline} s")
        return out.readline().decode().strip()

    def order(self, text, deadline):
        self.process.popen.stdin.write(text.encode() + b"\n")
        self.process.popen.stdin.flush()
        line = self.line(deadline)
        if not line.startswith("{"):
            self.close()
            raise BenchError(f"load: {line} {self.process.log()}".strip())
        return json.loads(line)

    def run(self, seconds):
        return self.order(f"run {seconds:.3f}", seconds + 30)

    def count(self, requests, deadline=60):
        return self.order(f"count {requests}", deadline)

    def close(self):
        self.process.popen.stdin.close()
        try:
            self.process.popen.wait(10)
        except subprocess.TimeoutExpired:
            pass
        self.process.stop()
        self.process.popen.stdout.close()

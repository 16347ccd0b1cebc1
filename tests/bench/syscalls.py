"""System calls per request, from strace -c on a short run of its own."""

import os
import re
import signal

from contender import find
from machine import PROXY_CORE
from process import BenchError, Process, wait_for

# "100.00    0.012   3   4000   12 total", with and without the errors' column
TOTAL = re.compile(r"^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total",
                   re.M)
LINE = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$",
                  re.M)


def measure(rig, contender, load):
    """{"total": calls per request, "calls": {name: per request}}"""
    contender.start(rig.site(load))
    try:
        generator = rig.load(contender, load)
        try:
            generator.run(0.05)
            return trace(rig, contender, generator, load.traced)
        finally:
            generator.close()
    finally:
        contender.stop()


def trace(rig, contender, generator, requests):
    table = os.path.join(rig.place, "strace.table")
    log = os.path.join(rig.place, "strace.log")
    for path in (table, log):
        if os.path.exists(path):
            os.unlink(path)
    pids = contender.process.pids()
    argv = [find("strace"), "-c", "-f", "-o", table]
    for pid in pids:
        argv += ["-p", str(pid)]
    tracer = Process(argv, PROXY_CORE, log)
    try:
        def attached():
            tracer.check("strace")
            return all(is_traced(pid) for pid in pids)

        wait_for(attached, "strace is attached")
        done = generator.count(requests)
    finally:
        if tracer.popen.poll() is None:
            tracer.popen.send_signal(signal.SIGINT)
            tracer.popen.wait(10)
        tracer.stop()
    if done["errors"] or not done["completed"]:
        raise BenchError(f"under strace: {done['errors']} errors")
    with open(table, encoding="utf-8") as f:
        return parse(f.read(), done["completed"])


def is_traced(pid):
    """Whether all threads of the process are traced."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii",
                  errors="replace") as f:
            if "TracerPid:\t0\n" in f.read():
                return False
    return True


def parse(text, requests):
    total = TOTAL.search(text)
    if not total:
        raise BenchError(f"strace counted nothing: {text[:200]}")
    calls = {name: int(count) / requests
             for count, name in LINE.findall(text) if name != "total"}
    return {"total": int(total[1]) / requests, "calls": calls}

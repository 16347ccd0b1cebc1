"""bench - Drover's price beside that of other proxies, side by side.

Starts one proxy at a time on core 0; the load generator, the backend and Redis
are on core 1. docs/performance.md says how to read what it prints.
"""

import argparse
import json
import os
import signal
import sys
import time

import machine
import report
import rig
import rounds
import workload
from contender import Against, Direct, RelayL4, RelayL7
from drover import Drover
from haproxy import Haproxy, HaproxySplice
from nginx import Nginx
from node import HttpProxy, Undici
from process import BenchError

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.join(ROOT, "build")
TOOLS = os.path.join(BUILD, "bench")


def parse(argv):
    p = argparse.ArgumentParser(
        prog="bench", description="Measures CPU time per request, rate, "
        "latency and memory of Drover and of other proxies.")
    p.add_argument("--quick", action="store_true",
                   help="less of everything: done within 2 minutes")
    p.add_argument("--only", metavar="WORKLOAD,...",
                   help=", ".join(w.name for w in workload.WORKLOADS))
    p.add_argument("--proxies", metavar="NAME,...",
                   help="only these, such as drover,nginx,relay_l7")
    p.add_argument("--rounds", type=int, help="5, with --quick 3")
    p.add_argument("--seconds", type=float,
                   help="of a sample: 0.5, with --quick 0.25")
    p.add_argument("--against", metavar="CMD",
                   help="one more proxy; {port} and {backend} are replaced")
    p.add_argument("--foreign", type=float, default=0.08, metavar="SHARE",
                   help="of a core that others may have during a sample "
                   "before it is taken again (%(default)s)")
    p.add_argument("--drover", default=os.path.join(BUILD, "drover"),
                   metavar="FILE", help="the program (build/drover)")
    return p.parse_args(argv)


def contenders(options):
    found = [Direct(), Drover(options.drover), Nginx(), Haproxy(),
             HaproxySplice(), RelayL4(TOOLS), RelayL7(TOOLS), HttpProxy(),
             Undici()]
    if options.against:
        found.append(Against(options.against))
    if options.proxies:
        names = options.proxies.split(",")
        unknown = set(names) - {one.name for one in found}
        if unknown:
            raise BenchError(f"no proxy {', '.join(sorted(unknown))}; there "
                             f"are {', '.join(one.name for one in found)}")
        found = [one for one in found
                 if one.name in names or one.name == "against"]
    for one in found:
        one.available()
    return found


def workloads(options):
    if options.only:
        try:
            return workload.find(options.only.split(","))
        except ValueError as e:
            raise BenchError(str(e)) from None
    return [w for w in workload.WORKLOADS if w.quick or not options.quick]


def taking_part(load, everybody):
    return [one for one in everybody if one.name in load.contenders() or
            (one.name == "against" and not load.site)]


def main(argv):
    options = parse(argv)
    rig.check_environment()
    everybody = contenders(options)
    loads = workloads(options)
    begin = time.monotonic()
    plan = rounds.Plan(
        rounds=options.rounds or (3 if options.quick else 5),
        seconds=options.seconds or (0.25 if options.quick else 0.5),
        foreign_max=options.foreign,
        ends_at=begin + (100 if options.quick else 840))
    os.sched_setaffinity(0, {machine.LOAD_CORE})
    titles = {one.name: one.title for one in everybody}
    results = {"date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
               "machine": machine.describe(),
               "versions": {one.name: one.version() for one in everybody},
               "rounds": plan.rounds, "seconds": plan.seconds,
               "workloads": {}}
    stand = rig.Rig(TOOLS)
    try:
        for load in loads:
            outcome = rounds.run(stand, taking_part(load, everybody), load,
                                 plan)
            print(report.table(load, outcome, titles), "\n", flush=True)
            results["workloads"][load.name] = outcome.to_json()
    finally:
        stand.stop()
    results["took_seconds"] = time.monotonic() - begin
    path = os.path.join(TOOLS, "results.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(results, f, indent=1)
    print(f"{os.path.relpath(path)}: all samples, after "
          f"{results['took_seconds']:.0f} s")


def on_signal(_signum, _frame):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, on_signal)
    try:
        main(sys.argv[1:])
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit("bench: interrupted")

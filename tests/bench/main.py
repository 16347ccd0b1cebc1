"""bench - Drover's price beside that of other proxies, side by side.

Starts one proxy at a time on core 0; the load generator, the backend and Redis
are on core 1. docs/performance.md says how to read what it prints.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

import chart
import instructions
import machine
import report
import rig
import rounds
import summary
import syscalls
import workload
from contender import Against, Direct, RelayL4, RelayL7
from drover import Drover
from haproxy import Haproxy, HaproxySplice
from nginx import Nginx
from node import HttpProxy, Undici
from process import BenchError

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


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
                   help="of a sample: 0.4, with --quick 0.25")
    p.add_argument("--against", metavar="CMD",
                   help="one more proxy; {port} and {backend} are replaced")
    p.add_argument("--foreign", type=float, default=0.2, metavar="SHARE",
                   help="of a core that others may have during a sample "
                   "before it is taken again (%(default)s)")
    p.add_argument("--build", default=os.path.join(ROOT, "build"),
                   metavar="FOLDER", help="where bench/ with the tools is, "
                   "and release/drover (build)")
    p.add_argument("--drover", metavar="PROGRAM",
                   help="another one than the build's release/drover")
    p.add_argument("--out", metavar="FOLDER",
                   help="for the results (bench/ in the build's folder)")
    options = p.parse_args(argv)
    options.tools = os.path.join(options.build, "bench")
    options.drover = options.drover or os.path.join(
        options.build, "release", "drover")
    options.out = options.out or options.tools
    # Now: not when all has been measured.
    os.makedirs(options.out, exist_ok=True)
    return options


def contenders(options):
    found = [Direct(), Drover(options.drover), Nginx(), Haproxy(),
             HaproxySplice(), RelayL4(options.tools), RelayL7(options.tools),
             HttpProxy(), Undici()]
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
    return [one for one in found if is_available(one, options)]


def is_available(one, options):
    """Node's proxies may be missing, for npm needs a registry; but not when
    they were asked for."""
    try:
        one.available()
    except BenchError as e:
        if not one.is_slow or options.proxies:
            raise
        print(f"bench: without {one.title}: {e}", file=sys.stderr)
        return False
    return True


def workloads(options):
    if options.only:
        try:
            return workload.find(options.only.split(","))
        except ValueError as e:
            raise BenchError(str(e)) from None
    return [w for w in workload.WORKLOADS if w.quick or not options.quick]


def taking_part(load, everybody, is_quick):
    """An unknown proxy has neither routes nor logs of ours; the memory of
    Node's does not make a quick run."""
    return [one for one in everybody if
            (one.name in load.contenders() or
             (one.name == "against" and not load.site)) and
            not (is_quick and one.is_slow and load.kind == workload.MEMORY)]


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always",
                           "--dirty"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def measure(stand, loads, everybody, plan, titles):
    """The rounds, and a table for each workload."""
    found = rounds.run(stand, [
        (load, taking_part(load, everybody, plan.is_quick))
        for load in loads], plan)
    for load, outcome in zip(loads, found):
        print("\n" + report.table(load, outcome, titles), flush=True)
    print()
    return {load.name: outcome for load, outcome in zip(loads, found)}


def count(stand, loads, everybody, outcomes, module, ends_at):
    """{workload: {contender: count of the module}}, of short runs."""
    counts = {}
    for load in loads:
        found = counts[load.name] = {}
        for one in taking_part(load, everybody, False):
            # A just-in-time compiler behaves differently under callgrind.
            if (one.name == "direct" or time.monotonic() > ends_at or
                    not outcomes[load.name].samples.get(one.name) or
                    (module is instructions and one.is_slow)):
                continue
            try:
                found[one.name] = module.measure(stand, one, load)
            except BenchError as e:
                print(f"  {one.title}, {load.title}: {e}", flush=True)
    return counts


def check_clocks(outcomes):
    """How the two accounts of CPU time agree over the whole run."""
    samples = [sample for outcome in outcomes.values()
               for of in outcome.samples.values() for sample in of
               if "cpu_ns" in sample]
    clock, ticks = (sum(sample[key] for sample in samples)
                    for key in ("cpu_ns", "stat_ns"))
    return {"cpu_clock_seconds": clock / 1e9,
            "utime_stime_seconds": ticks / 1e9}


def write(results, outcomes, titles, folder):
    results["workloads"] = {name: outcome.to_json()
                            for name, outcome in outcomes.items()}
    paths = [os.path.join(folder, name)
             for name in ("results.json", "table.md")]
    with open(paths[0], "w", encoding="utf-8") as f:
        json.dump(results, f, indent=1)
    text = summary.document(results, outcomes, titles)
    with open(paths[1], "w", encoding="utf-8") as f:
        f.write(text)
    print(text)
    try:
        paths.append(chart.draw(outcomes, titles, folder))
    except BenchError as e:
        print(f"No chart: {e}")
    clocks = results["clocks"]
    print(f"CPU clocks {clocks['cpu_clock_seconds']:.2f} s, utime + stime "
          f"{clocks['utime_stime_seconds']:.2f} s. "
          f"All of it took {results['took_seconds']:.0f} s, the rounds "
          f"{results['rounds_took_seconds']:.0f} s of them:")
    print("\n".join(os.path.relpath(path) for path in paths if path))


def main(argv):
    options = parse(argv)
    rig.check_environment()
    everybody = contenders(options)
    loads = workloads(options)
    begin = time.monotonic()
    rounds_end, all_ends = (95, 115) if options.quick else (790, 870)
    plan = rounds.Plan(
        rounds=options.rounds or (3 if options.quick else 5),
        seconds=options.seconds or (0.25 if options.quick else 0.4),
        foreign_max=options.foreign,
        repeats=3 if options.quick else 8, is_quick=options.quick,
        ends_at=begin + rounds_end)
    os.sched_setaffinity(0, {machine.LOAD_CORE})
    titles = {one.name: one.title for one in everybody}
    results = {"date": time.strftime("%Y-%m-%d"), "commit": commit(),
               "machine": machine.describe(),
               "versions": {one.name: one.version() for one in everybody},
               "rounds": plan.rounds, "seconds": plan.seconds}
    stand = rig.Rig(options.tools)
    try:
        outcomes = measure(stand, loads, everybody, plan, titles)
        rounds_took = time.monotonic() - begin
        traced = [load for load in loads if load.traced]
        results["syscalls"] = count(
            stand, traced[:1] if options.quick else traced, everybody,
            outcomes, syscalls, begin + all_ends)
        results["instructions"] = {} if options.quick else count(
            stand, [load for load in loads if load.profiled], everybody,
            outcomes, instructions, begin + all_ends)
    finally:
        stand.stop()
    results["clocks"] = check_clocks(outcomes)
    results["took_seconds"] = time.monotonic() - begin
    results["rounds_took_seconds"] = rounds_took
    write(results, outcomes, titles, options.out)


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

"""mutate - changes that no test notices; scripts/mutate has the usage."""

import argparse
import itertools
import os
import pathlib
import signal
import sys

import children
import mutants
from failure import Failure
from probe import Probe
from sources import Tree

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse(argv):
    p = argparse.ArgumentParser(prog="mutate", description="Makes small "
                                "changes, one at a time in a copy, and says "
                                "which of them no test notices.")
    p.add_argument("seed", type=int, help="the same draws the same changes")
    p.add_argument("count", type=int, help="how many that compile")
    p.add_argument("--seconds", type=float, default=180,
                   help="of tests for each (%(default)s)")
    p.add_argument("-j", "--jobs", type=int, default=os.cpu_count(),
                   help="at a time, in builds and tests (%(default)s)")
    p.add_argument("--within", default="", metavar="PATH[:LINE]",
                   help="only changes below it")
    p.add_argument("--list", action="store_true",
                   help="only show them, without a build")
    p.add_argument("--root", type=pathlib.Path, default=ROOT,
                   metavar="FOLDER", help="another checkout than this one")
    return p.parse_args(argv)


def show(mutant, text, verdict):
    print(f"{verdict:10} {mutant.path}:{mutant.line}: {mutant.kind} in "
          f"{mutant.function}()", end="")
    return "".join(f"    {line}\n" for line in mutants.diff(mutant, text))


def judge(tree, drawn, options):
    """Tests mutants until enough compile. Their Results."""
    probe = Probe(tree, options.jobs)
    results = []
    try:
        probe.prepare()
        for mutant in drawn:
            if len(results) == options.count:
                break
            text = tree.read(mutant.path)
            result = probe.test(mutant, mutants.applied(mutant, text),
                                options.seconds)
            if result.verdict == "NOT_BUILT":
                continue
            results.append(result)
            change = show(mutant, text, result.verdict)
            print(f", {result.seconds:.0f} s" +
                  (f", by {result.test}" if result.test else ""))
            if not result.test:
                print(change, end="")
            sys.stdout.flush()
        for name in [*probe.broken_units, *probe.broken]:
            print(f"fails without a change, so it was not asked: {name}")
    finally:
        probe.close()
    return results


def main(argv):
    options = parse(argv)
    tree = Tree(options.root.resolve())
    drawn = mutants.draw(tree, options.seed, options.within)
    if options.list:
        for mutant in itertools.islice(drawn, options.count):
            text = tree.read(mutant.path)
            print("\n" + show(mutant, text, "-"), end="")
        return 0
    children.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        results = judge(tree, drawn, options)
    except Failure as failure:
        print(f"mutate: {failure}", file=sys.stderr)
        return 2
    counts = {verdict: sum(result.verdict == verdict for result in results)
              for verdict in ("KILLED", "SURVIVED", "UNFINISHED")}
    print(f"{counts['KILLED']} of {len(results)} killed "
          f"({100 * counts['KILLED'] / max(len(results), 1):.0f} %), "
          f"{counts['SURVIVED']} survived, "
          f"{counts['UNFINISHED']} survived what there was time for")
    return 0


sys.exit(main(sys.argv[1:]))

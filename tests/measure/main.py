"""measure - repeatable figures about code; scripts/measure has the usage."""

import argparse
import pathlib
import sys

import borders
import circles
import prose
import size
from failure import Failure
from sources import Tree

REPORTS = {"circles": circles.report, "size": size.report,
           "prose": prose.report, "borders": borders.report}


def parse(argv):
    p = argparse.ArgumentParser(prog="measure", description="Prints figures "
                                "about the code; all of them by default.")
    p.add_argument("what", nargs="*", metavar="FIGURE",
                   help=", ".join(REPORTS))
    p.add_argument("--all", action="store_true", help="each arrow of a circle, "
                   "each pair of nouns that a request crosses between")
    p.add_argument("--worst", type=int, default=0, metavar="N",
                   help="the N files whose comments have most pointers")
    p.add_argument("--root", type=pathlib.Path, metavar="FOLDER",
                   default=pathlib.Path(__file__).resolve().parents[2],
                   help="another checkout than this one")
    p.add_argument("--build", type=pathlib.Path, metavar="FOLDER",
                   help="where obj/ is (build)")
    p.add_argument("--functions", type=int, default=3, metavar="N",
                   help="long functions that are allowed (%(default)s)")
    p.add_argument("--borders", type=int, default=70, metavar="N",
                   help="borders that are allowed (%(default)s)")
    options = p.parse_args(argv)
    for name in options.what:
        if name not in REPORTS:
            p.error(f"no such figure: {name}")
    return options


def main(argv):
    options = parse(argv)
    tree = Tree(options.root.resolve())
    status = 0
    try:
        for name in options.what or REPORTS:
            status = max(status, REPORTS[name](tree, options))
            sys.stdout.flush()
    except Failure as failure:
        print(f"measure: {failure}", file=sys.stderr)
        return 2
    return status


sys.exit(main(sys.argv[1:]))

"""Instructions per request in user space, from callgrind.

Two runs differ only in the number of requests: their common part, the start
and the end, drops out of the difference.
"""

import glob
import os
import re

from contender import find
from process import BenchError

FEW = 300
MANY = 1800
DEADLINE = 60
TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.M)


def run(rig, contender, load, requests):
    """All instructions of all of the proxy's processes."""
    pattern = os.path.join(rig.place, "callgrind.")
    for path in glob.glob(pattern + "*"):
        os.unlink(path)
    contender.start(rig.site(load), wrapper=[
        find("valgrind"), "--tool=callgrind", "--quiet",
        f"--callgrind-out-file={pattern}%p"], deadline=DEADLINE)
    try:
        generator = rig.load(contender, load)
        try:
            done = generator.count(requests, DEADLINE)
        finally:
            generator.close()
    finally:
        contender.stop()
    if done["errors"]:
        raise BenchError(f"under callgrind: {done['errors']} errors")
    total = 0
    for path in glob.glob(pattern + "*"):
        with open(path, encoding="utf-8", errors="replace") as f:
            total += max(map(int, TOTALS.findall(f.read())), default=0)
    if total == 0:
        raise BenchError("callgrind wrote nothing")
    return total


def measure(rig, contender, load):
    few, many = (run(rig, contender, load, count) for count in (FEW, MANY))
    return (many - few) / (MANY - FEW)

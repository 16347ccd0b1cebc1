"""Circles between files: by includes, and by calls between the C files of a
folder.

A header and the C file with its name count as a single file: the C file keeps
the header's contract. Calls come from the objects' symbol tables, hence are
exact. Across folders the include paths are the wall, and a hook defined above
its caller is intended.
"""

import collections
import re
import subprocess

import sources
from failure import Failure

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def name_of(path):
    """A header's and its C file's common name, such as worker/pool."""
    return str(path.with_suffix(""))


def includes(tree):
    """(from, to, why) of each include."""
    paths = tree.paths(".c", ".h")
    by_name = {path.name: path for path in paths}
    for path in paths:
        for included in INCLUDE.findall(sources.code(tree.read(path), True)):
            if included in by_name:
                yield (name_of(path), name_of(by_name[included]),
                       f'#include "{included}"')


def symbols(tree, path, build):
    """(defined, undefined) names of the object of a C file."""
    obj = build / "obj" / path.with_suffix(".o")
    try:
        is_old = obj.stat().st_mtime < (tree.root / path).stat().st_mtime
    except FileNotFoundError:
        is_old = True
    if is_old:
        raise Failure(f"{obj} is missing or older than {path}: make builds it")
    listing = subprocess.run(["nm", "-g", "-P", obj], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    kinds = [line.split()[:2] for line in listing.splitlines()]
    return ({name for name, kind in kinds if kind not in "Uwv"},
            {name for name, kind in kinds if kind in "Uwv"})


def calls(tree, build):
    """(from, to, symbol) of each use of a symbol within a folder."""
    of_folder = collections.defaultdict(dict)
    for path in tree.paths(".c"):
        of_folder[path.parent][path] = symbols(tree, path, build)
    for tables in of_folder.values():
        home = {name: path for path, (defined, _) in tables.items()
                for name in defined}
        for path, (_, undefined) in tables.items():
            for name in sorted(undefined & home.keys()):
                yield name_of(path), name_of(home[name]), name


def graph(tree, build):
    """{from: {to: why}}; a call replaces the include for the call."""
    arrows = collections.defaultdict(dict)
    for start, end, why in [*includes(tree), *calls(tree, build)]:
        if start != end:
            arrows[start][end] = why
    return arrows


def reachable(arrows, start):
    seen, todo = set(), [start]
    while todo:
        for end in arrows.get(todo.pop(), {}):
            if end not in seen:
                seen.add(end)
                todo.append(end)
    return seen


def groups(arrows):
    """The sets of mutually reachable files, the largest first."""
    reach = {start: reachable(arrows, start) for start in list(arrows)}
    found = {frozenset(end for end in reach[start]
                       if start in reach.get(end, ()))
             for start in reach if start in reach[start]}
    return sorted(found, key=lambda group: (-len(group), sorted(group)))


def shortest(arrows, group):
    """The shortest way from a file of the group back to the same file."""
    best = None
    for start in sorted(group):
        ways = collections.deque([[start]])
        seen = set()
        while ways:
            way = ways.popleft()
            if best is not None and len(way) + 1 >= len(best):
                break
            for end in sorted(arrows.get(way[-1], {})):
                if end == start:
                    best = [*way, start]
                    ways.clear()
                    break
                if end in group and end not in seen:
                    seen.add(end)
                    ways.append([*way, end])
    return best


def report(tree, options):
    """Prints each circle as a chain. 1 with any circle."""
    arrows = graph(tree, options.build or tree.root / "build")
    found = groups(arrows)
    for group in found:
        inside = [(start, end) for start in sorted(group)
                  for end in sorted(arrows[start]) if end in group]
        print(f"circle of {len(group)} files, {len(inside)} arrows: "
              f"{' '.join(sorted(group))}")
        way = shortest(arrows, group)
        print("  " + "".join(f"{start} -> {arrows[start][end]} -> "
                             for start, end in zip(way, way[1:])) + way[-1])
        if options.all:
            for start, end in inside:
                print(f"    {start} -> {arrows[start][end]} -> {end}")
    print(f"circles: {len(found)}")
    return 1 if found else 0

"""A copy of the checkout in which mutants are built and tested.

All unit tests come first. The functional tests follow, sorted by words of the
mutant: the noun of the file, the function, and the words of the line. A word is
worth more the fewer test files have the word.
"""

import collections
import concurrent.futures
import math
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import children
from failure import Failure

UNIT_SECONDS = 30
BUILD_SECONDS = 300
ONE_TEST_SECONDS = 120
# Tests of tools, and tests of a minute.
NOT_RUN = re.compile(r"test_(?:bench|bench_rounds|run|train|install|measure|"
                     r"mutate|load|big_stream|chaos)\.py")
WORD = re.compile(r"[a-z]{4,}")
COMMON = frozenset("""
    bool char const else false from goto long null return size sizeof static
    struct this true uint unsigned void while with
    """.split())
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.M)

# verdict: KILLED, SURVIVED, UNFINISHED (the time was up) or NOT_BUILT.
Result = collections.namedtuple("Result", "verdict test seconds")


def words(text):
    """Stems of the words, in names too. Plurals count as singulars."""
    return collections.Counter(
        word.removesuffix("s") for word in WORD.findall(text.lower())
        if word not in COMMON)


class Probe:
    def __init__(self, tree, jobs):
        self.tree = tree
        self.jobs = jobs
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="drover-mutate-"))
        # Tests that fail without any change are skipped.
        self.broken_units = set()
        self.broken = []
        self.copy()
        # No optimiser and no warnings, for fast builds.
        self.make = ["make", "-s", f"-j{jobs}", "LTO=", "OPTIMIZE=-O1"]
        self.env = {**os.environ, "CFLAGS": "-w", "PYTHONDONTWRITEBYTECODE": "1",
                    "DROVER": str(self.root / "build" / "drover")}
        self.env.pop("MAKEFLAGS", None)
        # A folder of the build, where tests find the tools.
        self.unchanged = self.root / "build" / "release" / "drover"

    def close(self):
        children.end_all()
        shutil.rmtree(self.root, ignore_errors=True)

    def copy(self):
        """Copies the tracked and addable files in their present state."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], check=True, text=True, cwd=self.tree.root,
            stdout=subprocess.PIPE).stdout
        for name in listed.split("\0"):
            source = self.tree.root / name
            if name and source.is_file():
                target = self.root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def run(self, argv, seconds, **env):
        return children.run(argv, seconds, cwd=self.root,
                            env={**self.env, **env})

    def build(self, *targets):
        return self.run([*self.make, *targets], BUILD_SECONDS)

    # ---- tests ----

    def unit_tests(self):
        return [path for path in (self.root / "build/unit").rglob("test_*")
                if os.access(path, os.X_OK) and path.is_file() and
                path.name not in self.broken_units]

    def unit(self, first=()):
        """The names of failing unit tests: the first failure, or all without a
        mutant. Tests with a word of `first` in the name begin."""
        tests = sorted(self.unit_tests(), key=lambda test: (
            -sum(words(test.name)[word] for word in first), test.name))
        failed = []
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            running = {pool.submit(self.run, [test], UNIT_SECONDS): test
                       for test in tests}
            for done in concurrent.futures.as_completed(running):
                if done.result()[0] != 0:
                    failed.append(running[done].name)
                    if first:
                        pool.shutdown(cancel_futures=True)
                        break
        return failed

    def functional_files(self, wanted):
        """The test files, sorted by worth for the wanted words."""
        found = {}
        folder = self.root / "tests" / "functional"
        for path in sorted(folder.rglob("test_*.py")):
            if not NOT_RUN.fullmatch(path.name):
                count = words(path.read_text(encoding="utf-8"))
                count.update({word: 10 for word in words(path.stem)})
                found[path] = count
        holders = collections.Counter(
            word for count in found.values() for word in count)

        def worth(path):
            count = found[path]
            return sum(times * math.log(1 + count[word]) *
                       math.log(1 + len(found) / holders[word])
                       for word, times in wanted.items() if count[word])

        return sorted(found, key=lambda path: (-worth(path), path))

    def pytest(self, tests, seconds, *options, **env):
        """(whether time was left, names of failing tests)"""
        status, output = self.run(
            ["/usr/bin/python3", "-m", "pytest", "-q", "-rfE", "-p",
             "no:cacheprovider", "-m", "not alone", *options, *tests],
            seconds, **env)
        children.end_all()
        if status not in (None, 0, 1, 2, 5):
            raise Failure(f"pytest does not run:\n{output}")
        return status is not None, FAILED.findall(output)

    # ---- with and without a mutant ----

    def prepare(self):
        """Builds without a mutant, and tries the unit tests."""
        status, output = self.build("all", "unit", "bench-tools")
        if status != 0:
            raise Failure(f"the checkout does not build:\n{output}")
        self.unchanged.parent.mkdir()
        shutil.copy2(self.env["DROVER"], self.unchanged)
        self.broken_units = set(self.unit())

    def is_killed_by(self, name):
        """Whether the test also fails alone, and passes without the mutant. A
        busy machine may fail a test once."""
        if not self.pytest([name], ONE_TEST_SECONDS)[1]:
            return False
        if not self.pytest([name], ONE_TEST_SECONDS,
                           DROVER=str(self.unchanged))[1]:
            return True
        self.broken.append(name)
        return False

    def functional(self, mutant, text, end):
        """(name of a test that notices the mutant, or None; whether time was
        left for all tests)"""
        line = text.splitlines()[mutant.line - 1]
        files = self.functional_files(
            words(f"{mutant.path.stem} " * 3 + f"{mutant.function} " * 2 +
                  line))
        passed = []
        while True:
            options = [f"--deselect={name}" for name in self.broken + passed]
            has_time, failed = self.pytest(
                files, end - time.monotonic(), "-x", "-n", str(self.jobs),
                *options)
            if not failed:
                return None, has_time
            if self.is_killed_by(failed[0]):
                return failed[0], True
            passed.append(failed[0])

    def test(self, mutant, changed, seconds):
        """The Result of a mutant; changed is the mutated text of the file."""
        path = self.root / mutant.path
        text = path.read_text(encoding="utf-8")
        start = time.monotonic()

        def result(verdict, test=None):
            return Result(verdict, test, time.monotonic() - start)

        path.write_text(changed, encoding="utf-8")
        try:
            status, _ = self.build("all", "unit")
            if status != 0:
                return result("NOT_BUILT")
            failed = self.unit(words(f"{mutant.path.stem} {mutant.function}"))
            if failed:
                return result("KILLED", failed[0])
            failed, has_time = self.functional(mutant, text, start + seconds)
            if failed:
                return result("KILLED", failed)
            return result("SURVIVED" if has_time else "UNFINISHED")
        finally:
            children.end_all()
            path.write_text(text, encoding="utf-8")

"""Goal: scripts/mutate draws the same small changes by the same seed, each in
code that decides something."""

import pathlib
import re
import subprocess

import pytest

ROOT = next(folder for folder in pathlib.Path(__file__).resolve().parents
            if (folder / "Makefile").exists())
MUTATE = ROOT / "scripts" / "mutate"

SOURCE = """\
#include "check.h"

#define LIMIT 7

/* if (one < 2) is a comment. */
int
decide(int one, char *text)
{
	char quiet[9];

	CHECK(one > 0);
	if (!CONFINED(one > 1))
		return one;
	log_debug("one is %d of %d", one,
	    5);
	if (one == 1)
		log_warn("only told: %d", 3);
	free(text);
	act(quiet, "if (one < 2)");
	if (one < 4)
		return true;
	return one;
}
"""
DRAWN = {
    "-\tact(quiet, \"if (one < 2)\");\n+\t;",
    "-\tif (one < 4)\n+\tif (one <= 4)",
    "-\tif (one < 4)\n+\tif (one < 5)",
    "-\tif (one < 4)\n+\tif (one < 3)",
    "-\tif (one < 4)\n+\tif (!(one < 4))",
    "-\t\treturn true;\n+\t\treturn false;",
}


@pytest.fixture(name="mutate")
def fixture_mutate(place):
    """mutate(seed, count, ...): the drawn mutants, as changed lines."""
    path = pathlib.Path(place, "worker/proxy/decide.c")
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE, encoding="utf-8")

    def run(*arguments):
        output = subprocess.run(
            [MUTATE, *map(str, arguments), "--list", "--root", place],
            check=True, timeout=60, text=True,
            stdout=subprocess.PIPE).stdout
        return [re.sub(r"^    ", "", change.strip("\n"), flags=re.M)
                for change in re.split(r"^- .*\n", output, flags=re.M)[1:]]

    return run


def test_all_that_decides_and_nothing_else(mutate):
    drawn = mutate(1, 100)
    assert len(drawn) == len(DRAWN)
    assert set(drawn) == DRAWN


def test_the_seed_decides(mutate):
    orders = {tuple(mutate(seed, 100)) for seed in range(8)}
    assert len(orders) > 1
    assert mutate(3, 4) == mutate(3, 4) == mutate(3, 100)[:4]


def test_within_a_line(mutate):
    assert mutate(1, 100, "--within", "worker/proxy/decide.c:21") == [
        "-\t\treturn true;\n+\t\treturn false;"]
    assert mutate(1, 100, "--within", "worker/proxy/decide.c:1") == []
    assert mutate(1, 100, "--within", "shared") == []

"""Goal: make names missing packages, and its present step while silent."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]


def make(*arguments):
    return subprocess.run(["make", "-s", *arguments], cwd=ROOT, timeout=60,
                          capture_output=True, text=True, check=False)


def test_a_missing_library_is_named(tmp_path):
    done = make(f"BUILD={tmp_path}", "PACKAGES=no-such-library")
    assert done.returncode == 2
    assert "no-such-library" in done.stderr
    assert "scripts/setup --build" in done.stderr
    assert "CC" not in done.stdout


def test_the_link_says_that_it_takes_long(tmp_path):
    done = make("-n", f"BUILD={tmp_path}")
    (line,) = [line for line in done.stdout.splitlines() if "LD " in line]
    assert "takes some seconds" in line

"""Goal: `make install` puts a program that runs, its manual and the examples
below DESTDIR and PREFIX, and the manual has every option of the program."""

import os
import pathlib
import re
import subprocess

import pytest

from harness import DROVER

ROOT = next(folder for folder in pathlib.Path(__file__).resolve().parents
            if (folder / "Makefile").exists())
PREFIX = "/opt/herd"


def output(*argv, **kwargs):
    return subprocess.run(argv, check=True, text=True, timeout=60,
                          stdout=subprocess.PIPE, **kwargs).stdout


@pytest.fixture(name="installed")
def fixture_installed(place):
    """The paths below the prefix, after an installation."""
    # A make that runs the tests hands its flags down. An absolute path is a
    # target of no rule: nothing is built here.
    env = {k: v for k, v in os.environ.items() if k != "MAKEFLAGS"}
    output("make", "-s", "-C", ROOT, "install", f"DESTDIR={place}",
           f"PREFIX={PREFIX}", f"PROGRAM={DROVER}", env=env)
    assert os.listdir(place) == ["opt"]
    return pathlib.Path(place + PREFIX)


def test_everything_is_there(installed):
    found = {str(path.relative_to(installed)): path.stat().st_mode & 0o777
             for path in installed.rglob("*") if path.is_file()}
    assert found == {
        "sbin/drover": 0o755,
        "share/man/man8/drover.8": 0o644,
        **{f"share/drover/{path.relative_to(ROOT)}": 0o644
           for path in (ROOT / "conf").rglob("*") if path.is_file()},
    }


def test_the_program_runs(installed, place):
    program = installed / "sbin/drover"
    version = re.search(r"^VERSION := (.*)$", (ROOT / "Makefile").read_text(),
                        re.M)[1]
    assert output(program, "-v").splitlines()[0] == f"drover {version}"
    # From elsewhere: nothing in the examples leads back to the sources.
    for example in (installed / "share/drover/conf").glob("*.yaml"):
        assert "ok" in output(program, "-t", "-c", example, cwd=place)


def test_the_manual_names_its_prefix(installed):
    manual = (installed / "share/man/man8/drover.8").read_text()
    assert f"{PREFIX}/share/drover/conf/" in manual
    assert "/usr/local" not in manual


def test_the_manual_knows_every_option():
    manual = (ROOT / "docs/drover.8").read_text()
    explained = set(re.findall(r"^\.It Fl (\w)", manual, re.M))
    explained_long = set(re.findall(r" Fl -(\w+)|, -(\w+)$", manual, re.M))
    explained_long = {word for pair in explained_long for word in pair if word}
    usage = output(DROVER, "-h")
    assert {"c", "h", "s", "t", "v"} <= explained
    assert set(re.findall(r"(?<!\S)-(\w)\b", usage)) <= explained
    assert set(re.findall(r"(?<!\S)--(\w+)", usage)) <= explained_long


def test_the_manual_is_well_formed(installed):
    assert output("mandoc", "-Tlint",
                  installed / "share/man/man8/drover.8") == ""

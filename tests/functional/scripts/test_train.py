"""Goal: a failed training for the release build gives a reason, and leaves
neither processes nor files. `make release` tests a good training."""

import os
import pathlib
import signal
import subprocess

import pytest

from harness import DROVER, ROOT, TOOLS, wait_for

TRAIN = os.path.join(ROOT, "scripts", "train")
# The check of a program before training starts it.
SCRIPT = "#!/bin/bash\n# says GCOV_PREFIX\n"
ADDRESS = """address=$(sed -n 's/^listen:.*address: "\\(.*\\)".*/\\1/p' "$2")\n"""


class Training:
    """A training under way with the program; files may be in tmp/ alone."""

    def __init__(self, place, program):
        self.tmp = os.path.join(place, "tmp")
        os.mkdir(self.tmp)
        self.popen = subprocess.Popen(
            [TRAIN, program, TOOLS, os.path.join(place, "profile")],
            env={**os.environ, "TMPDIR": self.tmp}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def processes(self):
        """Any process with the training's folder in its environment."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"TMPDIR={self.tmp}\0".encode() in path.read_bytes():
                    found.append(int(path.parent.name))
            except OSError:
                pass  # somebody else's, or gone
        return found

    def end(self):
        """(exit status, output)"""
        output = self.popen.communicate(timeout=60)[0]
        assert self.processes() == []
        assert os.listdir(self.tmp) == []
        return self.popen.returncode, output


@pytest.fixture(name="program")
def fixture_program(place):
    """program(text): a script in the place of Drover."""
    def write(text):
        path = pathlib.Path(place, "program")
        path.write_text(SCRIPT + text, encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return write


def test_no_program(place):
    status, output = Training(place, f"{place}/none").end()
    assert status == 1
    assert output == (f"train: {place}/none is no program: make release "
                      "builds it\n")


def test_not_instrumented(place):
    status, output = Training(place, DROVER).end()
    assert status == 1
    assert output == (f"train: {DROVER} would write no profile: it is not "
                      "built with PROFILE=generate\n")


@pytest.mark.parametrize("text, why", [
    ("echo no luck >&2\nexit 78\n",
     ["drover ended while starting", "drover.log: no luck"]),
    (f'{ADDRESS}exec {TOOLS}/relay_l7 "$address" 127.0.0.1:1\n',
     ["not all of 20000 requests for /api/users/128 (load -c 64) were",
      "load.log: {"]),
    # Answers like a service, and refuses like a gateway.
    (f'{ADDRESS}exec {TOOLS}/backend "$address"\n',
     ["were answered with '21 HTTP/1.1 200' by"]),
], ids=["ends", "errors", "accepts-all"])
def test_not_as_it_should(place, program, text, why):
    status, output = Training(place, program(text)).end()
    assert status == 1
    for line in why:
        assert line in output


def test_ended_while_it_waits(place, program):
    training = Training(place, program("exec sleep 1000\n"))
    wait_for(lambda: any(pathlib.Path(training.tmp).glob("*/drover.log")),
             "the program is started")
    assert len(training.processes()) >= 4  # itself, two backends, the program
    training.popen.send_signal(signal.SIGTERM)
    status, output = training.end()
    assert (status, output) == (143, "")

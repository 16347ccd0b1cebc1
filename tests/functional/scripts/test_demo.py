"""Goal: scripts/demo load judges its measurement, and puts the containers back
in any case. Docker, curl and autocannon are scripts with the test's results;
tests/compose runs the demo with the real programs."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

DEMO = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "demo"

# Notes the commands, and the present number of gateways.
DOCKER = """#!/bin/bash
[ "$2" = up ] || exit 0
echo "${GATEWAY_CPUS:-1} $*" >>"$FOLDER/ups"
count=3
[[ $* =~ api-gateway=([0-9]+) ]] && count=${BASH_REMATCH[1]}
echo "$count" >"$FOLDER/count"
"""
CURL = """#!/bin/bash
echo "{\\"instance\\":\\"$((RANDOM % $(cat "$FOLDER/count")))\\"}"
"""
# The next of the answers.
AUTOCANNON = """#!/bin/bash
head -n 1 "$FOLDER/answers"
sed -i 1d "$FOLDER/answers"
"""


@pytest.fixture(name="demo")
def fixture_demo(tmp_path):
    def place(path, text):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    place("bin/docker", DOCKER)
    place("bin/curl", CURL)
    place("tests/load/node_modules/.bin/autocannon", AUTOCANNON)
    (tmp_path / "scripts").mkdir()
    shutil.copy(DEMO, tmp_path / "scripts")

    def run(*rates, arguments=("load", "1"), failed=0):
        answers = [{"requests": {"average": rate}, "latency": {"p99": 7},
                    "errors": 0, "non2xx": failed} for rate in rates]
        (tmp_path / "answers").write_text(
            "".join(json.dumps(answer) + "\n" for answer in answers))
        path = f"{tmp_path}/bin:{os.environ['PATH']}"
        return subprocess.run(
            [tmp_path / "scripts" / "demo", *arguments], timeout=60,
            env={**os.environ, "FOLDER": str(tmp_path), "PATH": path},
            capture_output=True, text=True, check=False)

    run.ups = lambda: (tmp_path / "ups").read_text().splitlines()
    return run


def test_five_do_three_times_as_much(demo):
    done = demo(40, 120, 9000, 3000)
    assert done.returncode == 0, done.stderr
    assert "5 gateways do 3.0 times the work of one" in done.stdout
    assert "through the balancer: 33 % of the requests" in done.stdout
    assert demo.ups() == ["0.2 compose up -d --scale api-gateway=1",
                          "0.2 compose up -d --scale api-gateway=5",
                          "1 compose up -d"]


def test_five_do_less(demo):
    done = demo(40, 119, 9000, 3000)
    assert done.returncode == 1
    assert "do not do 3 times the work" in done.stderr


def test_a_failed_request(demo):
    done = demo(40, failed=2)
    assert done.returncode == 1
    assert "2 requests failed" in done.stderr
    assert demo.ups()[-1] == "1 compose up -d"


@pytest.mark.parametrize("arguments", [(), ("lead",), ("load", "0"),
                                       ("load", "x")], ids=" ".join)
def test_wrong_arguments(demo, arguments):
    """Said before any container is touched."""
    done = demo(arguments=arguments)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    with pytest.raises(FileNotFoundError):
        demo.ups()

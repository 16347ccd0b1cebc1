"""Goal: scripts/demo judges its measurements. `load` puts the containers back in
any case, `load-steps` ends its processes. Docker, Drover and the load generators
are scripts with the test's results; tests/compose runs `load` with the real
programs."""

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
                                       ("load", "x"), ("load-steps", "0")],
                         ids=" ".join)
def test_wrong_arguments(demo, arguments):
    """Said before any container is touched."""
    done = demo(arguments=arguments)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    with pytest.raises(FileNotFoundError):
        demo.ups()


# ---- load-steps ----

# Notes its pid and its configuration, and stays until told to stop.
PROCESS = """#!/bin/bash
echo "$$ ${@: -1}" >>"$FOLDER/processes"
exec sleep 60
"""
# Notes its options, and prints the next of the answers.
LOAD = """#!/bin/bash
echo "$*" >>"$FOLDER/loads"
cp "$STEPS_STATE"/drover-demo.*/lb.yaml "$FOLDER/lb.yaml"
head -n 1 "$FOLDER/answers"
sed -i 1d "$FOLDER/answers"
"""


@pytest.fixture(name="steps")
def fixture_steps(tmp_path):
    for path, text in (("bin/make", "#!/bin/bash\n"),
                       ("bin/curl", "#!/bin/bash\necho some bytes\n"),
                       ("bin/redis-cli", "#!/bin/bash\n"),
                       ("bin/redis-server", PROCESS),
                       ("build/drover", PROCESS),
                       ("build/bench/load", LOAD)):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "state").mkdir()
    shutil.copy(DEMO, tmp_path / "scripts")
    shutil.copytree(DEMO.parent.parent / "conf", tmp_path / "conf")

    def run(*answers, **environment):
        (tmp_path / "answers").write_text("".join(
            json.dumps({"completed": 9000, "errors": errors, "unsent": unsent,
                        "p50_us": 1500000, "p99_us": p99}) + "\n"
            for errors, unsent, p99 in answers))
        return subprocess.run(
            [tmp_path / "scripts" / "demo", "load-steps", "2"], timeout=60,
            env={**os.environ, **environment, "FOLDER": str(tmp_path),
                 "TMPDIR": str(tmp_path / "state"),
                 "STEPS_STATE": str(tmp_path / "state"),
                 "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"},
            capture_output=True, text=True, check=False)

    run.read = lambda name: (tmp_path / name).read_text().splitlines()
    run.state = tmp_path / "state"
    return run


GOOD = (0, 0, 1510000.4)


def test_all_steps_pass(steps):
    done = steps(GOOD, GOOD, (3, 0, 1600000))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": ok") == 3
    rates = [line.split()[line.split().index("--rate") + 1]
             for line in steps.read("loads")]
    assert rates == ["500", "1000", "2000"]
    # Redis, a service, five gateways, the balancer, all of which are over.
    processes = [line.split() for line in steps.read("processes")]
    assert len(processes) == 8
    assert not any(os.path.exists(f"/proc/{pid}") for pid, _ in processes)
    assert not any(steps.state.iterdir())
    line, = (x for x in steps.read("lb.yaml") if "endpoints:" in x)
    assert line.count("127.0.0.1:") == 5


@pytest.mark.parametrize("bad", [(1, 0, 1500000), (0, 1, 1500000),
                                 (0, 0, 1601000)],
                         ids=["an error", "unsent", "late"])
def test_a_step_fails(steps, bad):
    done = steps(bad, GOOD, GOOD)
    assert done.returncode == 1
    assert (done.stdout.count(": ok"), done.stdout.count(": failed")) == (2, 1)
    assert "not all steps passed" in done.stderr


def test_other_steps(steps):
    done = steps(GOOD, RATES="700", INSTANCES="2")
    assert done.returncode == 0, done.stderr
    assert len(steps.read("loads")) == 1
    assert len(steps.read("processes")) == 5

"""Goal: a fault of a configuration is a clear line with file, line and key or
address, and nothing has started. The exit status names the kind of fault: 64
the command line, 75 a port or folder in use, 78 the configuration."""

import os
import re
import socket
import subprocess

import pytest

from harness import DROVER, free_port

GOOD = """\
state_dir: {dir}/state
listen:
  - address: "127.0.0.1:{port}"
services:
  - name: b
    endpoints: ["127.0.0.1:1"]
routes:
  - {{ path: /, service: b }}
"""

# Old text, new text; the line of the fault; a word of the message.
WRONG = {
    "unknown key": ("services:", "colour: red\nservices:", 4, "colour"),
    "unknown key inside": ("name: b", "name: b\n    colour: red", 6,
                           "colour"),
    "bad address": ('"127.0.0.1:{port}"', '"nowhere"', 3, "nowhere"),
    "bad port": ('"127.0.0.1:{port}"', '"127.0.0.1:99999"', 3, "99999"),
    "bad endpoint": ("127.0.0.1:1", "127.0.0.1", 6, "127.0.0.1"),
    "unknown service": ("service: b", "service: c", 8, "c"),
    "wrong type": ("services:", "workers: many\nservices:", 4, "many"),
    "impossible value": ("services:", "workers: 100000\nservices:", 4,
                         "100000"),
    "bad duration": ("services:", "drain_timeout: 10 parsecs\nservices:", 4,
                     "parsecs"),
    "unknown policy": ("name: b", "name: b\n    policy: best", 6, "best"),
    "bad redis url": ("services:", "redis: {{ url: 'http://x' }}\nservices:",
                      4, "redis url"),
    "not YAML": ("services:", "services: [", None, "yaml"),
}


def write(place, text):
    path = os.path.join(place, "gateway.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.format(dir=place, port=free_port()))
    return path


def run(path, *args):
    return subprocess.run([DROVER, "-c", path, *args], timeout=10,
                          capture_output=True, text=True)


def assert_one_line(done, *words, status=78):
    assert done.returncode == status, done
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], lines[0]
    return lines[0]


@pytest.mark.parametrize("what", WRONG)
def test_wrong_configuration(place, what):
    old, new, line, word = WRONG[what]
    assert old in GOOD
    path = write(place, GOOD.replace(old, new, 1))
    for args in ((), ("-t",)):
        said = assert_one_line(run(path, *args), path)
        assert word.lower() in said.lower()
        at = re.search(r"gateway\.yaml:(\d+): ", said)
        assert at, said
        # Editors want the place in front; a log begins with the time.
        assert said.startswith(path) == (args == ("-t",))
        if line:
            assert int(at.group(1)) == line, said
    assert not os.path.exists(os.path.join(place, "state"))


def test_the_good_one_is_good(place):
    done = run(write(place, GOOD), "-t")
    assert done.returncode == 0, done.stderr


def test_missing_file(place):
    path = os.path.join(place, "none.yaml")
    said = assert_one_line(run(path), path)
    assert "No such file" in said


def test_missing_key(place):
    path = write(place, GOOD.replace("    endpoints: [\"127.0.0.1:1\"]\n",
                                     ""))
    assert_one_line(run(path), path, "endpoints")


def test_busy_port(place):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        address = "127.0.0.1:%d" % busy.getsockname()[1]
        path = write(place, GOOD.replace("127.0.0.1:{port}", address))
        assert_one_line(run(path), path, address, "in use", status=75)
        path = write(place, GOOD + f'admin: {{{{ address: "{address}" }}}}\n')
        assert_one_line(run(path), path, "admin.address", address, "in use",
                        status=75)


def test_busy_unix_socket(drover, place):
    address = "unix:" + os.path.join(place, "busy")
    drover(routes=[], listen=[{"address": address}])
    path = write(place, GOOD.replace("127.0.0.1:{port}", address))
    assert_one_line(run(path), path, address, "in use", status=75)


def test_state_dir_that_can_not_be(place):
    path = write(place, GOOD)
    open(os.path.join(place, "state"), "w", encoding="ascii").close()
    assert_one_line(run(path), path, "state_dir",
                    os.path.join(place, "state"))


def test_another_one_runs_there(drover, place):
    d = drover(routes=[])
    path = write(place, GOOD.replace("{dir}/state", d.config["state_dir"]))
    assert_one_line(run(path), d.config["state_dir"], str(d.pid), status=75)


def test_command_lines(place):
    path = write(place, GOOD)
    for args in (["-c"], ["-x"], ["-c", path, "more"], [], ["--config"],
                 ["--no-such"], ["--test=1", "-c", path], ["--signal", "x"]):
        done = subprocess.run([DROVER, *args], timeout=10,
                              capture_output=True, text=True)
        assert done.returncode == 64
        assert "usage: drover" in done.stderr


def test_all_faults_of_a_file(place):
    path = write(place, GOOD.replace("name: b", "name: b c")
                 .replace("service: b", "serivce: b")
                 + "drain_timeout: soon\n")
    for args, lead in ((("-t",), ""), ((), ".* error drover.*: ")):
        done = run(path, *args)
        assert done.returncode == 78
        lines = done.stderr.splitlines()
        for line, wanted in zip(lines, (
                r":5: services\[0\]\.name: `b c` is not a name; ",
                r":8: routes\[0\]\.serivce: unknown key; did you mean "
                r"`service`\? ",
                r":9: drain_timeout: `soon` is not a duration; "), strict=True):
            assert re.match(lead + re.escape(path) + wanted, line), lines


def test_many_faults(place):
    path = write(place, GOOD + "".join(f"colour{i}: red\n"
                                       for i in range(25)))
    lines = run(path, "-t").stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == f"{path}: and 5 more"


def test_user_that_is_not_there(place):
    path = write(place, GOOD + "user: nobody-of-that-name\n")
    said = assert_one_line(run(path, "-t"), path)
    assert said == f"{path}:9: user: no such user: nobody-of-that-name"
    assert run(write(place, GOOD + "user: nobody\n"),
               "-t").returncode == 0


def test_url_and_spawn(place):
    path = write(place, GOOD
                 + "redis: {{ url: 'redis://localhost', spawn: true }}\n")
    assert_one_line(run(path, "-t"), f"{path}:9: redis.url: ", "keep one")


def test_warnings(place, monkeypatch):
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    path = write(place, GOOD.split("routes:")[0]
                 + "cluster: ${{NO_SUCH_VARIABLE}}\n")
    done = run(path, "-t")
    assert (done.returncode, done.stdout) == (0, f"{path}: ok\n")
    warnings = done.stderr.splitlines()
    assert len(warnings) == 2
    assert warnings[0].startswith(f"{path}:1: warning: routes: ")
    assert warnings[1].startswith(
        f"{path}:7: warning: cluster: ${{NO_SUCH_VARIABLE}} is not set")


def test_warnings_are_logged(drover):
    d = drover(routes=[])
    d.wait_log(r" warn .*: .*:\d+: warning: routes: there are none")


def test_keys():
    with open("conf/README.md", encoding="utf-8") as f:
        readme = f.read()
    for option in ("-K", "--keys"):
        done = subprocess.run([DROVER, option], timeout=10,
                              capture_output=True, text=True)
        assert done.returncode == 0
        assert done.stdout == readme

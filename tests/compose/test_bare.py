"""Goal: on a bare Debian, scripts/run alone brings the demo up: installs,
builds, serves as README.md promises, replaces a killed worker, and Ctrl-C
leaves nothing behind. README.md's block of the configuration runs after it. On
one release as root, on the other as a user who has sudo."""

import json
import os
import pty
import select
import shlex
import subprocess
import time

import pytest

import readme
import stack
from stack import shell

COPIED = "Makefile conf master scripts shared worker"
SUDO = (
    "apt-get update -qq && apt-get install -y -qq sudo >/dev/null 2>&1 &&"
    " useradd -m dev && chown -R dev /drover &&"
    " echo 'dev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/dev"
)


@pytest.fixture(params=[("bookworm", "root"), ("trixie", "dev")], ids="-".join)
def bare(request):
    """(container, user) with a copy of the checkout in /drover."""
    codename, user = request.param
    container = shell(
        f"docker run -d --rm debian:{codename}-slim sleep 1800"
    ).strip()
    try:
        shell(f"tar -c {COPIED} | docker exec -i {container}"
              " sh -c 'mkdir /drover && tar -xC /drover'")
        if user != "root":
            shell(f'docker exec {container} sh -c "{SUDO}"')
        yield container, user
    finally:
        shell(f"docker rm -f {container}", check=False)


class Terminal:
    """A command on a terminal of its own, like a user's."""

    def __init__(self, *command):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.shown = ""

    def read_until(self, text, seconds):
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"no {text!r} within {seconds} s:\n{self.shown}"
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.shown += os.read(self.master, 65536).decode()
                except OSError:  # the terminal's other end is closed
                    raise AssertionError(f"it ended:\n{self.shown}") from None

    def press_ctrl_c(self):
        os.write(self.master, b"\x03")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


def test_run_in_a_bare_container(bare):
    container, user = bare

    def inside(line, check=True):
        return shell(f"docker exec {container} {line}", check=check)

    def typed(text):
        """By the same user, in the checkout; each line has to succeed."""
        script = shlex.quote("set -eo pipefail\n" + text)
        return shell(f"docker exec -u {user} -w /drover {container}"
                     f" bash -c {script}")

    terminal = Terminal(
        "docker", "exec", "-it", "-u", user, "-w", "/drover", container,
        "scripts/run",
    )
    try:
        terminal.read_until("Ctrl-C stops all of it", seconds=400)
        users = json.loads(inside("curl -sS localhost:3000/api/users"))
        assert users[0] == {"id": 1, "name": "Alice"}

        metrics = "curl -sSf localhost:3000/api/metrics"
        killed = json.loads(inside(metrics))["pid"]
        inside(f"kill -9 {killed}")
        for _ in range(20):
            assert json.loads(inside(metrics))["pid"] != killed

        for line in readme.tried():
            typed(line)
        alone = readme.block("Start", "api/cpu-bound")
        shown = typed(alone)
        # Two workers: no request waits for the blocked worker.
        assert shown.index("Alice") < shown.index("durationMs")

        terminal.press_ctrl_c()
        assert terminal.process.wait(timeout=30) == 130
        left = inside("ps -eo args")
        assert "drover" not in left and "redis" not in left
        assert "drover-run" not in inside("ls /tmp")

        (block,) = readme.blocks()["Configuration"]
        shown = typed(block)
        assert '"status":"ok"' in shown
        assert "gateway.yaml: ok" in shown and "stopped: " in shown
    finally:
        terminal.close()

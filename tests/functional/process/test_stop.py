"""Goal: each signal stops in its way: drain and end well, or at once. Workers
without a master end by themselves."""

import os
import signal
import subprocess
import threading
import time

import pytest

from harness import (DROVER, children, free_port, handler, is_alive, respond,
                     wait_for)


def start(drover, **more):
    return drover(routes=[respond("/", 1), handler("/health", "health"),
                          respond("/slow", {"slow": True}, delay="600ms")],
                  **more)


def slow_request(d, results):
    def run():
        with d.client() as c:
            response = c.get("/slow")
            results.append((response, time.monotonic()))

    t = threading.Thread(target=run)
    t.start()
    d.wait_in_flight(1)
    return t


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGQUIT])
def test_drain(drover, signum):
    d = start(drover)
    idle = d.client()
    assert idle.get("/").status == 200
    results = []
    t = slow_request(d, results)
    d.signal(signum)
    t.join()
    response, _ = results[0]
    assert response.status == 200 and response.json() == {"slow": True}
    assert response.headers["connection"] == "close"
    assert d.wait_exit() == 0
    # The idle connection was closed, cleanly.
    assert idle.http.sock.recv(1) == b""
    d.wait_log("stopped: ")


def test_health_while_draining(drover):
    """A load balancer sees the drain, on an existing connection and on a new
    one: a draining instance goes on accepting until its exit."""
    d = start(drover)
    results = []
    with d.raw() as c:
        # In mid-request, or the drain would close the connection.
        c.send("GET /health HTTP/1.1\r\nHost: a\r\n")
        assert d.get("/health").json()["status"] == "ok"
        t = slow_request(d, results)
        d.signal(signal.SIGTERM)
        wait_for(lambda: any(w["state"] == "draining"
                             for w in d.cluster()["workers"]), "draining")
        response = d.get("/health")
        assert response.status == 503
        assert response.json()["status"] == "draining"
        c.send("\r\n")
        assert c.response().status in (200, 503)
        assert d.admin("/healthz").status == 200
        assert d.admin("/readyz").status == 503
        t.join()
    assert results[0][0].status == 200
    assert d.wait_exit() == 0


def test_drain_timeout(drover):
    d = drover(drain_timeout="300ms",
               routes=[respond("/slow", 1, delay="20s")])
    with d.raw() as c:
        c.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        d.wait_in_flight(1)
        d.signal(signal.SIGTERM)
        assert c.rest() == b""
    assert d.wait_exit(5) == 0


@pytest.mark.parametrize("how", ["INT", "TERM twice"])
def test_stop_at_once(drover, how):
    d = drover(routes=[respond("/slow", 1, delay="20s")])
    workers = d.workers()
    with d.raw() as c:
        c.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        d.wait_in_flight(1)
        if how == "INT":
            d.signal(signal.SIGINT)
        else:
            d.signal(signal.SIGTERM)
            d.wait_log("stopping: ")
            d.signal(signal.SIGTERM)
        d.wait_exit(3)
    d.is_over = True
    d.check_log()
    assert not any(is_alive(pid) for pid in workers)


def test_master_killed(drover):
    """The workers finish their requests, and end."""
    d = start(drover)
    workers = d.workers()
    results = []
    t = slow_request(d, results)
    d.popen.kill()
    d.popen.wait()
    d.is_over = True
    t.join()
    assert results[0][0].status == 200
    for pid in workers:
        wait_for(lambda p=pid: not is_alive(p), f"worker {pid} ends")
    d.check_log()


def order(d, word):
    return subprocess.run([DROVER, "-c", d.path, "-s", word], timeout=10,
                          capture_output=True, text=True)


@pytest.mark.parametrize("word", ["quit", "stop"])
def test_orders(drover, word):
    d = start(drover)
    done = order(d, word)
    assert done.returncode == 0, done.stderr
    assert d.wait_exit() == 0
    d.is_over = True
    # No client is left, and the log says so.
    done = order(d, word)
    assert done.returncode != 0
    assert "no drover runs" in done.stderr


def test_closed_standard_error(drover):
    """Log lines then go nowhere, and into no file of Drover's."""
    d = start(drover, launcher=["bash", "-c", 'exec "$@" 2>&-', "-"])
    for name in os.listdir(d.config["state_dir"]):
        with open(os.path.join(d.config["state_dir"], name), "rb") as f:
            assert b"started" not in f.read(), name
    assert order(d, "quit").returncode == 0
    assert d.wait_exit() == 0
    d.is_over = True


def test_unknown_order(drover):
    d = start(drover)
    done = order(d, "nonsense")
    assert done.returncode != 0 and "nonsense" in done.stderr
    assert d.is_running()


def test_signal_as_a_long_option(drover):
    d = start(drover)
    done = subprocess.run([DROVER, "--signal=quit", f"--config={d.path}"],
                          timeout=10, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert d.wait_exit() == 0


def test_help():
    said = []
    for option in ("-h", "--help"):
        done = subprocess.run([DROVER, option], timeout=10,
                              capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == ""
        said.append(done.stdout)
    assert said[0] == said[1]
    assert said[0].startswith("usage: drover")
    for name in ("config", "test", "signal", "version", "help"):
        assert f"--{name}" in said[0]
    assert all(len(line) <= 80 for line in said[0].splitlines())


@pytest.mark.parametrize("version, test, config", [
    ("-v", "-t", "-c"), ("--version", "--test", "--config")])
def test_versions_and_check(place, version, test, config):
    done = subprocess.run([DROVER, version], timeout=10, capture_output=True,
                          text=True)
    assert done.returncode == 0
    for name in ("drover", "llhttp", "hiredis", "jansson"):
        assert f"{name} " in done.stdout
    path = f"{place}/x.yaml"
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"listen: [ {{ address: '127.0.0.1:{free_port()}' }} ]\n"
                f"state_dir: {place}/none\n")
    done = subprocess.run([DROVER, test, config, path], timeout=10,
                          capture_output=True, text=True)
    assert done.returncode == 0 and "ok" in done.stdout + done.stderr


@pytest.mark.parametrize("called", [
    "drover", "/a/place/that/is/a/long/way/from/here/for/a/program/drover"])
def test_process_titles(drover, called):
    """Under any name of the program."""
    d = start(drover, launcher=["bash", "-c", 'exec -a "$0" "$@"', called])

    def title(pid):
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode().strip()

    assert title(d.pid) == "drover: master [drover]"
    with d.client() as c:
        assert c.get("/").status == 200
        wait_for(lambda: any(title(pid).endswith("(1 connections)") or
                             title(pid).endswith("(1 connection)")
                             for pid in children(d.pid)),
                 "the connection shows")
    titles = sorted(title(pid) for pid in children(d.pid))
    assert [t.rsplit(" (", 1)[0] for t in titles] == [
        "drover: worker 1 [drover]", "drover: worker 2 [drover]"]


def test_ps_on_a_narrow_terminal(drover):
    """With the longest process ids: two columns less."""
    d = drover("gateway", routes=[])
    pids = [d.pid, *children(d.pid)]

    def shown(columns):
        done = subprocess.run(
            ["ps", "u", "-p", ",".join(map(str, pids))], timeout=10,
            env={**os.environ, "COLUMNS": str(columns)}, capture_output=True,
            text=True, check=True)
        head, *lines = done.stdout.splitlines()
        return {int(line.split()[1]): line[head.index("COMMAND"):].strip()
                for line in lines}

    for columns in (80, 78):
        commands = shown(columns)
        assert commands.pop(d.pid).startswith("drover: mast")
        assert len(commands) == 2
        assert all(c.startswith("drover: work") for c in commands.values())
    wide = shown(200)
    assert wide[d.pid] == "drover: master [gateway]"
    assert sorted(wide[pid].split(" (")[0] for pid in pids[1:]) == [
        "drover: worker 1 [gateway]", "drover: worker 2 [gateway]"]

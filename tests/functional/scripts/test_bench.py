"""Goal: the bench's tools work: the floors carry every workload, the load
generator counts good and bad responses, and a whole run of a few requests ends
in a table. Speed is not tested."""

import json
import os
import socket
import subprocess
import sys
import threading

import pytest

from harness import (BUILD, DROVER, TESTS, TOOLS, Process, free_port,
                     wait_for)

MAIN = os.path.join(TESTS, "bench", "main.py")

with open(DROVER, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()

WORKLOADS = {
    "get": ["-n", "200"],
    "empty": ["-n", "50", "-p", "/0"],
    "megabyte": ["-n", "30", "-p", "/1m"],
    "post": ["-n", "100", "-b", "16384"],
    "both-big": ["-n", "20", "-b", "1000000", "-p", "/256k"],
    "pipelined": ["-n", "320", "--pipeline", "16"],
    "pipelined-big": ["-n", "64", "--pipeline", "16", "-p", "/64k"],
    "reconnect": ["-n", "100", "--reconnect", "--sources", "4"],
    "close": ["-n", "100", "--close", "--sources", "4"],
    "websocket": ["-n", "100", "--websocket"],
    "websocket-long": ["-n", "50", "--websocket", "-b", "60000"],
    "few-at-a-time": ["-n", "100", "--active", "2"],
    "paths": ["-n", "40", "--paths", "7", "-p", "/1k"],
}


@pytest.fixture(name="tool")
def fixture_tool(place):
    """tool(name, argument...): a listening tool, stopped at the end; its
    port."""
    started = []

    def start(name, *argv):
        port = free_port()
        process = Process(place, name, [os.path.join(TOOLS, name),
                                        f"127.0.0.1:{port}", *argv])
        started.append(process)

        def listens():
            assert process.is_running(), process.log()
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0

        wait_for(listens, f"{name} listens")
        return port

    yield start
    for process in started:
        assert process.is_running(), process.log()
        process.kill()


def load(port, *argv):
    """The tool's line of JSON."""
    done = subprocess.run(
        [os.path.join(TOOLS, "load"), *argv, f"127.0.0.1:{port}"],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("floor", [None, "relay_l4", "relay_l7"])
def test_workloads(tool, floor):
    port = tool("backend")
    if floor:
        port = tool(floor, f"127.0.0.1:{port}")
    for name, argv in WORKLOADS.items():
        done = load(port, "-c", "4", *argv)
        assert (done["completed"], done["errors"]) == (int(argv[1]), 0), \
            f"{name}: {done}"


def test_addresses(tool):
    """The backend stands for many endpoints."""
    port = tool("backend", "300")
    for address in ("127.1.0.1", "127.1.0.250", "127.1.1.1", "127.1.1.50"):
        with socket.create_connection((address, port)):
            pass


def test_adds_one_field(tool, backend):
    """The smallest proxy adds a field: the backend sees the client's
    address."""
    heads = []

    def answer(connection):
        while (request := connection.read_request()) is not None:
            heads.append(request.headers)
            connection.reply(b"x" * 128)

    port = tool("relay_l7", backend(answer).address)
    assert load(port, "-n", "3")["errors"] == 0
    assert len(heads) == 4  # and a request to open the connection
    assert all(head["x-forwarded-for"] == "127.0.0.1" for head in heads)


def after_first(connection, act):
    """Answers the request that opens a connection; act() does the rest."""
    connection.read_request()
    connection.reply(b"x" * 128)
    while connection.read_request() is not None:
        act(connection)


@pytest.mark.parametrize("kind, act", [
    ("status", lambda c: c.reply(b"x" * 128, "503 Service Unavailable")),
    ("length", lambda c: c.reply(b"x" * 127)),
    ("length", lambda c: c.send("HTTP/1.1 200 OK\r\n\r\n")),
    ("length", lambda c: c.reply(b"x" * 129)),
    ("status", lambda c: c.send("nonsense\r\n\r\n")),
    ("closed", lambda c: c.reset()),
], ids=["status", "short", "no-length", "long", "nonsense", "reset"])
def test_counts_errors(backend, kind, act):
    """Each is an error, and only answers that are right are completed."""
    done = load(backend(lambda c: after_first(c, act)).port, "-n", "1")
    assert done["completed"] == 0
    assert done["kinds"] == {kind: 1}, done


def test_nobody_listens():
    done = load(free_port(), "-c", "3")
    assert done["completed"] == 0 and done["kinds"] == {"connect": 3}


def test_open_loop(backend):
    """A request that could not be sent in time was waiting all the same. While
    the only connection is held up for 300 ms, 30 more fall due, and their times
    show the wait."""
    held = threading.Event()

    def hold(connection):
        if not held.is_set():
            held.wait(0.3)
            held.set()
        connection.reply(b"x" * 128)

    done = load(backend(lambda c: after_first(c, hold)).port, "--rate", "100",
                "-d", "0.5")
    assert (done["completed"], done["errors"]) == (50, 0)
    assert done["p50_us"] > 10_000, done


@pytest.mark.skipif(os.cpu_count() < 2, reason="the bench takes two cores")
def test_whole_run(place):
    out = os.path.join(place, "new", "folder")
    done = subprocess.run(
        [sys.executable, "-B", MAIN, "--build", BUILD, "--drover", DROVER,
         "--out", out, "--only", "128b,rate4k,idle5k", "--rounds", "2",
         "--seconds", "0.05",
         "--proxies", "direct,drover,relay_l7", "--foreign", "2"],
        capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    with open(os.path.join(out, "results.json"), encoding="utf-8") as f:
        results = json.load(f)
    for name in ("drover", "relay_l7"):
        samples = results["workloads"]["128b"]["samples"][name]
        assert len(samples) == 2
        for sample in samples:
            assert sample["errors"] == 0 and sample["completed"] > 0
            assert sample["cpu_us"] > 0
        turns = [sample["turn"] for sample in
                 results["workloads"]["rate4k"]["samples"][name]]
        a_round = len(turns) // 2
        assert a_round > 1 and turns == [
            [done, turn] for done in range(2) for turn in range(a_round)]
        assert results["syscalls"]["128b"][name]["total"] >= 4
        # A program with a sanitizer does not run under callgrind.
        assert SANITIZED or results["instructions"]["128b"][name] > 0
    with open(os.path.join(out, "table.md"), encoding="utf-8") as f:
        table = f.read()
    assert "| 128 B |" in table and "| 5,000 idle connections, B |" in table

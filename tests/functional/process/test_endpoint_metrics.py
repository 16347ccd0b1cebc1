"""Goal: the metrics show for each endpoint whether it takes requests and how
often it was ejected, and for each process its resources."""

import os
import threading
import time

import pytest

import samples
from harness import (free_port, handler, rss_bytes, respond, route, service,
                     wait_for)


def is_up(d, address, name="s"):
    return samples.read(d).get("drover_endpoint_up", service=name,
                               endpoint=address)


def ejections(d, address, name="s"):
    return samples.read(d).get("drover_endpoint_ejections_total",
                               service=name, endpoint=address)


def test_ejected_and_back(drover, backend):
    good = backend()
    port = free_port()
    bad = f"127.0.0.1:{port}"
    d = drover(workers=2, routes=[route("/", "s")],
               services=[service("s", good.address, bad,
                                 eject={"for": "200ms"})])
    assert is_up(d, good.address) == 1 and is_up(d, bad) == 1
    assert ejections(d, bad) == 0
    wait_for(lambda: d.get("/") and is_up(d, bad) == 0, "it is ejected")
    seen = ejections(d, bad)
    assert seen >= 1
    assert is_up(d, good.address) == 1 and ejections(d, good.address) == 0
    # Each ejection after a vain try counts.
    wait_for(lambda: d.get("/") and ejections(d, bad) > seen,
             "it is ejected once more")
    backend(port=port)
    wait_for(lambda: d.get("/") and d.count_log("works again"), "it is back")
    wait_for(lambda: d.get("/") and is_up(d, bad) == 1, "it is up")
    assert ejections(d, bad) > seen


def test_checks(drover, backend):
    healthy = threading.Event()
    healthy.set()

    def answer(connection):
        while connection.read_request() is not None:
            connection.reply(status="200 OK" if healthy.is_set()
                             else "500 Broken")

    b = backend(answer)
    d = drover(workers=2, routes=[route("/", "s")],
               services=[service("s", b.address, health={
                   "path": "/check", "interval": "20ms", "rise": 1,
                   "fall": 2}),
                   service("t", b.address)])
    assert is_up(d, b.address) == 1
    healthy.clear()
    wait_for(lambda: is_up(d, b.address) == 0, "it is down")
    # The second service has no checks; a failed check is no ejection.
    assert is_up(d, b.address, "t") == 1
    assert ejections(d, b.address) == 0
    healthy.set()
    wait_for(lambda: is_up(d, b.address) == 1, "it is up again")


def test_it_outlives_a_worker(drover, backend):
    bad = f"127.0.0.1:{free_port()}"
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend().address, bad,
                                 eject={"for": "60s"})])
    wait_for(lambda: d.get("/") and is_up(d, bad) == 0, "it is ejected")
    d.kill_worker(0)
    assert ejections(d, bad) == 1
    page = samples.read(d)
    assert len(page.all("drover_endpoint_up")) == 2


def fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_processes(drover):
    d = drover(workers=2, routes=[respond("/", 1)])
    page = samples.read(d)
    # The master has one descriptor more: the connection that asks.
    assert page.get("process_open_fds") == pytest.approx(fds(d.pid), abs=2)
    assert page.get("process_resident_memory_bytes") == pytest.approx(
        rss_bytes(d.pid), rel=0.5)
    assert page.get("process_virtual_memory_bytes") > page.get(
        "process_resident_memory_bytes")
    assert page.get("process_max_fds") >= 1024
    assert 0 <= time.time() - page.get("process_start_time_seconds") < 600
    for i, pid in enumerate(d.workers()):
        worker = str(i + 1)
        assert page.get("drover_worker_open_fds", worker=worker) == fds(pid)
        assert page.get("drover_worker_max_fds", worker=worker) == page.get(
            "process_max_fds")
        assert page.get("drover_worker_virtual_memory_bytes",
                        worker=worker) > 100000
        assert page.get("drover_worker_start_time_seconds",
                        worker=worker) >= page.get(
            "process_start_time_seconds")


def test_cpu_time_outlives_a_worker(drover):
    d = drover(workers=1, routes=[handler("/cpu", "cpu_bound")])

    def cpu():
        return samples.read(d).get("drover_worker_cpu_seconds_total",
                                   worker="1")

    before = cpu()
    # Of the wall clock: a busy machine gives it less CPU time.
    assert d.get("/cpu?ms=300").status == 200
    used = wait_for(lambda: cpu() if cpu() > before else None,
                    "it has used some")
    d.kill_worker(0)
    assert cpu() >= used
    began = samples.read(d).get("drover_worker_start_time_seconds",
                                worker="1")
    assert began > samples.read(d).get("process_start_time_seconds")

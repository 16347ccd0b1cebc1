"""Goal: while a worker is blocked its neighbours stand in: nobody who connects
meanwhile waits for it."""

import threading
import time

import pytest

from harness import handler, respond, wait_for


@pytest.mark.parametrize("accept", ["reuseport", "shared"])
def test_neighbours_stand_in(drover, accept):
    d = drover(workers=4, accept=accept,
               routes=[respond("/", 1), handler("/block", "cpu_bound")])
    answer = []
    blocker = threading.Thread(
        target=lambda: answer.append(d.get("/block?ms=1500").json()))
    blocker.start()
    wait_for(lambda: any(w.get("stalledMs", 0) > 0
                         for w in d.cluster()["workers"]), "one is blocked")
    worst = 0
    for _ in range(200):
        start = time.monotonic()
        assert d.get("/").status == 200
        worst = max(worst, time.monotonic() - start)
    assert not answer, "all of them were answered during the block"
    assert worst < 0.5
    blocker.join()
    assert answer[0]["pid"] in d.workers()
    if accept == "reuseport":
        assert d.total("connections_stood_in") > 0


def test_connections_spread_over_workers(drover):
    d = drover(workers=4, routes=[handler("/m", "metrics")])
    seen = {}
    for _ in range(400):
        pid = d.get("/m").json()["pid"]
        seen[pid] = seen.get(pid, 0) + 1
    assert len(seen) == 4
    # The kernel's hash is even; one that got nearly nothing is not.
    assert min(seen.values()) > 40, seen

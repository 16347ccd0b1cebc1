"""Goal: a block of the event loop is one line, at its end and of its true
length, and visible from outside while it lasts."""

import os
import re
import signal
import threading

import pytest

from harness import handler, respond, wait_for

ROUTES = [respond("/", 1), handler("/api/cpu-bound", "cpu_bound"),
          handler("/api/metrics", "metrics")]
DELAY = r"Event loop delay: (\d+)ms"


def delays(d):
    return [int(ms) for ms in re.findall(DELAY, d.log())]


@pytest.mark.alone
def test_a_block_of_three_seconds(drover):
    d = drover(workers=2, routes=ROUTES)
    answer = []
    t = threading.Thread(
        target=lambda: answer.append(d.get("/api/cpu-bound").json()))
    t.start()
    # During the block: one line, and a figure in the other worker's metrics.
    d.wait_log(r"stalled: worker \d \(pid \d+\) blocked for \d+ ms "
               r"on GET /api/cpu-bound")
    stalled = d.get("/api/metrics").json()["stalled"]
    assert len(stalled) == 1 and stalled[0]["forMs"] > 40
    assert stalled[0]["on"] == "GET /api/cpu-bound"
    worker = next(w for w in d.cluster()["workers"] if w.get("stalledMs"))
    assert worker["pid"] == stalled[0]["pid"]
    assert delays(d) == [] and not answer
    t.join()
    assert answer[0]["ms"] == 3000 and answer[0]["offloaded"] is False
    assert answer[0]["pid"] == stalled[0]["pid"]
    d.wait_log(DELAY)
    # A request that comes after the block, to each worker, gives no more.
    for _ in range(20):
        assert d.get("/").status == 200
    blocked = [ms for ms in delays(d) if ms > 1000]
    assert len(blocked) == 1
    assert abs(blocked[0] - answer[0]["durationMs"]) <= 5
    line = d.wait_log(r"Event loop delay: \d{4}ms worker=(\d) pid=(\d+) "
                      r'on="GET /api/cpu-bound"')
    assert int(line.group(1)) == answer[0]["worker"]
    assert int(line.group(2)) == answer[0]["pid"]
    assert d.count_log(r"stalled: worker \d \(pid \d+\) blocked") == 1
    # The block is in the worker's histogram.
    metrics = d.cluster()["workers"][answer[0]["worker"] - 1]
    assert metrics["eventLoopDelay"]["maxMs"] >= 2900
    page = d.admin("/metrics").body.decode()
    assert re.search(r'event_loop_delay_warnings\w*\{worker="%d"\} 1$' %
                     answer[0]["worker"], page, re.M)


def test_offloaded_work_blocks_nobody(drover):
    d = drover(workers=1, routes=ROUTES)
    answer = []
    t = threading.Thread(target=lambda: answer.append(
        d.get("/api/cpu-bound?ms=700&offload=true").json()))
    t.start()
    d.wait_in_flight(1)
    for _ in range(20):
        assert d.get("/").status == 200
    assert not answer
    t.join()
    assert answer[0]["offloaded"] is True and answer[0]["durationMs"] >= 700
    assert not [ms for ms in delays(d) if ms > 500]
    assert d.count_log("blocked for") == 0


def test_a_stopped_worker(drover):
    """SIGSTOP is no loop iteration: only the lateness of a timer shows it."""
    d = drover(workers=2, routes=ROUTES)
    victim = d.workers()[0]
    os.kill(victim, signal.SIGSTOP)
    try:
        d.wait_log(rf"stalled: worker 1 \(pid {victim}\) silent for")
        wait_for(lambda: any(w.get("stalledMs", 0) > 1000
                             for w in d.cluster()["workers"]),
                 "a second has passed")
        # The other worker answers for both.
        for _ in range(50):
            assert d.get("/").status == 200
    finally:
        os.kill(victim, signal.SIGCONT)
    line = d.wait_log(rf"woken late by (\d+)ms: worker=1 pid={victim}, ")
    assert int(line.group(1)) >= 900
    for _ in range(50):
        assert d.get("/").status == 200
    late = re.findall(r"woken late by (\d+)ms", d.log())
    assert len([ms for ms in late if int(ms) > 500]) == 1
    assert not [ms for ms in delays(d) if ms > 500], "nothing blocked"
    page = d.admin("/metrics").body.decode()
    assert re.search(
        r'^drover_event_loop_late_wakeups_total\{worker="1"\} [1-9]', page,
        re.M)


def test_wrong_ms(drover):
    d = drover(routes=ROUTES)
    for query in ("ms=x", "ms=-1", "ms=60001", "ms=", "ms=1e3"):
        response = d.get(f"/api/cpu-bound?{query}")
        assert response.status == 400, query
        assert response.json()["status"] == 400
    assert d.get("/api/cpu-bound?ms=0").json()["ms"] == 0


def test_blocked_for_longer_than_kill_after(drover):
    d = drover(workers=2, routes=ROUTES, event_loop={"kill_after": "300ms"})
    with d.raw() as c:
        c.send("GET /api/cpu-bound HTTP/1.1\r\nHost: a\r\n\r\n")
        assert c.rest() == b""
    line = d.wait_log(r"killed: worker \d \(pid (\d+)\) blocked for (\d+) ms "
                      r"on GET /api/cpu-bound, over event_loop\.kill_after")
    assert int(line.group(2)) >= 300
    d.wait_successor(int(line.group(1)))
    death = d.cluster()["deaths"][0]
    assert death["pid"] == int(line.group(1))
    assert death["on"] == "GET /api/cpu-bound"

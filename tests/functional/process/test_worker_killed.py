"""Goal: a killed worker has a successor within 100 ms, no later request fails,
and the death is on record."""

import os
import re
import signal
import threading
import time

import pytest

from harness import children, handler, is_alive, respond, wait_for


def start(drover, **more):
    return drover(workers=4, routes=[
        respond("/api", {"ok": True}),
        respond("/slow", {"ok": True}, delay="5s")], **more)


def kill_and_time(d, pid):
    """Milliseconds until the kernel shows a new child of the master."""
    before = set(children(d.pid))
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    wait_for(lambda: set(children(d.pid)) - before, "a new worker")
    return (time.monotonic() - killed) * 1000


# Next to other tests the time would measure who gets a processor.
@pytest.mark.alone
def test_successor_within_100_ms(drover):
    d = start(drover)
    for slot in (1, 2, 3):
        victim = d.workers()[slot]
        assert kill_and_time(d, victim) < 100
        # Over fresh connections: none may fail.
        for i in range(200):
            assert d.get("/api").status == 200, i
        d.wait_successor(victim)
        assert not is_alive(victim)
    assert d.count_log(r"worker \d died: .*started again$") == 3


def test_no_request_fails_while_workers_die(drover):
    """Connections come in all the time while one worker after the other is
    killed. Only those that were with the victim may be lost: what begins when
    its successor is there must succeed."""
    d = start(drover)
    stop = threading.Event()
    failures = []
    done = [0] * 3

    def load(k):
        while not stop.is_set():
            began = time.monotonic()
            try:
                if d.get("/api").status != 200:
                    failures.append(began)
            except OSError:
                failures.append(began)
            done[k] += 1

    threads = [threading.Thread(target=load, args=(k,)) for k in range(3)]
    for t in threads:
        t.start()
    replaced = []
    for slot in range(4):
        so_far = sum(done)
        wait_for(lambda n=so_far: sum(done) > n + 100, "more requests")
        victim = d.workers()[slot]
        kill_and_time(d, victim)
        replaced.append(time.monotonic())
        d.wait_successor(victim)
    so_far = sum(done)
    wait_for(lambda: sum(done) > so_far + 100, "more requests")
    stop.set()
    for t in threads:
        t.join()
    # With the victim, or before its successor was ready; and few.
    for began in failures:
        assert any(began < then < began + 1 for then in replaced)
    assert len(failures) <= 3 * len(replaced)


def test_death_is_on_record(drover):
    d = start(drover)
    with d.raw() as c:
        c.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        busy = wait_for(lambda: [w for w in d.cluster()["workers"]
                                 if w.get("inFlight")], "it is under way")[0]
        os.kill(busy["pid"], signal.SIGKILL)
        # The client is told by the end of its connection, not by silence.
        assert c.rest() == b""
    d.wait_successor(busy["pid"])
    death = d.cluster()["deaths"][0]
    assert death["pid"] == busy["pid"] and death["worker"] == busy["worker"]
    assert death["inFlight"] == 1
    assert "9" in death["cause"] or "KILL" in death["cause"]
    worker = d.cluster()["workers"][busy["worker"] - 1]
    assert worker["generation"] == 2 and worker["deaths"] == 1
    metrics = d.admin("/metrics").body.decode()
    assert re.search(r"^drover_\w*deaths\w*\{.*\} 1$", metrics, re.M), metrics


def test_totals_survive_a_worker(drover):
    d = start(drover)
    for _ in range(100):
        d.get("/api")
    assert d.total("requests") == 100
    for slot in range(4):
        d.kill_worker(slot)
        assert d.total("requests") == 100
    d.get("/api")
    assert d.total("requests") == 101


def test_the_successor_has_numbers_from_the_start(drover, redis):
    """With one worker, the next request meets the successor, before its
    connection to Redis."""
    d = drover(workers=1, redis={"url": redis().url},
               routes=[handler("/api/count", "count")])
    d.wait_redis()
    last = d.get("/api/count").json()["count"]
    for _ in range(2):
        victim = d.workers()[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda pid=victim: not is_alive(pid), "its end")
        response = d.get("/api/count")
        assert response.status == 200, response
        assert response.json()["count"] > last
        last = response.json()["count"]

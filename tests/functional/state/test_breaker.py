"""Goal: three failures in a row open a service's circuit for the whole cluster;
one probe closes the circuit again."""

import os
import re
import signal
import threading
import time

import pytest

from harness import in_parallel, read_head, route, wait_for

OPEN_FOR = "1s"


def start(drover, backend, url, name="drover", workers=4, service=None,
          **more):
    return drover(name=name, workers=workers, cluster="demo",
                  routes=[route("/pay", "payments")],
                  services=[{"name": "payments",
                             "endpoints": [backend.address],
                             "breaker": {"failures": 3, "window": "10s",
                                         "open_for": OPEN_FOR, **more},
                             **(service or {})}],
                  **({"redis": {"url": url}} if url else {}))


def all_up(*gateways):
    for d in gateways:
        d.wait_redis()


def state(d):
    return d.service("payments")["breaker"]


@pytest.mark.parametrize("with_redis", [True, False])
def test_the_seed_behaviour(drover, backend, redis, with_redis):
    """Stop the payment service, send ten requests: three are tried, seven
    refused. The circuit closes when the service is back."""
    payments = backend()
    d = start(drover, payments, redis().url if with_redis else None)
    if with_redis:
        all_up(d)
    assert d.get("/pay").status == 200
    payments.stop()
    answers = [d.get("/pay") for _ in range(10)]
    assert [a.status for a in answers] == [502] * 3 + [503] * 7
    for a in answers[3:]:
        assert a.headers["content-type"] == "application/json"
        assert int(a.headers["retry-after"]) in (1, 2)
        assert "circuit open" in a.json()["error"]
    assert state(d) == "open"
    d.wait_log("breaker payments: closed -> open, 3 failures, last: "
               "connection refused")
    assert d.service("payments")["rejected"] == 7
    payments.start()
    wait_for(lambda: d.get("/pay").status == 200, "the circuit closes")
    for _ in range(40):
        assert d.get("/pay").status == 200
    assert state(d) == "closed"
    d.wait_log("breaker payments: .*-> closed")


def test_a_probe_that_fails_opens_again(drover, backend, redis):
    payments = backend()
    d = start(drover, payments, redis().url)
    all_up(d)
    payments.stop()
    for _ in range(3):
        assert d.get("/pay").status == 502
    wait_for(lambda: d.get("/pay").status == 502, "a probe goes out")
    # And only the probe.
    assert [d.get("/pay").status for _ in range(10)] == [503] * 10
    d.wait_log("breaker payments: half-open -> open|"
               "breaker payments: .* -> open, the probe failed")


def test_a_probe_is_judged_by_its_head(drover, backend, redis):
    """The probe's body may last for ever: no other request waits for the
    end."""
    failing, over = threading.Event(), threading.Event()
    failing.set()

    def handle(connection):
        while connection.read_request() is not None:
            if failing.is_set():
                connection.reply(status="503 Later")
                continue
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1")
            over.wait(10)
            connection.send("2")

    d = start(drover, backend(handle), redis().url)
    all_up(d)
    assert [d.get("/pay").status for _ in range(4)] == [503] * 4
    assert state(d) == "open"
    failing.clear()
    with d.raw() as c:
        def is_probing():
            c.send("GET /pay HTTP/1.1\r\nHost: a\r\n\r\n")
            head = read_head(c.file.read)
            if b" 200 " in head:
                return True
            c.file.read(int(re.search(rb"Content-Length: (\d+)", head)[1]))
            return False

        wait_for(is_probing, "the probe is on its way")
        wait_for(lambda: state(d) == "closed", "it has closed the circuit")
        assert not over.is_set()
        over.set()
        assert d.get("/pay").body == b"12"


def test_two_instances_are_of_one_mind(drover, backend, redis):
    payments = backend()
    url = redis().url
    a = start(drover, payments, url, "a")
    b = start(drover, payments, url, "b")
    all_up(a, b)
    payments.stop()
    # Failures add up over instances.
    statuses = [(a, b)[i % 2].get("/pay").status for i in range(3)]
    assert statuses == [502] * 3
    wait_for(lambda: state(a) == "open" and state(b) == "open",
             "both know", 1)
    for d in (a, b):
        assert [d.get("/pay").status for _ in range(5)] == [503] * 5
    payments.start()
    wait_for(lambda: a.get("/pay").status == 200, "it closes at one")
    wait_for(lambda: state(b) == "closed", "and at the other", 1)
    assert [b.get("/pay").status for _ in range(10)] == [200] * 10
    # Only one worker opened the circuit, and logged so.
    opened = sum(d.count_log("breaker payments: closed -> open")
                 for d in (a, b))
    assert opened == 1


def test_one_probe_in_the_whole_cluster(drover, backend, redis):
    """The service hangs on the probe; meanwhile everybody asks."""
    fail = threading.Event()
    fail.set()
    release = threading.Event()
    arrived = []

    def handle(connection):
        while connection.read_request() is not None:
            if fail.is_set():
                connection.reply(status="502 Broken")
                continue
            arrived.append(connection.number)
            release.wait(10)
            connection.reply("paid")

    payments = backend(handle)
    url = redis().url
    both = [start(drover, payments, url, name) for name in ("a", "b")]
    all_up(*both)
    for _ in range(3):
        assert both[0].get("/pay").status == 502
    wait_for(lambda: state(both[1]) == "open", "both know", 1)
    fail.clear()
    statuses = []
    stop = threading.Event()

    def ask(i):
        while not stop.is_set():
            statuses.append(both[i % 2].get("/pay").status)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    wait_for(lambda: arrived, "the probe arrives")
    seen = len(statuses)
    wait_for(lambda: len(statuses) > seen + 300, "300 more have asked")
    assert len(arrived) == 1
    assert set(statuses) == {503}
    release.set()
    wait_for(lambda: 200 in statuses, "the probe has closed it")
    stop.set()
    for t in threads:
        t.join()
    wait_for(lambda: all(state(d) == "closed" for d in both), "both know", 1)
    assert [d.get("/pay").status for d in both] == [200, 200]


def test_a_success_between_starts_over(drover, backend, redis):
    answers = iter([False, False, True, False, False, True] * 2)

    def handle(connection):
        while connection.read_request() is not None:
            connection.reply(status="200 OK" if next(answers)
                             else "503 Busy")

    d = start(drover, backend(handle), redis().url, workers=1)
    all_up(d)
    with d.client() as c:
        statuses = [c.get("/pay").status for _ in range(12)]
    assert statuses == [503, 503, 200] * 4
    assert state(d) == "closed"


def test_a_client_that_leaves_is_no_failure(drover, backend, redis):
    release = threading.Event()

    def handle(connection):
        while connection.read_request() is not None:
            release.wait(10)
            connection.reply("paid")

    d = start(drover, backend(handle), redis().url)
    all_up(d)
    clients = [d.raw() for _ in range(6)]
    for c in clients:
        c.send("GET /pay HTTP/1.1\r\nHost: a\r\n\r\n")
    d.wait_in_flight(6)
    for c in clients:
        c.reset()
    d.wait_in_flight(0)
    release.set()
    assert in_parallel(4, lambda i: d.get("/pay").status) == [200] * 4
    assert state(d) == "closed"


def test_a_probe_is_told_of_when_redis_is_back(drover, backend, redis):
    """The probe succeeds while Redis stands still. The lease has a minute to
    go, but no request may have to wait for its end."""
    arrived, release = threading.Event(), threading.Event()
    fail = threading.Event()
    fail.set()

    def handle(connection):
        while connection.read_request() is not None:
            if fail.is_set():
                connection.reply(status="502 Broken")
                continue
            arrived.set()
            release.wait(10)
            connection.reply("paid")

    r = redis()
    d = start(drover, backend(handle), r.url, workers=2)
    all_up(d)
    assert [d.get("/pay").status for _ in range(4)] == [502] * 3 + [503]
    fail.clear()
    statuses = []

    def probe():
        while not statuses or statuses[-1] != 200:
            statuses.append(d.get("/pay").status)

    prober = threading.Thread(target=probe)
    prober.start()
    assert arrived.wait(10)
    os.kill(r.pid, signal.SIGSTOP)
    try:
        d.wait_log("degraded mode")
        release.set()
        prober.join(10)
        assert statuses[-1] == 200
    finally:
        os.kill(r.pid, signal.SIGCONT)
    d.wait_log("degraded mode is over")
    d.wait_redis()
    # For as long as the host trusts its local step, and longer.
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert d.get("/pay").status == 200
    assert state(d) == "closed"


def test_an_answer_in_time_stays_one(drover, backend, redis):
    """The backend says 503 at once; Redis, which is to count the failure, takes
    longer than the backend may."""
    seen = []

    def handle(connection):
        while connection.read_request() is not None:
            seen.append(connection.number)
            connection.reply("mine", status="503 Busy")

    r = redis()
    d = start(drover, backend(handle), r.url, workers=1,
              service={"timeouts": {"read": "300ms"}})
    all_up(d)
    os.kill(r.pid, signal.SIGSTOP)
    try:
        answer = d.get("/pay")
    finally:
        os.kill(r.pid, signal.SIGCONT)
    assert (answer.status, answer.body) == (503, b"mine")
    assert len(seen) == 1
    assert d.service("payments")["failures"] == 1

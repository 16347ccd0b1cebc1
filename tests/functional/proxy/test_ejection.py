"""Goal: a failing endpoint is passed over for a while, and comes back; retries
keep to the budget."""

import re
import threading

import pytest

from backends import deaf
from harness import free_port, in_parallel, route, service, wait_for


class Fickle:
    """A backend's handler that fails in a given way, for as long as told. A
    working connection is closed: a reset on a reused connection would count as
    a stale connection."""

    def __init__(self, how="reset"):
        self.how = how
        self.failing = True
        self.seen = 0
        self.lock = threading.Lock()

    def __call__(self, connection):
        while connection.read_request() is not None:
            with self.lock:
                self.seen += 1
            if not self.failing:
                connection.reply("fickle", headers="Connection: close\r\n")
                return
            elif self.how == "reset":
                connection.reset()
                return
            elif self.how == "garbage":
                connection.send("garbage\r\n\r\n")
            elif self.how == "silence":
                connection.file.read()
                return
            else:
                connection.reply("no", status=self.how)


def good(connection):
    while connection.read_request() is not None:
        connection.reply("good")


def start(drover, backend, fickle, **more):
    """A gateway with one worker in front of the two."""
    return drover(workers=1, routes=[route("/", "s")],
                  services=[service("s", backend(fickle).address,
                                    backend(good).address,
                                    **{"retries": 0, **more})])


@pytest.mark.parametrize("how", ["reset", "garbage", "silence",
                                 "502 Bad Gateway", "503 Service Unavailable",
                                 "504 Gateway Timeout"])
def test_three_failures_in_a_row(drover, backend, how):
    fickle = Fickle(how)
    d = start(drover, backend, fickle, eject={"for": "60s"},
              timeouts={"read": "100ms"})
    statuses = [d.get("/").status for _ in range(40)]
    assert fickle.seen == 3
    assert statuses.count(200) == 37
    assert d.count_log("passed over for 60000 ms") == 1
    assert d.count_log("passed over") == 1


def test_it_comes_back(drover, backend):
    fickle = Fickle()
    d = start(drover, backend, fickle, eject={"for": "50ms"})
    wait_for(lambda: d.get("/") and d.count_log("passed over"), "ejected")
    assert fickle.seen == 3
    fickle.failing = False
    # One line, since one worker has noticed.
    wait_for(lambda: d.get("/") and d.count_log("works again"), "it is back")
    assert d.count_log("works again after 3 failures") == 1
    answers = [d.get("/").body for _ in range(20)]
    assert answers.count(b"fickle") == 10
    # The count starts anew: three failures again.
    fickle.failing = True
    seen = fickle.seen
    wait_for(lambda: d.get("/") and d.count_log("passed over") == 2,
             "ejected again")
    assert fickle.seen == seen + 3
    assert d.count_log("passed over for 50 ms, failures in a row: 3") == 2


def test_a_success_between_starts_anew(drover, backend):
    fickle = Fickle()
    d = start(drover, backend, fickle)
    for _ in range(10):
        fickle.failing = True
        d.get("/"), d.get("/"), d.get("/"), d.get("/")
        fickle.failing = False
        d.get("/"), d.get("/")
    assert fickle.seen == 30
    assert d.count_log("passed over") == 0


def test_one_answer_is_one_failure(drover, backend):
    """A bad status with a body cut short is one failure, not two."""
    def handle(connection):
        connection.read_request()
        connection.send("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nhalf")

    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend(handle).address,
                                 eject={"failures": 2, "for": "60s"})])
    for n in (1, 2):
        assert d.count_log("passed over") == 0
        with d.raw() as c:
            c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert c.rest().endswith(b"half")
        assert d.service("s")["failures"] == n
    d.wait_log("passed over")


def test_ejected_for_longer_each_time(drover, backend):
    fickle = Fickle()
    d = start(drover, backend, fickle, eject={"for": "20ms", "failures": 2})
    wait_for(lambda: d.get("/") and d.count_log("for 200 ms") == 3,
             "it is at its longest")
    times = re.findall(r"passed over for (\d+) ms", d.log())
    assert times == ["20", "40", "80", "160", "200", "200", "200"]
    # On trial, the endpoint gets one try each time, after the first two.
    assert fickle.seen == 8


def test_never_for_these(drover, backend):
    fickle = Fickle()
    d = start(drover, backend, fickle, eject={"failures": 0})
    statuses = [d.get("/").status for _ in range(40)]
    assert statuses.count(200) == 20
    assert fickle.seen == 20
    assert d.count_log("passed over") == 0


def test_unreachable_at_once_all_the_same(drover, backend):
    dead = f"127.0.0.1:{free_port()}"
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", dead, backend(good).address,
                                 eject={"failures": 0, "for": "60s"})])
    assert [d.get("/").status for _ in range(40)] == [200] * 40
    assert d.count_log(f"endpoint {dead} of s: connection refused; "
                       "passed over") == 1
    assert d.total("upstream_retries") == 1


def test_failures_at_the_same_time_are_one_ejection(drover, backend):
    arrived, go = threading.Semaphore(0), threading.Event()

    def handle(connection):
        connection.read_request()
        arrived.release()
        go.wait(10)
        connection.reset()

    d = start(drover, backend, handle, eject={"for": "60s"})
    results = []
    thread = threading.Thread(target=lambda: results.extend(
        in_parallel(20, lambda i: d.get("/").status)))
    thread.start()
    for _ in range(10):
        assert arrived.acquire(timeout=10)
    go.set()
    thread.join()
    assert sorted(results) == [200] * 10 + [502] * 10
    assert d.count_log("passed over for 60000 ms") == 1
    assert d.count_log("passed over") == 1


def test_when_all_are_ejected_all_are_used(drover, backend):
    one, other = Fickle(), Fickle()
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend(one).address,
                                 backend(other).address, retries=0,
                                 eject={"for": "60s"})])
    wait_for(lambda: d.get("/") and d.count_log("passed over") == 2,
             "both are ejected")
    one.failing = other.failing = False
    assert [d.get("/").status for _ in range(20)] == [200] * 20
    # The first endpoint that works is used; the other's time is not over.
    assert d.count_log("works again") == 1


def test_the_retry_budget(drover, backend):
    """40 requests, half of them on an endpoint that resets all at once: a fifth
    of 40 is retried on the second endpoint, the rest is answered."""
    arrived = threading.Semaphore(0)
    go = {"bad": threading.Event(), "good": threading.Event()}

    def bad(connection):
        connection.read_request()
        arrived.release()
        go["bad"].wait(10)
        connection.reset()

    def slow(connection):
        connection.read_request()
        arrived.release()
        go["good"].wait(10)
        connection.reply("good", headers="Connection: close\r\n")

    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", backend(bad).address,
                                 backend(slow).address, retries=5,
                                 eject={"failures": 0})])
    results = []
    thread = threading.Thread(target=lambda: results.extend(
        in_parallel(40, lambda i: d.get("/").status)))
    thread.start()
    for _ in range(40):
        assert arrived.acquire(timeout=10)
    go["bad"].set()
    d.wait_in_flight(28)
    assert d.total("upstream_retries") == 8
    go["good"].set()
    thread.join()
    assert sorted(results) == [200] * 28 + [502] * 12


def test_a_line_names_the_error(drover, backend):
    """Of a connection that is refused, of one that is reset, and of a socket
    that does not exist."""
    d = drover(workers=1, routes=[route("/a", "a"), route("/b", "b"),
                                  route("/c", "c")],
               services=[service("a", f"127.0.0.1:{free_port()}"),
                         service("b", backend(Fickle()).address,
                                 eject={"failures": 1}),
                         service("c", "unix:/nowhere/at-all")])
    for path in ("/a", "/b", "/c"):
        assert d.get(path).status == 502
    for name, error in (("a", "ECONNREFUSED"), ("b", "ECONNRESET"),
                        ("c", "ENOENT")):
        assert d.count_log(rf"endpoint \S+ of {name}: .*; passed over for "
                           rf"1000 ms, failures in a row: 1; {error}, ") == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_never_left_costs_no_budget(drover, backend, method):
    """Half of 40 requests at once wait for an endpoint that does not accept:
    all of them go to the other one."""
    with deaf() as address:
        d = drover(workers=1, routes=[route("/", "s")],
                   services=[service("s", address, backend(good).address,
                                     timeouts={"connect": "300ms"})])
        assert in_parallel(40, lambda i: d.request(method, "/").status) == \
            [200] * 40
        assert d.total("upstream_retries") >= 10


def test_three_may_always_be_tried_again(drover, backend):
    """A single request on its second, third and fourth try spends only its own
    budget."""
    seen = []

    def handle(connection):
        connection.read_request()
        seen.append(1)
        connection.reset()

    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", *[backend(handle).address
                                        for _ in range(3)], retries=10,
                                 eject={"failures": 0})])
    for i in range(5):
        assert d.get("/").status == 502
        assert len(seen) == 11 * (i + 1)

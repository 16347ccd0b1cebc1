"""Goal: requests spread over a service's endpoints by its policy, and what is
dead is passed over without a failed request."""

import threading

import pytest

from harness import free_port, in_parallel, route, service, wait_for


def named(name, seen):
    def handle(connection):
        while connection.read_request() is not None:
            seen.append(name)
            connection.reply(name)
    return handle


def test_round_robin(drover, backend):
    seen = []
    backends = [backend(named(n, seen)) for n in "abc"]
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", *[b.address for b in backends])])
    with d.client() as c:
        answers = [c.get("/").body.decode() for _ in range(30)]
    assert {n: answers.count(n) for n in "abc"} == {"a": 10, "b": 10, "c": 10}
    # In turn, not in runs.
    assert all(x != y for x, y in zip(answers, answers[1:]))


def test_round_robin_over_workers(drover, backend):
    seen = []
    backends = [backend(named(n, seen)) for n in "ab"]
    d = drover(workers=4, routes=[route("/", "s")],
               services=[service("s", *[b.address for b in backends])])
    in_parallel(8, lambda i: [d.get("/") for _ in range(10)])
    assert len(seen) == 80
    assert 20 <= seen.count("a") <= 60


@pytest.mark.parametrize("workers", [1, 4])
def test_least_conn_avoids_the_busy_one(drover, backend, workers):
    """Two requests sit on each backend; one is then relieved of its two and
    gets all that comes, from whichever worker: they agree on the load."""
    release = {"slow": threading.Event(), "fast": threading.Event()}
    counts = {"slow": 0, "fast": 0}
    lock = threading.Lock()

    def handler(name):
        def handle(connection):
            while connection.read_request() is not None:
                with lock:
                    counts[name] += 1
                release[name].wait(10)
                connection.reply(name)
        return handle

    slow, fast = backend(handler("slow")), backend(handler("fast"))
    d = drover(workers=workers, routes=[route("/", "s")],
               services=[service("s", slow.address, fast.address,
                                 policy="least_conn")])
    threads = [threading.Thread(target=d.get, args=("/",)) for _ in range(4)]
    for i, t in enumerate(threads):
        t.start()
        wait_for(lambda n=i: sum(counts.values()) == n + 1, "it has arrived")
    assert counts == {"slow": 2, "fast": 2}
    release["fast"].set()
    d.wait_in_flight(2)
    for _ in range(20):
        assert d.get("/").body == b"fast"
    assert counts == {"slow": 2, "fast": 22}
    release["slow"].set()
    for t in threads:
        t.join()


def test_a_dead_endpoint_is_passed_over(drover, backend):
    seen = []
    dead = f"127.0.0.1:{free_port()}"
    d = drover(routes=[route("/", "s")],
               services=[service("s", dead, backend(named("a", seen)).address)])
    for _ in range(40):
        assert d.get("/").body == b"a"
    # A connection that was refused has carried nothing: this may be sent
    # again too.
    for _ in range(10):
        assert d.request("POST", "/", body=b"x").body == b"a"
    assert d.service("s")["failures"] == 0
    assert d.count_log(f"endpoint {dead} of s: connection refused") <= 2


def test_an_endpoint_dies_under_load(drover, backend):
    seen = []
    first, second = backend(named("a", seen)), backend(named("b", seen))
    d = drover(routes=[route("/", "s")],
               services=[service("s", first.address, second.address)])
    stop = threading.Event()
    statuses = []

    def load():
        with d.client() as c:
            while not stop.is_set():
                statuses.append(c.get("/").status)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for t in threads:
        t.start()
    wait_for(lambda: "a" in seen and "b" in seen, "both are in use")
    first.stop()
    dead_at = len(seen)
    wait_for(lambda: len(seen) > dead_at + 200, "200 more requests")
    first.start()
    back_at = len(seen)
    wait_for(lambda: "a" in seen[back_at:], "the first is used again")
    stop.set()
    for t in threads:
        t.join()
    assert set(statuses) == {200}


def test_active_checks_find_out_alone(drover, backend):
    healthy = threading.Event()
    healthy.set()
    served = []

    def handle(connection):
        while (request := connection.read_request()) is not None:
            if request.target == "/check":
                connection.reply(status="200 OK" if healthy.is_set()
                                 else "500 Broken")
            else:
                served.append(request.target)
                connection.reply("a")

    d = drover(routes=[route("/", "s")],
               services=[service("s", backend(handle).address,
                                 backend(named("b", [])).address,
                                 health={"path": "/check", "interval": "50ms",
                                         "timeout": "1s", "rise": 1,
                                         "fall": 2})])
    for _ in range(10):
        assert d.get("/x").status == 200
    assert served
    healthy.clear()
    d.wait_log(r"endpoint .* of s: down, 2 checks failed")
    served.clear()
    for _ in range(20):
        assert d.get("/x").body == b"b"
    assert not served
    healthy.set()
    d.wait_log(r"(?s)of s: down.* of s: up")
    for _ in range(10):
        assert d.get("/x").status == 200
    assert served

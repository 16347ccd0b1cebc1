"""Goal: requests spread over a service's endpoints by its policy, and dead
endpoints are passed over without a failed request."""

import http.client
import threading

import pytest

from harness import free_port, in_parallel, route, service, wait_for


def named(name, seen):
    def handle(connection):
        while (request := connection.read_request()) is not None:
            if request.target != "/check":
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
    """Two requests sit on each backend. One backend is relieved of its two and
    gets all new requests, from any worker: the workers agree on the load."""
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


def counts_of(seen):
    return {n: seen.count(n) for n in sorted(set(seen))}


def test_weights_are_exact(drover, backend):
    seen = []
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", *[
                   f"{backend(named(n, seen)).address} weight={w}"
                   for n, w in (("a", 1), ("b", 2), ("c", 5))])])
    for _ in range(80):
        assert d.get("/").status == 200
    assert counts_of(seen) == {"a": 10, "b": 20, "c": 50}
    # Each group of eight has the full pattern: no runs of one endpoint.
    for i in range(0, 80, 8):
        assert counts_of(seen[i:i + 8]) == {"a": 1, "b": 2, "c": 5}


def test_weight_0_is_drained(drover, backend):
    seen = []
    addresses = [backend(named(n, seen)).address for n in "ab"]
    d = drover(routes=[route("/", "s"), route("/none", "none")],
               services=[service("s", f"{addresses[0]} weight=0",
                                 addresses[1]),
                         service("none", f"{addresses[0]} weight=0",
                                 breaker={"failures": 1})])
    for _ in range(40):
        assert d.get("/").body == b"b"
    for _ in range(3):
        answer = d.get("/none")
        assert answer.status == 503
        assert "drained" in answer.json()["error"]
    assert d.service("none")["breaker"] == "closed"
    assert set(seen) == {"b"}


def holding(name, counts, lock, release):
    """Holds requests to /held until released."""
    def handle(connection):
        while (request := connection.read_request()) is not None:
            with lock:
                counts[name] += 1
            if request.target == "/held":
                release.wait(10)
            connection.reply(name)
    return handle


@pytest.mark.parametrize("policy,held", [
    ("least_conn", {"a": 2, "b": 6}), ("random_two", {"a": 2, "b": 6})])
def test_loads_in_proportion_to_weights(drover, backend, policy, held):
    """Of eight requests that stay, on any worker."""
    counts, lock = {"a": 0, "b": 0}, threading.Lock()
    release = threading.Event()
    d = drover(routes=[route("/", "s")],
               services=[service("s", *[
                   f"{backend(holding(n, counts, lock, release)).address}"
                   f" weight={w}" for n, w in (("a", 1), ("b", 3))],
                                 policy=policy)])
    threads = [threading.Thread(target=d.get, args=("/held",))
               for _ in range(8)]
    for i, t in enumerate(threads):
        t.start()
        wait_for(lambda n=i: sum(counts.values()) == n + 1, "it has arrived")
    release.set()
    for t in threads:
        t.join()
    assert counts == held


def test_random_two_avoids_the_busy_one(drover, backend):
    counts, lock = {"a": 0, "b": 0}, threading.Lock()
    release = threading.Event()
    d = drover(routes=[route("/", "s")],
               services=[service("s", *[
                   backend(holding(n, counts, lock, release)).address
                   for n in "ab"], policy="random_two")])
    held = threading.Thread(target=d.get, args=("/held",))
    held.start()
    wait_for(lambda: sum(counts.values()) == 1, "it has arrived")
    busy = max(counts, key=counts.get)
    for _ in range(20):
        assert d.get("/").body.decode() != busy
    release.set()
    held.join()


def get_from(d, host):
    """The response to a client at the address, on a connection of its own."""
    client = http.client.HTTPConnection("127.0.0.1", d.port, timeout=10,
                                        source_address=(host, 0))
    client.request("GET", "/")
    body = client.getresponse().read().decode()
    client.close()
    return body


def test_ip_hash_is_the_same_everywhere(drover, backend):
    """In each worker, and in an instance with another order of endpoints."""
    addresses = [backend(named(n, [])).address for n in "abc"]
    clients = [f"127.9.{i}.{i}" for i in range(30)]
    answers = []
    for name, listed in (("one", addresses), ("two", addresses[::-1])):
        d = drover(name=name, workers=3, routes=[route("/", "s")],
                   services=[service("s", *listed, policy="ip_hash")])
        for _ in range(4):
            answers.append([get_from(d, c) for c in clients])
    assert all(a == answers[0] for a in answers)
    assert set(answers[0]) == {"a", "b", "c"}


@pytest.mark.parametrize("on", ["header X-Key", "query key", "cookie key",
                                "path"])
def test_consistent_hash_moves_only_what_it_must(drover, backend, on):
    """When an endpoint dies its keys move, and return with the endpoint."""
    backends = {n: backend(named(n, [])) for n in "abcd"}
    d = drover(routes=[route("/", "s")],
               services=[service("s", *[b.address for b in backends.values()],
                                 policy="consistent_hash", hash=on,
                                 eject={"for": "100ms"})])

    def ask(i):
        kind = on.split()[0]
        with d.client() as c:
            answer = c.get(f"/{i}" if kind == "path" else f"/?key=k{i}"
                           if kind == "query" else "/",
                           **({"X-Key": f"k{i}"} if kind == "header" else {}),
                           **({"Cookie": f"key=k{i}"}
                              if kind == "cookie" else {}))
        assert answer.status == 200
        return answer.body.decode()

    keys = range(60)
    before = [ask(i) for i in keys]
    assert set(before) == set("abcd")
    assert [ask(i) for i in keys] == before
    backends["b"].stop()
    moved = [ask(i) for i in keys]
    assert "b" not in moved
    assert [m for m, x in zip(moved, before) if x != "b"] == \
        [x for x in before if x != "b"]
    assert len({m for m, x in zip(moved, before) if x == "b"}) > 1
    backends["b"].start()
    wait_for(lambda: [ask(i) for i in keys] == before, "all keys are back")


def test_a_newcomer_starts_slowly(drover, backend):
    """An endpoint that comes back gets a tenth at first; the slow growth can't
    be seen here."""
    seen = []
    first, second = backend(named("a", seen)), backend(named("b", seen))
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", first.address, second.address,
                                 slow_start="1000s", eject={"for": "100ms"})])
    for _ in range(20):
        assert d.get("/").status == 200
    assert counts_of(seen) == {"a": 10, "b": 10}
    first.stop()
    assert d.get("/").status == 200
    assert d.get("/").status == 200
    d.wait_log("passed over")
    first.start()
    back_at = len(seen)
    wait_for(lambda: d.get("/") and "a" in seen[back_at:], "it is back")
    del seen[:]
    for _ in range(110):
        assert d.get("/").status == 200
    # 1 : 10 until 10 s have passed, on any machine.
    assert 9 <= seen.count("a") <= 20


def test_checks_that_pass_again_are_a_start_too(drover, backend):
    healthy, seen = threading.Event(), []
    healthy.set()

    def handle(connection):
        while (request := connection.read_request()) is not None:
            if request.target != "/check":
                seen.append("a")
            connection.reply(status="200 OK" if healthy.is_set()
                             else "500 Broken")

    d = drover(routes=[route("/", "s")],
               services=[service("s", backend(handle).address,
                                 backend(named("b", seen)).address,
                                 slow_start="1000s",
                                 health={"path": "/check", "interval": "50ms",
                                         "rise": 1, "fall": 1})])
    # An endpoint first found up has always been up.
    for _ in range(40):
        assert d.get("/").status == 200
    assert 10 <= seen.count("a") <= 30
    healthy.clear()
    d.wait_log("of s: down")
    healthy.set()
    d.wait_log("(?s)of s: down.* of s: up")
    del seen[:]
    for _ in range(110):
        assert d.get("/").status == 200
    # A tenth by each worker, also by the worker without checks.
    assert 8 <= seen.count("a") <= 20


def test_services_check_an_address_each_for_itself(drover, backend):
    """The first check's path exists, the second's does not."""
    asked = []

    def handle(connection):
        while (request := connection.read_request()) is not None:
            asked.append(request.target)
            connection.reply(status="500 Broken" if request.target == "/bad"
                             else "200 OK")

    address = backend(handle).address
    d = drover(workers=1, services=[
        service(name, address, health={"path": f"/{name}", "interval": "20ms",
                                       "rise": 1, "fall": 1})
        for name in ("good", "bad")], routes=[route("/", "good")])
    wait_for(lambda: min(asked.count("/good"), asked.count("/bad")) > 10,
             "both have asked often")
    assert d.count_log("of bad: down") == d.count_log("of good: up") == 1
    assert d.count_log(r"of \w+: (up|down)") == 2


def test_a_dead_endpoint_is_passed_over(drover, backend):
    seen = []
    dead = f"127.0.0.1:{free_port()}"
    d = drover(routes=[route("/", "s")],
               services=[service("s", dead, backend(named("a", seen)).address,
                                 eject={"for": "60s"})])
    for _ in range(40):
        assert d.get("/").body == b"a"
    # A refused connection has carried nothing: a POST may be sent again too.
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


def test_active_checks_of_a_unix_socket(drover, backend, place):
    """And weights hold again once the endpoint is up."""
    healthy = threading.Event()
    seen = []

    def handle(connection):
        while (request := connection.read_request()) is not None:
            if request.target == "/check":
                connection.reply(status="200 OK" if healthy.is_set()
                                 else "500 Broken")
            else:
                seen.append("a")
                connection.reply("a")

    unix = backend(handle, host=f"{place}/backend")
    d = drover(workers=1, routes=[route("/", "s")],
               services=[service("s", f"{unix.address} weight=3",
                                 backend(named("b", seen)).address,
                                 health={"path": "/check", "interval": "50ms",
                                         "timeout": "1s", "rise": 2,
                                         "fall": 2})])
    d.wait_log(f"endpoint {unix.address} of s: down, 2 checks failed")
    for _ in range(10):
        assert d.get("/x").body == b"b"
    healthy.set()
    d.wait_log(f"endpoint {unix.address} of s: up, 2 checks passed")
    del seen[:]
    for _ in range(40):
        assert d.get("/x").status == 200
    assert counts_of(seen) == {"a": 30, "b": 10}


def test_a_check_asks_and_expects_as_told(drover, backend):
    """An application that looks at Host, and whose body tells its state."""
    healthy, asked = threading.Event(), []
    healthy.set()

    def handle(connection):
        while (request := connection.read_request()) is not None:
            asked.append(request)
            good = (request.headers["host"] == "app.test" and
                    request.headers["x-token"] == "a b")
            connection.reply(
                "status: green" if healthy.is_set() else "status: red",
                status="401 Who" if good else "400 Bad Host")

    def no_checks(connection):
        while connection.read_request() is not None:
            connection.reply(status="500 Not here")

    checks = backend(handle)
    d = drover(workers=1, routes=[route("/", "s")], services=[
        service("s", backend(no_checks).address, health={
            "path": "/up", "interval": "20ms", "rise": 1, "fall": 1,
            "host": "app.test", "headers": ["X-Token: a b"],
            "method": "OPTIONS", "port": checks.port,
            "expect": {"status": ["2xx", 401], "body": "green"}})])
    d.wait_log("of s: up")
    assert asked[0].method == "OPTIONS"
    healthy.clear()
    d.wait_log("of s: down, 1 checks failed: the body lacks")

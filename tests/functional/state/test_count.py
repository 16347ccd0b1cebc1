"""Goal: /api/count hands out each number once, over all workers and instances,
and larger ones as time goes by."""

from harness import handler, in_parallel, route, service

ROUTES = [handler("/api/count", "count")]
CONNECTIONS = 40
REQUESTS = 20000
DEPTH = 25  # pipelined: the counter is under load, not the client


def start(drover, url, name, workers=4, **more):
    d = drover(name=name, workers=workers, routes=ROUTES,
               redis={"url": url}, **more)
    d.wait_redis()
    return d


def hammer(d, requests):
    """The numbers that a connection was given, in order."""
    request = b"GET /api/count HTTP/1.1\r\nHost: a\r\n\r\n"
    numbers = []
    with d.raw() as c:
        for _ in range(requests // DEPTH):
            c.send(request * DEPTH)
            for _ in range(DEPTH):
                response = c.response()
                assert response.status == 200, response
                numbers.append(response.json()["count"])
    return numbers


def test_unique_over_workers_and_instances(drover, redis):
    url = redis().url
    both = [start(drover, url, name) for name in ("one", "two")]
    taken = in_parallel(CONNECTIONS, lambda i: hammer(
        both[i % 2], REQUESTS // CONNECTIONS))
    for numbers in taken:
        assert all(a < b for a, b in zip(numbers, numbers[1:]))
    everything = [n for numbers in taken for n in numbers]
    assert len(everything) == REQUESTS
    assert len(set(everything)) == REQUESTS
    # None is far from the others: nothing is thrown away by the thousand.
    assert max(everything) < 2 * REQUESTS


def test_increases_from_one_request_to_the_next(drover, redis):
    """Whoever asks after another has been answered gets a larger number, from
    any worker of any instance."""
    url = redis().url
    both = [start(drover, url, name) for name in ("one", "two")]
    last, pids = 0, set()
    for i in range(300):
        answer = both[i % 2].get("/api/count").json()
        assert answer["count"] > last, (i, answer)
        assert answer["state"] == "redis"
        last = answer["count"]
        pids.add(answer["pid"])
    assert len(pids) > 4


def test_clusters_count_apart(drover, redis):
    url = redis().url
    one, two = [start(drover, url, name, cluster=name)
                for name in ("one", "two")]
    assert one.get("/api/count").json()["count"] == 1
    assert one.get("/api/count").json()["count"] == 2
    assert two.get("/api/count").json()["count"] == 1


def test_in_memory_repeats(drover):
    """The way that does not scale, for comparison: each process counts
    alone."""
    d = drover(workers=4, routes=ROUTES)
    answers = d.get_from_all("/api/count?state=memory", 40)
    assert {a["state"] for a in answers} == {"memory"}
    numbers = [a["count"] for a in answers]
    assert len(set(numbers)) < len(numbers)
    for pid in {a["pid"] for a in answers}:
        mine = [a["count"] for a in answers if a["pid"] == pid]
        assert mine == list(range(1, len(mine) + 1))


def test_through_a_load_balancer(drover, redis):
    url = redis().url
    behind = [start(drover, url, name, workers=2) for name in ("one", "two")]
    lb = drover(name="lb", routes=[route("/", "gateways")], services=[
        service("gateways", *[f"127.0.0.1:{d.port}" for d in behind])])
    answers = [lb.get("/api/count").json() for _ in range(50)]
    assert len({a["count"] for a in answers}) == 50
    assert {a["instance"] for a in answers} == {"one", "two"}

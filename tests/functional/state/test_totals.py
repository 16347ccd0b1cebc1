"""Goal: Redis ends up with exactly as many requests as were sent, through
killed workers, a Redis that went away, and a stop."""

from harness import in_parallel, respond, wait_for

ROUTES = [respond("/", 1)]
KEY = "drover:{demo}:totals"


def burst(d, connections=8, requests=25):
    def run(_):
        with d.client() as c:
            for _ in range(requests):
                assert c.get("/").status == 200
    in_parallel(connections, run)
    return connections * requests


def total(server):
    return int(server.client.hget(KEY, "requests") or 0)


def settles_at(server, want):
    wait_for(lambda: total(server) >= want, f"{want} requests in Redis")
    assert total(server) == want


def test_exact_through_a_killed_worker(drover, redis):
    server = redis()
    d = drover(workers=4, cluster="demo", routes=ROUTES,
               redis={"url": server.url})
    sent = 0
    for slot in range(4):
        # No pause between the last response and the kill: the successor sends
        # the totals that Redis lacks.
        sent += burst(d)
        d.kill_worker(slot)
    sent += burst(d)
    settles_at(server, sent)
    assert int(server.client.hget(KEY, "responses_2xx")) == sent


def test_exact_over_two_instances_and_a_stop(drover, redis):
    server = redis()
    both = [drover(name=name, cluster="demo", routes=ROUTES,
                   redis={"url": server.url}) for name in ("one", "two")]
    sent = sum(burst(d) for d in both)
    # The drain sends the totals of the last interval.
    for d in both:
        sent += burst(d)
        d.stop()
    assert total(server) == sent


def test_exact_through_a_redis_that_went_away(drover, redis):
    server = redis(append=True)
    d = drover(workers=2, cluster="demo", routes=ROUTES,
               redis={"url": server.url})
    sent = burst(d)
    settles_at(server, sent)
    server.kill()
    sent += burst(d)
    server = redis(port=server.port, append=True)
    sent += burst(d)
    settles_at(server, sent)


def test_a_new_instance_adds_to_the_old(drover, redis):
    server = redis()
    sent = 0
    for name in ("first", "second"):
        d = drover(name=name, cluster="demo", routes=ROUTES,
                   redis={"url": server.url})
        sent += burst(d)
        d.stop()
        assert total(server) == sent

"""Goal: no more than client.connections at once; those that are idle make way
for new ones, those that have a request in hand do not."""

from harness import Raw, respond

GET = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"


def start(drover):
    return drover(workers=1, client={"connections": "2"},
                  routes=[respond("/", "ok"), respond("/late", 1, delay="60s")])


def test_the_longest_idle_makes_way(drover):
    d = start(drover)
    with Raw(d.port) as first, Raw(d.port) as second:
        for c in (first, second):
            c.send(GET.format("/"))
            assert c.response().status == 200
        with Raw(d.port) as third:
            third.send(GET.format("/"))
            assert third.response().status == 200
            assert first.rest() == b""
        second.send(GET.format("/"))
        assert second.response().status == 200
    assert d.total("connections_refused") == 0


def test_requests_in_hand_stay(drover):
    d = start(drover)
    with Raw(d.port) as first, Raw(d.port) as second:
        for c in (first, second):
            c.send(GET.format("/late"))
        d.wait_in_flight(2)
        with Raw(d.port) as third:
            assert third.rest() == b""
        assert d.in_flight() == 2
        assert d.total("connections_refused") == 1
        first.reset()
        second.reset()

"""Goal: a draining worker serves present and new clients. Nothing is cut off,
and an unawaited event does not delay the end."""

import os
import signal
import threading
import time

from harness import Client, Raw, handler, respond, route, service, wait_for

GET = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"


def send_queues(port):
    """Bytes that the kernel holds for a client that does not read."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return [int(row[4].split(":")[0], 16) for row in rows
            if int(row[1].split(":")[1], 16) == port and row[3] == "01"]


def test_an_answer_that_is_not_read_yet_is_not_cut(drover, backend):
    """Responses about as long as the kernel's buffers: some have ended for the
    worker, but for a tail still in the worker's memory."""
    data = os.urandom(16 << 20)

    def handle(connection):
        while (request := connection.read_request()) is not None:
            connection.reply(data[:int(request.target[1:])])

    d = drover(services=[service("b", backend(handle).address)],
               routes=[route("/", "b")])

    def ask(size):
        client = Raw(d.port, receive_buffer=4096)
        client.send(GET.format(f"/{size}"))
        assert client.file.peek(1)
        return client

    with ask(len(data)):
        d.wait_in_flight(1)
        full = wait_for(lambda: max(send_queues(d.port)), "it is full")
        while full < (full := max(send_queues(d.port))):
            pass
    sizes = range(full - 40_000, full + 60_000, 4_000)
    clients = [ask(size) for size in sizes]
    d.signal(signal.SIGTERM)
    d.wait_log("draining")
    for client, size in zip(clients, sizes):
        assert client.response().body == data[:size]
        client.close()
    assert d.wait_exit() == 0


def test_a_connection_made_before_is_served(drover):
    """Accepted, but silent until the drain has begun; and one in use."""
    d = drover(routes=[respond("/", "ok")], workers=1)
    with Raw(d.port) as fresh, Raw(d.port) as used:
        used.send(GET.format("/"))
        assert used.response().status == 200
        wait_for(lambda: sum(w["connections"] for w in
                             d.cluster()["workers"]) == 2, "both are there")
        d.signal(signal.SIGTERM)
        d.wait_log("draining")
        for client in (fresh, used):
            client.send(GET.format("/"))
            answer = client.response()
            assert answer.status == 200
            assert answer.headers["connection"] == "close"
    assert d.wait_exit() == 0


def test_a_slow_request_that_comes_late_ends(drover):
    """The last client but one is gone, with totals not yet acknowledged; a
    request that comes now has the whole of drain_timeout."""
    d = drover(routes=[respond("/slow", "ok", delay="1500ms"),
                       respond("/", "ok")], workers=1,
               redis={"url": "redis://127.0.0.1:1"})
    answers = []

    def ask():
        with Client(d.port) as c:
            answers.append(c.get("/slow").status)

    with Raw(d.port) as fresh:
        d.signal(signal.SIGTERM)
        d.wait_log("draining")
        late = threading.Thread(target=ask)
        late.start()
        d.wait_in_flight(1)
        fresh.close()
        late.join(10)
    assert answers == [200]
    assert "drain_timeout is over" not in d.log()
    assert d.wait_exit() == 0


def test_an_offloaded_job_holds_nothing_up(drover):
    d = drover(routes=[handler("/cpu", "cpu_bound")], workers=1,
               drain_timeout="5s")
    with Raw(d.port) as client:
        client.send(GET.format("/cpu?offload=true&ms=60000"))
        d.wait_in_flight(1)
        client.reset()
    d.wait_in_flight(0)
    began = time.monotonic()
    d.signal(signal.SIGTERM)
    assert d.wait_exit() == 0
    assert time.monotonic() - began < 4
    assert "killed" not in d.log()

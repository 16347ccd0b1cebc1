"""Goal: bodies stream. 50 MB go through both ways, and neither the bodies nor a
client that does not read make a worker grow."""

import hashlib
import threading

from harness import rss_bytes, route, service, wait_for

MB = 1 << 20
SIZE = 50 * MB
GROWTH = 20 * MB
BLOCK = bytes(range(256)) * 256  # 64 KiB


def start(drover, backend, handle):
    d = drover(workers=1, routes=[route("/", "b")],
               services=[service("b", backend(handle).address)],
               client={"body": "100m"})
    assert d.get("/small").status == 200
    return d, d.workers()[0]


def download(connection):
    while (request := connection.read_request()) is not None:
        if request.target == "/small":
            connection.reply("ok")
        elif request.target == "/length":
            connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n"
                            "\r\n")
            for _ in range(SIZE // len(BLOCK)):
                connection.send(BLOCK)
        else:
            connection.send("HTTP/1.1 200 OK\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(SIZE // len(BLOCK)):
                connection.send(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK))
            connection.send("0\r\n\r\n")


def test_download(drover, backend):
    d, pid = start(drover, backend, download)
    before = rss_bytes(pid)
    want = hashlib.sha256(BLOCK * (SIZE // len(BLOCK))).digest()
    for path in ("/length", "/chunked"):
        assert hashlib.sha256(d.get(path).body).digest() == want
    assert rss_bytes(pid) - before < GROWTH


def upload(connection):
    while (request := connection.read_request(body=False)) is not None:
        digest, size = hashlib.sha256(), 0
        if request.headers.get("transfer-encoding") == "chunked":
            while True:
                n = int(connection.file.readline(), 16)
                digest.update(connection.file.read(n))
                size += n
                connection.file.readline()
                if n == 0:
                    break
        else:
            left = int(request.headers.get("content-length", 0))
            while left > 0:
                piece = connection.file.read(min(left, 65536))
                digest.update(piece)
                size += len(piece)
                left -= len(piece)
        connection.reply(f"{size} {digest.hexdigest()}")


def test_upload(drover, backend):
    d, pid = start(drover, backend, upload)
    before = rss_bytes(pid)
    body = BLOCK * (SIZE // len(BLOCK))
    want = f"{SIZE} {hashlib.sha256(body).hexdigest()}".encode()
    assert d.request("POST", "/", body=body).body == want
    with d.raw() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\n"
               "Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(SIZE // len(BLOCK)):
            c.send(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK))
        c.send("0\r\n\r\n")
        assert c.response().body == want
    assert rss_bytes(pid) - before < GROWTH


def test_clients_that_do_not_read(drover, backend):
    """The backend has to wait; the worker does not read ahead into memory."""
    sent = []
    lock = threading.Lock()

    def handle(connection):
        request = connection.read_request()
        if request.target == "/small":
            connection.reply("ok")
            return
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n")
        with lock:
            mine = len(sent)
            sent.append(0)
        for _ in range(SIZE // len(BLOCK)):
            connection.send(BLOCK)
            sent[mine] += len(BLOCK)

    d, pid = start(drover, backend, handle)
    before = rss_bytes(pid)
    clients = [d.raw(receive_buffer=65536) for _ in range(10)]
    for c in clients:
        c.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")

    def stuck():
        """All ten have begun, and no one has come further for a while."""
        seen = list(sent)
        if len(seen) < 10:
            return False
        try:
            wait_for(lambda: list(sent) != seen, "progress", 0.3)
        except AssertionError:
            return True
        return False

    wait_for(stuck, "the backend's writing is held up")
    # Bytes already sent are in the kernel's buffers.
    assert rss_bytes(pid) - before < GROWTH
    assert max(sent) < SIZE, sent
    # Nobody else is held up.
    assert d.get("/small").status == 200
    # A client begins to read, and gets the whole body.
    response = clients[0].response()
    assert response.body == BLOCK * (SIZE // len(BLOCK))
    for c in clients:
        c.reset()
    wait_for(lambda: d.cluster()["workers"][0]["connections"] == 0,
             "the clients are gone")


def test_a_backend_that_does_not_read(drover, backend):
    """The client is made to wait."""
    go_on = threading.Event()

    def handle(connection):
        while (request := connection.read_request(body=False)) is not None:
            if request.target != "/small":
                go_on.wait(10)
            body = connection.read_body(request)
            connection.reply(str(len(body)))

    d, pid = start(drover, backend, handle)
    before = rss_bytes(pid)
    with d.raw(timeout=0.3) as c:
        c.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n")
        sent = 0
        try:
            while sent < SIZE:
                sent += c.sock.send(BLOCK)
        except TimeoutError:
            pass
        assert sent < SIZE
        assert rss_bytes(pid) - before < GROWTH
        go_on.set()
        c.sock.settimeout(10)
        left = (BLOCK * (SIZE // len(BLOCK)))[sent:]
        c.send(left)
        assert c.response().body == str(SIZE).encode()

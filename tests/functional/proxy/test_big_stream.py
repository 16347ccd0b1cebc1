"""Goal: a gigabyte through a connection, either way, past a peer that is slow
and at times does not read, leaves a worker as large as before."""

import os
import socket
import threading
import zlib

import pytest

from harness import read_head, route, rss_bytes, service, wait_for

GIB = 1 << 30
SIZE = GIB
BLOCK = os.urandom(1 << 20)
STALLS = 4
# A connection holds some blocks of 16 KiB on each side. The measured growth is
# below 0.2 MiB; the rest is for pages that the worker touches for the first
# time on the way. Under ASan freed memory stays for a while, too.
GROWTH = 2 << 20
GROWTH_SANITIZED = 16 << 20


def checksum(size):
    crc = 0
    for _ in range(size // len(BLOCK)):
        crc = zlib.crc32(BLOCK, crc)
    return crc


class Peak:
    """The peak size of a process."""

    def __init__(self, pid):
        self.pid = pid
        self.start = self.peak = rss_bytes(pid)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def _watch(self):
        while not self.over.wait(0.005):
            self.peak = max(self.peak, rss_bytes(self.pid))

    def growth(self):
        self.over.set()
        self.thread.join()
        return self.peak - self.start


def is_sanitized(pid):
    """ASan reserves terabytes for its shadow."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") > 1 << 40


class Progress:
    """How far the writing side has come, and whether it is held up."""

    def __init__(self):
        self.bytes = 0

    def is_held_up(self):
        seen = self.bytes
        try:
            wait_for(lambda: self.bytes != seen, "progress", 0.1)
        except AssertionError:
            return seen > 0
        return False


def read_all(sock, first, size, writer):
    """Reads, checks, and now and then stops until the writer has to."""
    crc, got = zlib.crc32(first), len(first)
    buffer = memoryview(bytearray(1 << 18))
    stops = [size * (i + 1) // (STALLS + 1) for i in range(STALLS)]
    while got < size:
        if stops and got >= stops[0]:
            stops.pop(0)
            wait_for(writer.is_held_up, "the writer is held up")
            assert writer.bytes < size
        n = sock.recv_into(buffer)
        assert n > 0, f"{size - got} bytes are missing"
        crc = zlib.crc32(buffer[:n], crc)
        got += n
    return crc, got


def start(drover, backend, handle):
    d = drover(workers=1, routes=[route("/", "b")],
               services=[service("b", backend(handle).address)],
               client={"body": "2g"})
    with d.client() as c:
        for _ in range(20):  # the size of any worker
            assert c.get("/small").status == 200
    return d, d.workers()[0]


def finish(peak, what):
    growth = peak.growth()
    print(f"\n{what} of {SIZE >> 20} MiB: the worker had "
          f"{peak.start / 2**20:.1f} MiB and grew by {growth / 2**20:.2f}")
    limit = GROWTH_SANITIZED if is_sanitized(peak.pid) else GROWTH
    assert growth < limit, f"it grew by {growth / 2**20:.2f} MiB"


@pytest.fixture(name="crc", scope="module")
def fixture_crc():
    return checksum(SIZE)


def test_download(drover, backend, crc):
    sent = Progress()

    def handle(connection):
        while (request := connection.read_request()) is not None:
            if request.target == "/small":
                connection.reply("ok")
                continue
            connection.send("HTTP/1.1 200 OK\r\n"
                            f"Content-Length: {SIZE}\r\n\r\n")
            for _ in range(SIZE // len(BLOCK)):
                connection.send(BLOCK)
                sent.bytes += len(BLOCK)

    d, pid = start(drover, backend, handle)
    peak = Peak(pid)
    with d.raw(receive_buffer=1 << 18) as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_head(c.file.read).startswith(b"HTTP/1.1 200 ")
        first = c.file.read1(1 << 20)
        assert read_all(c.sock, first, SIZE, sent) == (crc, SIZE)
    finish(peak, "download")


class Chunks:
    """The body in a chunked stream, with recv_into() like a socket's."""

    def __init__(self, file):
        self.file = file
        self.left = 0

    def recv_into(self, buffer):
        if self.left == 0:
            self.left = int(self.file.readline(), 16)
        n = self.file.readinto1(buffer[:min(self.left, len(buffer))])
        self.left -= n
        if self.left == 0:
            assert self.file.readline() == b"\r\n"
        return n


def test_chunked_upload(drover, backend, crc):
    sent = Progress()
    framed = b"".join(b"10000\r\n%s\r\n" % BLOCK[at:at + 65536]
                      for at in range(0, len(BLOCK), 65536))

    def handle(connection):
        while (request := connection.read_request(body=False)) is not None:
            if request.target == "/small":
                connection.reply("ok")
                continue
            assert request.headers["transfer-encoding"] == "chunked"
            chunks = Chunks(connection.file)
            got = read_all(chunks, b"", SIZE, sent)
            assert connection.file.readline() == b"0\r\n"
            connection.file.readline()
            connection.reply(f"{got[0]} {got[1]}")

    d, pid = start(drover, backend, handle)
    peak = Peak(pid)
    with d.raw() as c:
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        c.send("POST / HTTP/1.1\r\nHost: a\r\n"
               "Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(SIZE // len(BLOCK)):
            c.send(framed)
            sent.bytes += len(BLOCK)
        c.send("0\r\n\r\n")
        assert c.response().body == f"{crc} {SIZE}".encode()
    finish(peak, "chunked upload")

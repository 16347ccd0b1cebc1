"""How often a keep-alive proxied GET changes the file and the noun.

A worker compiled with -finstrument-functions, without inlining, proxies GETs on
a single connection to a backend in this file; trace.c writes down each call.
The calls of a request, in the order of their starts, are mapped to the C files
of the functions. A file change is a step from a file to another file. A border
is a step between two nouns of a request. Materials of all files (base, loop,
buffers, the generated parser) are no nouns of a request.

Most requests have the same trace; a timer may add calls to a request. The
figure belongs to the most frequent trace.
"""

import collections
import contextlib
import json
import mmap
import os
import pathlib
import re
import shutil
import socket
import statistics
import struct
import subprocess
import tempfile
import threading
import time

from failure import Failure

REQUESTS = 60
DEADLINE = 20
RETURNED = 1 << 63
BODY = b"x" * 128
REQUEST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 128\r\n\r\n" + BODY

# Materials, by the first word of the file's name: the generated parser, base,
# the loop with the end of its iterations, buffers.
MATERIALS = frozenset("""
    llhttp api http
    log text octet slice hash histogram slab title clock count machine
    loop timer signals delay worker acceptor
    buffer pipe outbox sock
    """.split())


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"not within {DEADLINE} s: {what}")
        time.sleep(0.005)
    return value


def build(root):
    """(program, library to preload), built from the current sources."""
    folder = root / "build" / "borders"
    env = {**os.environ, "CFLAGS": "-finstrument-functions -fno-inline"}
    subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "LTO=", "OPTIMIZE=-O1",
                    f"BUILD={folder}", "all"], check=True, cwd=root, env=env,
                   stdout=subprocess.DEVNULL)
    library = folder / "trace.so"
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-fPIC", "-shared", "-o",
                    library, pathlib.Path(__file__).with_name("trace.c")],
                   check=True)
    return folder / "drover", library


def serve(listener):
    """A backend with the same response to each request head."""
    def carry(connection):
        rest = b""
        with connection:
            while data := connection.recv(65536):
                *heads, rest = (rest + data).split(b"\r\n\r\n")
                connection.sendall(RESPONSE * len(heads))

    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=carry, args=(listener.accept()[0],),
                             daemon=True).start()


def configuration(place, port, backend_port):
    config = {
        "workers": 1,
        "state_dir": str(place / "state"),
        "listen": [{"address": f"127.0.0.1:{port}"}],
        "services": [{"name": "app", "breaker": {"failures": 3},
                      "endpoints": [f"127.0.0.1:{backend_port}"]}],
        "routes": [{"path": "/", "service": "app"}],
    }
    path = place / "drover.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


class Worker:
    """The growing trace of a worker."""

    def __init__(self, master, place, program):
        children = pathlib.Path(f"/proc/{master}/task/{master}/children")
        self.pid = wait_for(children.read_text, "a worker").split()[0]
        path = place / self.pid
        wait_for(path.exists, f"a trace of worker {self.pid}")
        with open(path, "rb") as f:
            self.map = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
        maps = pathlib.Path(f"/proc/{self.pid}/maps").read_text()
        self.base = int(re.search(rf"^(\w+)-.*{re.escape(str(program))}$", maps,
                                  re.M)[1], 16)

    def count(self):
        return struct.unpack_from("=Q", self.map)[0]

    def count_at_rest(self):
        """The count after some milliseconds without a call."""
        def same():
            before = self.count()
            time.sleep(0.003)
            return before == self.count() and before

        return wait_for(same, "a worker that rests")

    def calls(self, start, end):
        """The addresses of the functions called, within the program."""
        words = struct.unpack_from(f"={end - start}Q", self.map, 8 + 8 * start)
        return [word - self.base for word in words if not word & RETURNED]


def trace(program, library, place):
    """The calls of each request on a connection."""
    backend = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(backend,), daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    path = configuration(place, port, backend.getsockname()[1])
    traces = place / "traces"
    traces.mkdir()
    with open(place / "log", "wb") as log:
        master = subprocess.Popen(
            [program, "-c", path], stdin=subprocess.DEVNULL, stderr=log,
            env={**os.environ, "LD_PRELOAD": str(library),
                 "TRACE_FOLDER": str(traces)})
    try:
        def connect():
            if master.poll() is not None:
                raise Failure("drover ended:\n" + (place / "log").read_text())
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection(("127.0.0.1", port), DEADLINE)

        with wait_for(connect, "a connection to drover") as client:
            worker = Worker(master.pid, traces, program)
            found = []
            for _ in range(REQUESTS):
                start = worker.count_at_rest()
                client.sendall(REQUEST)
                response = b""
                while not response.endswith(BODY):
                    data = client.recv(65536)
                    if not data:
                        raise Failure(f"no response: {response!r}")
                    response += data
                found.append(worker.calls(start, worker.count_at_rest()))
            return found[REQUESTS // 3:]  # the first requests make connections
    finally:
        master.terminate()
        master.wait()
        backend.close()


def files(program, addresses):
    """{address: the file of its function}."""
    addresses = sorted(addresses)
    places = subprocess.run(
        ["addr2line", "-e", program, *map(hex, addresses)], check=True,
        text=True, stdout=subprocess.PIPE).stdout.splitlines()
    return {address: pathlib.Path(where.rsplit(":", 1)[0])
            for address, where in zip(addresses, places)}


def noun(path):
    """The noun of a file, without an s: h1 for h1_read.c."""
    return path.stem.split("_")[0].removesuffix("s")


def steps(way):
    return [(a, b) for a, b in zip(way, way[1:]) if a != b]


def report(tree, options):
    """Prints the figures of the most frequent trace."""
    program, library = build(tree.root)
    place = pathlib.Path(tempfile.mkdtemp(prefix="drover-borders-"))
    try:
        requests = trace(program, library, place)
    finally:
        shutil.rmtree(place)
    home = files(program, set().union(*requests))
    # Calls of a header's inline function count for the including file.
    ways = [tuple(home[call] for call in calls if home[call].suffix == ".c")
            for calls in requests]
    way = statistics.mode(ways)
    materials = {name.removesuffix("s") for name in MATERIALS}
    nouns = [noun(path) for path in way if noun(path) not in materials]
    if options.all:
        pairs = collections.Counter(tuple(sorted(step))
                                    for step in steps(nouns))
        for (a, b), count in pairs.most_common():
            print(f"{count:4} {a} - {b}")
    print(f"one keep-alive GET: {len(way)} calls in {len(set(way))} files "
          f"({ways.count(way)} of {len(ways)} requests alike)")
    print(f"file changes: {len(steps(way))}")
    print(f"borders: {len(steps(nouns))} between {len(set(nouns))} nouns")
    return 1 if len(steps(nouns)) > options.borders else 0

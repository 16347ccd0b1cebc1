"""Starts Drover and Redis for one test, and looks at them.

Every wait here is for an event and has a deadline. Each scenario has its own
folder and ports, so scenarios run side by side.
"""

import fcntl
import http.client
import json
import os
import re
import shlex
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import redis

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(TESTS)
DROVER = os.path.abspath(os.environ.get("DROVER", "build/drover"))
# The build's folder; a release is inside the folder of the plain build, and
# has no tools of its own.
BUILD = os.path.dirname(DROVER).removesuffix("/release")
TOOLS = os.path.join(BUILD, "bench")
# A program, with options, to run Drover under, and the factor of slowness.
WRAPPER = shlex.split(os.environ.get("DROVER_WRAPPER", ""))
DEADLINE = 10 * int(os.environ.get("DROVER_SLOWNESS", "1"))
# Below the ports that the kernel gives to outgoing connections.
PORTS = range(12000, 32000)
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|bug: ")


def wait_for(condition, what, deadline=DEADLINE):
    """Polls until condition() returns a true value, and returns the value."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {deadline} s: {what}"
        time.sleep(0.002)


def free_port():
    """A port that no other scenario gets, in this run or in another run."""
    with open(os.path.join(tempfile.gettempdir(), "drover-test-ports"),
              "a+", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        port = int(f.read() or 0)
        for _ in PORTS:
            port = port + 1 if port + 1 in PORTS else PORTS[0]
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    continue
            f.truncate(0)
            f.write(str(port))
            return port
    raise AssertionError("no free port")


def children(pid):
    """The kernel's own list, without any delay of a poll."""
    pids = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
            pids += [int(word) for word in f.read().split()]
    return pids


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False  # gone, or just going


def rss_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ---- processes ----


class Process:
    """A program with its output in a file."""

    def __init__(self, place, name, argv, env=None):
        self.log_path = os.path.join(place, f"{name}.log")
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})}, start_new_session=True)
        self.pid = self.popen.pid

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_log(self, regex, deadline=DEADLINE):
        return wait_for(lambda: re.search(regex, self.log(), re.M),
                        f"{regex!r} in the log:\n{self.log()}", deadline)

    def count_log(self, regex):
        return len(re.findall(regex, self.log(), re.M))

    def signal(self, signum):
        self.popen.send_signal(signum)

    def wait_exit(self, deadline=DEADLINE):
        try:
            return self.popen.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"pid {self.pid} runs on:\n{self.log()}") from None

    def is_running(self):
        return self.popen.poll() is None

    def kill(self):
        if self.is_running():
            self.popen.kill()
            self.popen.wait()


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # lower-case name: last value
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


class Client:
    """A keep-alive HTTP client with a connection made on demand."""

    def __init__(self, port, timeout=DEADLINE):
        self.http = http.client.HTTPConnection("127.0.0.1", port,
                                               timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        self.http.request(method, path, body=body, headers=headers or {})
        answer = self.http.getresponse()
        return Response(answer.status,
                        {k.lower(): v for k, v in answer.getheaders()},
                        answer.read())

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def close(self):
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Drover(Process):
    """A running gateway (or demo service: it is the same program).

    The configuration is the keys given, and what every scenario needs: a
    port, an admin port and a state folder of its own, two workers. launcher:
    a command that becomes it, as env(1) does.
    """

    def __init__(self, place, name="drover", env=None, ready=True,
                 accept="reuseport", launcher=(), program=DROVER, **config):
        self.drain_timeout = 10
        self.is_over = False
        os.makedirs(os.path.join(place, name), exist_ok=True)
        for _ in range(3):
            self.port = free_port()
            self.admin_port = free_port()
            self.config = {
                "workers": 2,
                "instance": name,
                "state_dir": os.path.join(place, name),
                "listen": [{"address": f"127.0.0.1:{self.port}",
                            "accept": accept}],
                "admin": {"address": f"127.0.0.1:{self.admin_port}"},
                **config,
            }
            self.path = os.path.join(place, f"{name}.yaml")
            with open(self.path, "w", encoding="utf-8") as f:
                json.dump(self.config, f, indent=1)
            super().__init__(place, name, [*launcher, *WRAPPER, program, "-c",
                                           self.path], env)
            if not ready or self._wait_ready():
                return
        raise AssertionError(self.log())

    def _wait_ready(self):
        """False: another process has a port."""
        def ready_or_over():
            if not self.is_running():
                return True
            try:
                workers = self.cluster()["workers"]
            except (OSError, http.client.HTTPException, ValueError):
                return False
            return all(w["state"] == "ready" for w in workers)

        try:
            wait_for(ready_or_over, "all workers are ready")
        except AssertionError:
            self.kill()
            raise AssertionError(f"not ready:\n{self.log()}") from None
        if self.is_running():
            return True
        assert "Address already in use" in self.log(), self.log()
        return False

    # The response.

    def client(self, timeout=DEADLINE):
        return Client(self.port, timeout)

    def request(self, method, path, body=None, headers=None):
        """On a connection of its own."""
        with self.client() as c:
            return c.request(method, path, body, headers)

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def get_from_all(self, path, count):
        """JSON responses, at least count, each on a new connection, until every
        worker has answered. On a busy machine a neighbour may stand in for
        long."""
        answers = []

        def all_have():
            answers.append(self.get(path).json())
            return (len(answers) >= count and
                    {a["pid"] for a in answers} >= set(self.workers()))

        wait_for(all_have, "every worker answers")
        return answers

    def raw(self, **options):
        return Raw(self.port, **options)

    def admin(self, path):
        with Client(self.admin_port) as c:
            return c.get(path)

    def cluster(self):
        return self.admin("/api/cluster").json()

    def workers(self):
        """The pids of the workers that are ready."""
        return [w["pid"] for w in self.cluster()["workers"]
                if w["state"] == "ready"]

    def in_flight(self):
        return sum(w.get("inFlight", 0) for w in self.cluster()["workers"])

    def wait_in_flight(self, count):
        wait_for(lambda: self.in_flight() == count,
                 f"{count} requests are under way")

    def wait_redis(self, state="up"):
        wait_for(lambda: all(w.get("redis") == state
                             for w in self.cluster()["workers"]),
                 f"Redis is {state} for all workers:\n{self.log()}")

    def kill_worker(self, slot):
        """Kills a worker and waits for its successor; returns the victim."""
        victim = self.workers()[slot]
        os.kill(victim, signal.SIGKILL)
        self.wait_successor(victim)
        return victim

    def wait_successor(self, victim):
        def replaced():
            pids = self.workers()
            return len(pids) == self.config["workers"] and victim not in pids

        wait_for(replaced, f"a successor of {victim}")

    def total(self, name):
        """By the name in the scoreboard; the JSON key is in camel case."""
        first, *more = name.split("_")
        key = first + "".join(word.capitalize() for word in more)
        return self.cluster()["totals"][key]

    def service(self, name):
        return next(s for s in self.cluster()["services"]
                    if s["name"] == name)

    # ---- the end ----

    def stop(self):
        """TERM must end the gateway in good order, after any event."""
        if self.is_over:
            return
        self.is_over = True
        if self.is_running():
            self.signal(signal.SIGTERM)
        status = self.wait_exit(self.drain_timeout + 5)
        assert status == 0, f"exit status {status}:\n{self.log()}"
        self.check_log()

    def check_log(self):
        assert not SANITIZER.search(self.log()), self.log()


class Redis(Process):
    def __init__(self, place, name="redis", port=None, append=False):
        self.place, self.name, self.append = place, name, append
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        argv = ["redis-server", "--bind", "127.0.0.1", "--port",
                str(self.port), "--dir", place, "--save", "",
                "--appendonly", "yes" if append else "no", "--appendfsync",
                "always", "--dbfilename", f"{name}.rdb", "--appenddirname",
                f"{name}.aof"]
        super().__init__(place, name, argv)
        self.client = redis.Redis(port=self.port, decode_responses=True)
        wait_for(self._answers, f"Redis: {self.log()}")

    def _answers(self):
        try:
            return self.client.ping()
        except redis.ConnectionError:
            assert self.is_running(), self.log()
            return False

    def restart(self):
        """A new server in the old one's place; data is lost, unless
        appended."""
        self.kill()
        return Redis(self.place, self.name, self.port, self.append)

    def stop(self):
        self.kill()


# ---- bytes on a connection ----


def read_head(read):
    """Reads to the empty line; "" when the stream ends before a byte."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = read(1)
        if not byte:
            return data
        data += byte
    return data


def parse_headers(lines):
    """Of any bytes: obs-text comes out as ISO 8859-1."""
    pairs = [line.split(b":", 1) for line in lines if line]
    return [(k.decode("latin-1").lower(), v.strip(b" \t").decode("latin-1"))
            for k, v in pairs]


def read_chunks(file):
    """The bytes and trailers of a chunked body. Strict: Drover sends no
    extensions and ends each line in CRLF. OSError: the connection ended."""
    def cut_short(data):
        raise OSError(f"chunked body cut short: {data[-20:]!r}")

    body = b""
    while True:
        line = file.readline()
        if not line.endswith(b"\n"):
            cut_short(line)
        assert re.fullmatch(rb"[0-9A-Fa-f]{1,16}\r\n", line), line
        size = int(line, 16)
        if size == 0:
            break
        data = file.read(size + 2)
        if len(data) < size + 2:
            cut_short(data)
        assert data.endswith(b"\r\n"), data[-20:]
        body += data[:-2]
    lines = []
    while (line := file.readline()) != b"\r\n":
        if not line.endswith(b"\n"):
            cut_short(line)
        assert line.endswith(b"\r\n"), line
        lines.append(line[:-2])
    return body, parse_headers(lines)


class Raw:
    """A client that sends exactly the given bytes."""

    def __init__(self, port, timeout=DEADLINE, receive_buffer=None):
        self.sock = socket.socket()
        self.sock.settimeout(timeout)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                 receive_buffer)
        self.sock.connect(("127.0.0.1", port))
        self.file = self.sock.makefile("rb")

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def response(self, head_request=False):
        """The next response, with checked framing."""
        head = read_head(self.file.read)
        assert head.endswith(b"\r\n\r\n"), f"cut short: {head!r}"
        lines = head[:-4].split(b"\r\n")
        status = int(lines[0].split()[1])
        pairs = parse_headers(lines[1:])
        headers = dict(pairs)
        body, trailers = b"", []
        if head_request or status in (204, 304) or status < 200:
            pass
        elif headers.get("transfer-encoding") == "chunked":
            body, trailers = read_chunks(self.file)
        elif "content-length" in headers:
            body = self.file.read(int(headers["content-length"]))
            assert len(body) == int(headers["content-length"]), "cut short"
        else:
            body = self.file.read()
        response = Response(status, headers, body)
        response.pairs = pairs
        response.trailers = trailers
        return response

    def end_sending(self):
        """Half closes."""
        self.sock.shutdown(socket.SHUT_WR)

    def rest(self):
        """All bytes until the peer closes."""
        return self.file.read()

    def is_closed(self):
        """Waits for the end; True: a clean end."""
        return self.file.read(1) == b""

    def reset(self):
        """Leaves without a word of goodbye."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- parts of configurations ----


def service(name, *endpoints, **more):
    """A service, by default without a breaker."""
    return {"name": name, "endpoints": list(endpoints),
            "breaker": {"failures": 0}, **more}


def route(path, to, **more):
    return {"path": path, "service": to, **more}


def respond(path, value, **more):
    return {"path": path, "respond": {"json": json.dumps(value), **more}}


def handler(path, name):
    return {"path": path, "handler": name}


def in_parallel(count, function):
    """Runs function(0..count-1) in threads; the results, in order."""
    results = [None] * count
    errors = []

    def run(i):
        try:
            results[i] = function(i)
        except BaseException as e:  # pylint: disable=broad-except
            errors.append(e)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
    return results

"""The contenders: a proxy in front of the bench's backend, or none."""

import fcntl
import os
import shlex
import shutil
import signal
import socket
import tempfile
from dataclasses import dataclass

from machine import PROXY_CORE
from process import BenchError, Process, wait_for

# Below the ports that the kernel gives to outgoing connections.
PORTS = range(20000, 32000)


@dataclass
class Site:
    """The needs of a workload that a proxy is configured for."""
    backend_port: int
    redis_port: int
    busy: int = 64        # requests at a time
    routes: int = 1       # more: /r0 ... instead of /
    services: int = 1     # the routes take turns at the services
    endpoints: int = 1    # of all services together; more than one: the
    access_log: bool = False                # addresses from 127.1.0.1 on
    websocket: bool = False
    is_big: bool = False  # messages too large for default buffers

    def service_endpoints(self):
        """For each service the addresses of its endpoints."""
        if self.endpoints == 1:
            all_of_them = [f"127.0.0.1:{self.backend_port}"]
        else:
            all_of_them = [
                f"127.1.{i // 250}.{i % 250 + 1}:{self.backend_port}"
                for i in range(self.endpoints)]
        return [all_of_them[i::self.services] for i in range(self.services)]

    def route_services(self):
        """Pairs of a path's prefix and the number of its service."""
        if self.routes == 1:
            return [("/", 0)]
        return [(f"/r{i}", i % self.services) for i in range(self.routes)]


def free_port():
    """A port unused in this run: no connection of an earlier proxy is left on
    the port."""
    path = os.path.join(tempfile.gettempdir(), "drover-bench-ports")
    with open(path, "a+", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        port = int(f.read() or 0)
        for _ in PORTS:
            port = port + 1 if port + 1 in PORTS else PORTS[0]
            with socket.socket() as s:
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    continue
            f.truncate(0)
            f.write(str(port))
            return port
    raise BenchError("no free port")


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def find(program):
    found = shutil.which(program, path=os.environ["PATH"] +
                         ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise BenchError(f"no {program}: scripts/setup --bench installs it")
    return found


class Contender:
    """A proxy; a new process, port and folder for each start."""

    name = None
    title = None           # in tables
    is_slow = False        # warmed up for longer, measured where it matters
    connections_max = 19000
    stop_signal = signal.SIGTERM

    def __init__(self):
        self.process = None
        self.port = None
        self.place = None
        self.config = None

    def available(self):
        """Raises a BenchError if the contender can't be started here."""

    def version(self):
        return ""

    def command(self, site):
        """Writes the configuration into self.place; returns argv."""
        raise NotImplementedError

    def start(self, site, wrapper=(), deadline=20):
        self.place = tempfile.mkdtemp(prefix=f"drover-bench-{self.name}-")
        self.port = free_port()
        try:
            argv = [*wrapper, *self.command(site)]
            self.process = Process(argv, PROXY_CORE,
                                   os.path.join(self.place, "log"))
            wait_for(self.is_up, f"{self.name} listens", deadline)
        except BaseException:
            self.stop()
            raise

    def is_up(self):
        self.process.check(self.name)
        return accepts(self.port)

    def stop(self):
        if self.process:
            self.process.stop(self.stop_signal)
            self.process = None
        if self.place:
            shutil.rmtree(self.place, ignore_errors=True)
            self.place = None

    def write(self, name, text):
        path = os.path.join(self.place, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path


class Direct(Contender):
    """No proxy at all: what the generator and the backend can do."""

    name = "direct"
    title = "no proxy"

    def start(self, site, wrapper=(), deadline=20):
        self.port = site.backend_port


class Floor(Contender):
    """A relay of tests/bench."""

    def __init__(self, tools):
        super().__init__()
        self.program = os.path.join(tools, self.name)

    def command(self, site):
        return [self.program, f"127.0.0.1:{self.port}",
                f"127.0.0.1:{site.backend_port}"]


class RelayL4(Floor):
    name = "relay_l4"
    title = "floor: bytes"
    connections_max = 9900  # two descriptors each


class RelayL7(Floor):
    name = "relay_l7"
    title = "floor: heads"


class Against(Contender):
    """Any other proxy: --against 'CMD' with {port} and {backend}."""

    name = "against"
    title = "--against"

    def __init__(self, text):
        super().__init__()
        self.text = text

    def command(self, site):
        text = self.text.replace("{port}", str(self.port))
        return shlex.split(text.replace("{backend}", str(site.backend_port)))

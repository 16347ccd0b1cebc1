"""The workloads: the generator's requests, contenders, and the figures."""

from dataclasses import dataclass, field

# The contenders of a workload.
PROXIES = ("drover", "nginx", "haproxy", "relay_l4", "relay_l7")
NODE = ("http-proxy", "undici")
EVERYBODY = ("direct", *PROXIES, *NODE)
SITES = ("drover", "nginx", "haproxy")  # have routes, endpoints, a log

CPU = "cpu"          # CPU time per request
LATENCY = "latency"  # CPU time, and response times at a rate
MEMORY = "memory"    # per idle connection


@dataclass
class Workload:
    name: str
    title: str
    load: list
    who: tuple = EVERYBODY
    kind: str = CPU
    site: dict = field(default_factory=dict)
    connections: int = 64
    busy: int = 0            # busy ones at a time; 0: all
    seconds: float = 0       # of a sample, at least
    samples: int = 1         # in a round; more for figures that vary
    runs: int = 1            # of a sample, whose latencies are their medians
    quick: bool = False      # part of --quick
    extra: tuple = ()        # further proxies
    is_big: bool = False     # messages too large for default buffers
    traced: int = 0          # requests to count system calls for
    profiled: bool = False   # instructions are counted, too

    def contenders(self):
        return (*self.who, *self.extra)

    def load_options(self):
        options = ["-c", str(self.connections), *self.load]
        return [*options, "--active", str(self.busy)] if self.busy else options


SPLICE = ("haproxy-splice",)

WORKLOADS = [
    Workload("128b", "128 B", ["-p", "/128"], quick=True, traced=2000,
             profiled=True),
    Workload("c1000", "1,000 connections", ["-p", "/128"], PROXIES,
             connections=1000),
    Workload("c8000", "8,000 connections", ["-p", "/128"], PROXIES,
             connections=8000, seconds=1.0),
    Workload("routes1k", "1,000 routes", ["-p", "/128", "--paths", "1000"],
             SITES, site={"routes": 1000}),
    # Drover takes 32 services.
    Workload("endpoints1k", "1,000 routes, 1,000 endpoints",
             ["-p", "/128", "--paths", "1000"], SITES,
             site={"routes": 1000, "services": 32, "endpoints": 1000}),
    # Growth of what stands by: 64 requests at a time, over all in turn.
    Workload("open1", "1 open connection", ["-p", "/128"], PROXIES,
             connections=1),
    Workload("open100", "100 open, 64 busy", ["-p", "/128"], PROXIES,
             connections=100, busy=64),
    Workload("open10k", "10,000 open, 64 busy", ["-p", "/128"], PROXIES,
             connections=10000, busy=64),
    Workload("1k", "1 KiB", ["-p", "/1k"], PROXIES),
    Workload("16k", "16 KiB", ["-p", "/16k"], quick=True, extra=SPLICE,
             is_big=True, samples=3, traced=2000),
    Workload("256k", "256 KiB", ["-p", "/256k"], quick=True, extra=SPLICE,
             is_big=True, traced=600),
    Workload("1m", "1 MiB", ["-p", "/1m"], quick=True, extra=SPLICE,
             is_big=True, traced=300),
    Workload("post", "POST 16 KiB", ["-p", "/128", "-b", "16384"],
             quick=True, is_big=True, samples=4, traced=2000, profiled=True),
    Workload("connect", "connection per request",
             ["-p", "/128", "--close", "--sources", "32"], quick=True,
             traced=2000, profiled=True),
    Workload("hangup", "connection per request, client closes",
             ["-p", "/128", "--reconnect", "--sources", "32"],
             traced=2000),
    Workload("pipeline", "16 pipelined", ["-p", "/128", "--pipeline", "16"],
             quick=True, traced=2000),
    Workload("websocket", "WebSocket echo 128 B",
             ["-p", "/ws/echo", "--websocket"], site={"websocket": True},
             traced=2000),
    Workload("log", "128 B, access log", ["-p", "/128"], SITES,
             site={"access_log": True}),
    Workload("rate4k", "4,000 requests/s", ["-p", "/128", "--rate", "4000"],
             kind=LATENCY, samples=5, quick=True, traced=2000),
    Workload("rate20k", "20,000 requests/s",
             ["-p", "/128", "--rate", "20000"], ("direct", *PROXIES),
             kind=LATENCY, samples=7, runs=8),
    # Opened four at a time: buffers of many busy connections would count too.
    Workload("idle5k", "5,000 idle connections", ["-p", "/128"],
             (*PROXIES, *NODE), kind=MEMORY, connections=5000, busy=4,
             quick=True),
    Workload("idle15k", "15,000 idle connections", ["-p", "/128"], PROXIES,
             kind=MEMORY, connections=15000, busy=4),
]

# Pairs of workloads whose cost should not grow.
GROWTH = [
    ("128b", "c1000"),
    ("128b", "c8000"),
    ("open100", "open10k"),
    ("128b", "routes1k"),
    ("128b", "endpoints1k"),
]


def find(names):
    """The workloads of the given names, in the bench's order."""
    known = {workload.name for workload in WORKLOADS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no workload {', '.join(unknown)}; there are "
                         f"{', '.join(w.name for w in WORKLOADS)}")
    return [workload for workload in WORKLOADS if workload.name in names]

"""Drover in production form: the release build, with checks, breaker and totals
on."""

import json
import os
import signal

from contender import Contender
from process import BenchError


class Drover(Contender):
    name = "drover"
    title = "Drover"
    stop_signal = signal.SIGINT

    def __init__(self, program):
        super().__init__()
        self.program = program

    def available(self):
        if not os.path.exists(self.program):
            raise BenchError(
                f"no {self.program}: make release builds it")

    def command(self, site):
        access = os.path.join(self.place, "access.log")
        # Defaults but for the caps that a workload would exceed.
        config = {
            "workers": 1,
            "instance": "bench",
            "state_dir": self.place,
            "log": {"access": access if site.access_log else "off"},
            "listen": [{"address": f"127.0.0.1:{self.port}"}],
            "client": {"connections": 20000},
            "redis": {"url": f"redis://127.0.0.1:{site.redis_port}"},
            "services": [{
                "name": f"app{i}",
                "endpoints": endpoints,
                "pool": {"queue": 20000},
                "health": {"path": "/health", "interval": "2s",
                           "timeout": "1s"},
                "breaker": {"failures": 3, "window": "10s",
                            "open_for": "10s"},
            } for i, endpoints in enumerate(site.service_endpoints())],
            "routes": [{"path": path, "service": f"app{service}"}
                       for path, service in site.route_services()],
        }
        path = self.write("drover.yaml", json.dumps(config, indent=1))
        return [self.program, "-c", path]

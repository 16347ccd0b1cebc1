"""Node's cluster module with one worker, and a proxy of Node's ecosystem."""

import json
import os
import subprocess

from contender import Contender, find
from process import BenchError

HERE = os.path.dirname(os.path.abspath(__file__))


class Node(Contender):
    is_slow = True
    package = None
    script = None

    def package_path(self):
        return os.path.join(HERE, "node_modules", self.package,
                            "package.json")

    def available(self):
        find("node")
        if not os.path.exists(self.package_path()):
            raise BenchError(f"no {self.package}: scripts/setup --bench "
                             "installs it")

    def version(self):
        node = subprocess.run([find("node"), "-v"], capture_output=True,
                              text=True, check=False).stdout.strip()
        with open(self.package_path(), encoding="utf-8") as f:
            return f"{json.load(f)['version']} on Node {node}"

    def command(self, site):
        return [find("node"), os.path.join(HERE, self.script), str(self.port),
                str(site.backend_port)]


class HttpProxy(Node):
    name = "http-proxy"
    title = "Node http-proxy"
    package = "http-proxy"
    script = "http_proxy.js"


class Undici(Node):
    name = "undici"
    title = "Node undici"
    package = "undici"
    script = "undici_proxy.js"

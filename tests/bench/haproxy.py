"""HAProxy with one thread, tuned for proxying; with and without splice(2)."""

import subprocess

from contender import Contender, find

CONFIG = """\
global
  nbthread 1
  maxconn 19000
  no strict-limits
  tune.pool-low-fd-ratio 100
  tune.pool-high-fd-ratio 100
{tuning}
defaults
  mode http
  timeout connect 10s
  timeout client 75s
  timeout server 60s
  timeout tunnel 10m
  timeout http-keep-alive 75s
  http-reuse always
{options}
frontend in
  bind 127.0.0.1:{port} backlog 4096
  maxconn 19000
  option forwardfor
{routes}
{backends}
"""


class Haproxy(Contender):
    name = "haproxy"
    title = "HAProxy"
    tuning = ""
    options = ""

    def available(self):
        find("haproxy")

    def version(self):
        done = subprocess.run([find("haproxy"), "-v"], capture_output=True,
                              text=True, check=False)
        return done.stdout.split()[2]

    def command(self, site):
        options, tuning = self.options, self.tuning
        if site.is_big:
            tuning += "  tune.bufsize 32768\n"
        if site.access_log:
            tuning += "  log stdout format raw local0\n"
            options += "  log global\n  option httplog\n"
        if site.routes == 1:
            routes = "  default_backend app0"
        else:
            table = self.write("routes.map", "".join(
                f"{path}/ app{service}\n"
                for path, service in site.route_services()))
            routes = f"  use_backend %[path,map_beg({table})]"
        path = self.write("haproxy.cfg", CONFIG.format(
            port=self.port, tuning=tuning, options=options, routes=routes,
            backends="\n".join(backends(site))))
        return [find("haproxy"), "-db", "-f", path]


def backends(site):
    for i, endpoints in enumerate(site.service_endpoints()):
        yield f"backend app{i}\n  balance roundrobin"
        for j, address in enumerate(endpoints):
            yield f"  server s{j} {address}"


class HaproxySplice(Haproxy):
    name = "haproxy-splice"
    title = "HAProxy splice"
    tuning = "  tune.pipesize 262144\n"
    options = "  option splice-auto\n  option splice-response\n"

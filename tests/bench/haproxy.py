"""HAProxy with one thread, tuned for proxying; with and without splice(2)."""

import subprocess

from contender import Contender, find

CONFIG = """\
global
  nbthread 1
  maxconn 19000
  no strict-limits
{log}
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
backend app
  balance roundrobin
{servers}
"""


class Haproxy(Contender):
    name = "haproxy"
    title = "HAProxy"
    is_peer = True
    has_access_log = True
    has_sites = True
    options = ""

    def available(self):
        find("haproxy")

    def version(self):
        done = subprocess.run([find("haproxy"), "-v"], capture_output=True,
                              text=True, check=False)
        return done.stdout.split()[2]

    def command(self, site):
        options, log = self.options, ""
        if site.access_log:
            log = "  log stdout format raw local0"
            options += "  log global\n  option httplog\n"
        if site.routes == 1:
            routes = "  default_backend app"
        else:
            routes = ("  use_backend %[path,map_beg(" + self.write(
                "routes.map", "".join(f"{path}/ app\n"
                                      for path in site.prefixes())) + ")]")
        servers = "\n".join(
            f"  server s{i} {address}"
            for i, address in enumerate(site.endpoint_addresses()))
        path = self.write("haproxy.cfg", CONFIG.format(
            port=self.port, log=log, options=options, routes=routes,
            servers=servers))
        return [find("haproxy"), "-db", "-f", path]


class HaproxySplice(Haproxy):
    name = "haproxy-splice"
    title = "HAProxy splice"
    options = "  option splice-auto\n  option splice-response\n"

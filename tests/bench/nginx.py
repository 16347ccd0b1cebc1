"""nginx with one worker, tuned for proxying."""

import os
import subprocess

from contender import Contender, find

CONFIG = """\
daemon off;
{user}worker_processes 1;
worker_rlimit_nofile 20000;
pid {place}/nginx.pid;
error_log {place}/error.log crit;
events {{ worker_connections 20000; }}
http {{
  access_log {access};
  client_body_temp_path {place}/body;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  proxy_max_temp_file_size 0;
{buffers}
{upstreams}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header Connection "";
{locations}
  }}
}}
"""

# For small messages the default buffers are cheaper.
BIG_BUFFERS = """\
  client_body_buffer_size 64k;
  proxy_buffer_size 64k;
  proxy_buffers 8 64k;
  proxy_busy_buffers_size 128k;
"""

UPSTREAM = """\
  upstream app{number} {{
{servers}
    keepalive {keepalive};
    keepalive_requests 1000000000;
    keepalive_timeout 60s;
  }}
"""

WEBSOCKET = """\
    location /ws/ {
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_pass http://app0;
    }
"""


class Nginx(Contender):
    name = "nginx"
    title = "nginx"

    def available(self):
        find("nginx")

    def version(self):
        done = subprocess.run([find("nginx"), "-v"], capture_output=True,
                              text=True, check=False)
        return done.stderr.strip().rsplit("/", 1)[-1]

    def command(self, site):
        upstreams = [UPSTREAM.format(
            number=i, keepalive=max(256, site.busy, 2 * len(endpoints)),
            servers="\n".join(f"    server {address};"
                              for address in endpoints))
            for i, endpoints in enumerate(site.service_endpoints())]
        locations = [
            f"    location {path} {{ proxy_pass http://app{service}; }}\n"
            for path, service in site.route_services()]
        if site.websocket:
            locations.append(WEBSOCKET)
        access = f"{self.place}/access.log combined buffer=64k flush=1s"
        path = self.write("nginx.conf", CONFIG.format(
            user="user root;\n" if os.getuid() == 0 else "",
            place=self.place, port=self.port,
            access=access if site.access_log else "off",
            buffers=BIG_BUFFERS if site.is_big else "",
            upstreams="".join(upstreams), locations="".join(locations)))
        return [find("nginx"), "-c", path, "-e", f"{self.place}/error.log"]

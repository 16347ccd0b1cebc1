"""Goal: a foreign server is proxied faithfully: its files, ranges, errors and
idle closes."""

import os
import shutil

import pytest

from harness import Process, free_port, route, service, wait_for, Raw

CONFIG = """\
daemon off;
worker_processes 1;
pid {place}/nginx.pid;
error_log {place}/nginx-error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {place}/nginx-body;
  proxy_temp_path {place}/nginx-proxy;
  fastcgi_temp_path {place}/nginx-fastcgi;
  uwsgi_temp_path {place}/nginx-uwsgi;
  scgi_temp_path {place}/nginx-scgi;
  keepalive_requests 5;
  gzip on;
  gzip_proxied any;  # else what has a Via is not compressed
  gzip_types *;
  gzip_min_length 1;
  server {{
    listen 127.0.0.1:{port};
    root {place}/www;
    location /none {{ return 204; }}
  }}
}}
"""


@pytest.fixture(name="nginx")
def fixture_nginx(place):
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    port = free_port()
    os.mkdir(f"{place}/www")
    os.chmod(f"{place}/www", 0o755)
    with open(f"{place}/www/file.txt", "w", encoding="ascii") as f:
        f.write("0123456789" * 10000)
    path = f"{place}/nginx.conf"
    with open(path, "w", encoding="ascii") as f:
        f.write(CONFIG.format(place=place, port=port))
    server = Process(place, "nginx", [program, "-c", path, "-e",
                                      f"{place}/nginx-error.log"])

    def listens():
        try:
            Raw(port).close()
        except ConnectionRefusedError:
            assert server.is_running(), server.log()
            return False
        return True

    wait_for(listens, f"nginx listens: {server.log()}")
    yield f"127.0.0.1:{port}"
    server.popen.terminate()
    server.wait_exit()


def test_files(drover, nginx):
    d = drover(services=[service("n", nginx)], routes=[route("/", "n")])
    text = b"0123456789" * 10000
    with d.client() as c:
        # nginx closes its connection after each fifth request.
        for _ in range(20):
            response = c.get("/file.txt")
            assert response.status == 200 and response.body == text
            etag = response.headers["etag"]
            response = c.get("/file.txt", Range="bytes=5-9")
            assert response.status == 206 and response.body == b"56789"
            assert response.headers["content-range"] == "bytes 5-9/100000"
            assert c.get("/file.txt", **{"If-None-Match": etag}).status == 304
            response = c.request("HEAD", "/file.txt")
            assert response.headers["content-length"] == "100000"
            assert c.get("/none").status == 204
            assert c.get("/missing").status == 404
            assert c.request("POST", "/file.txt", body=b"x").status == 405
            # Compressed on the fly: in chunks.
            response = c.get("/file.txt", **{"Accept-Encoding": "gzip"})
            assert response.headers["content-encoding"] == "gzip"
            assert response.headers["transfer-encoding"] == "chunked"
    assert d.service("n")["failures"] == 0

"""Goal: a browser at / gets a page about the gateway with commands to try, each
of which works unchanged; and / is the only path with the page."""

import html.parser
import os
import pathlib
import re
import subprocess

from harness import (DROVER, WRAPPER, Client, Process, free_port, handler,
                     respond, route, service, wait_for)

GATEWAY = pathlib.Path(__file__).resolve().parents[3] / "conf/gateway.yaml"
WELCOME = {**handler("/", "welcome"), "exact": True, "methods": ["GET"]}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
VOID = ("meta", "link")


class Page(html.parser.HTMLParser):
    """The page's values, commands and links; any breach of HTML fails."""

    def __init__(self, response):
        super().__init__()
        assert response.status == 200, response
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        self.open, self.values, self.commands, self.links = [], {}, [], []
        self.name, self.all = None, ""
        text = response.body.decode()
        assert text.startswith("<!DOCTYPE html>\n")
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag != "script"
        attrs = dict(attrs)
        assert "src" not in attrs
        if tag == "a":
            self.links.append(attrs["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.all += data
        inner = self.open[-1] if self.open else None
        if inner == "dt":
            self.name = data
        elif inner == "dd":
            self.values[self.name] = self.values.get(self.name, "") + data
        elif inner == "code":
            self.commands.append(data)


def browse(client, **headers):
    return Page(client.request("GET", "/", headers={**BROWSER, **headers}))


def test_the_gateway_as_it_is_shipped(place):
    port, admin = free_port(), free_port()
    gateway = Process(place, "gateway", [*WRAPPER, DROVER, "-c", str(GATEWAY)],
                      {"PORT": str(port), "ADMIN": f"127.0.0.1:{admin}",
                       "STATE_DIR": os.path.join(place, "state"),
                       "REDIS_URL": f"unix://{place}/none",
                       "CLUSTER_ID": "front", "WORKER_COUNT": "2"})

    def is_ready():
        try:
            with Client(admin) as c:
                return c.get("/readyz").status == 200
        except OSError:
            return False

    try:
        wait_for(is_ready, "it is ready")
        with Client(port) as c:
            page = browse(c)
            metrics = c.get("/api/metrics").json()
            assert page.values["pid"] == str(metrics["pid"])
            assert page.values["worker"] == f"{metrics['worker']} of 2"
            assert page.values["instance"] == "front"
            assert page.values["Redis"] == metrics["redis"]
            assert f"kill -9 {metrics['pid']}" in page.commands
            for path in ("/api/users", "/api/orders", "/api/pay", "/api/count",
                         "/api/cpu-bound"):
                assert f"curl 127.0.0.1:{port}{path}" in page.commands
                assert path in page.links
            assert f"curl 127.0.0.1:{admin}/metrics" in page.commands
            for link in page.links:
                if "cpu-bound" not in link:
                    assert c.get(link).status in (200, 502, 503), link
            # Without Redis or services; what has no route is 404 all the same.
            for path in ("/nonexistent", "/favicon.ico", "/index.html", "/-/"):
                answer = c.get(path, **BROWSER)
                assert answer.status == 404, path
                assert answer.json()["status"] == 404
            assert c.get("//", **BROWSER).status == 200
            head = c.request("HEAD", "/", headers=BROWSER)
            assert head.status == 200 and head.body == b""
            assert head.headers["content-type"].startswith("text/html")
            assert int(head.headers["content-length"]) > 1000
            refused = c.request("POST", "/", body=b"x", headers=BROWSER)
            assert refused.status == 405
            assert refused.headers["allow"] == "GET, HEAD"
    finally:
        gateway.signal(15)
        assert gateway.wait_exit() == 0


def test_curl_gets_it_as_text(drover):
    d = drover(routes=[WELCOME, respond("/fixed", 1),
                       handler("/api/metrics", "metrics")])
    with d.client() as c:
        answer = c.get("/", Accept="*/*")
        pid = c.get("/api/metrics").json()["pid"]
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["vary"] == "Accept"
        text = answer.body.decode()
        assert "<" not in text and "&#" not in text
        assert re.search(rf"^  pid +{pid}$", text, re.M)
        assert f"\n  curl 127.0.0.1:{d.port}/fixed\n" in text
        assert re.search(r"^  worker +\d of 2$", text, re.M)
        # The same facts as a browser's.
        for command in browse(c).commands:
            assert f"\n  {command}\n" in text


def test_its_values_are_live(drover, place):
    d = drover(workers=1, services=[
        service("away", f"unix:{place}/nobody", retries=0,
                breaker={"failures": 1, "open_for": "60s"})],
        routes=[WELCOME, route("/away", "away")])
    with d.client() as c:
        page = browse(c)
        assert "away (its circuit is closed)" in page.all
        before = int(page.values["requests, this worker"])
        assert c.get("/away").status == 502
        page = browse(c)
        assert "away (its circuit is open)" in page.all
        assert int(page.values["requests, this worker"]) == before + 2
        assert "after 1 failure in a row the circuit opens. 60 s" in page.all


def test_nothing_of_a_client_or_a_path_breaks_out(drover):
    """Commands are pasted into a shell: the test runs each in a shell."""
    odd = "/a<b>&\"$(x);y|`z`*~\\"
    d = drover(routes=[WELCOME, respond(odd, "odd"), respond("/it's", 1),
                       respond("/{a,b}", 1),
                       {**respond("/h", 1), "host": "a"}])
    with d.client() as c:
        for host in ("a$(touch)", "a';b;'", "a&b"):
            page = browse(c, Host=host)
            assert host not in page.all
            assert [x for x in page.commands if x.startswith("curl 'local")
                    ] == [f"curl 'localhost:{d.port}{odd}'"]
        page = browse(c, Host="[::1]:80")
        assert f"curl '[::1]:80{odd}'" in page.commands
        page = browse(c)
        assert page.links == [odd]
        assert "And 3 more routes" in page.all
    command, = [x for x in page.commands if str(d.port) in x]
    done = subprocess.run(["bash", "-c", command + " -s --noproxy '*'"],
                          capture_output=True, text=True, timeout=20,
                          check=True)
    assert done.stdout == '"odd"'


def test_http_1_0_without_a_host(drover):
    d = drover(routes=[WELCOME, respond("/fixed", 1)])
    with d.raw() as c:
        c.send("GET / HTTP/1.0\r\n\r\n")
        text = c.response().body.decode()
        assert f"  curl localhost:{d.port}/fixed\n" in text


def test_many_routes_are_cut(drover):
    d = drover(routes=[WELCOME] + [respond(f"/r{i}", i) for i in range(300)])
    with d.client() as c:
        page = browse(c)
        assert len([x for x in page.commands if "/r" in x]) == 20
        assert "And 280 more routes" in page.all

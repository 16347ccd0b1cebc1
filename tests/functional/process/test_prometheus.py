"""Goal: the alert rules and the dashboard are right, and ask for nothing that
Drover does not say."""

import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import pytest
import yaml

from harness import (Client, DEADLINE, Process, free_port, handler, route,
                     service, wait_for)

ROOT = pathlib.Path(__file__).resolve().parents[3]
CONF = ROOT / "conf"
METRIC = re.compile(r"\b(?:drover|process)_[a-z0-9_]+")
# Long enough for two scrapes on a busy machine.
RATE = "1m"


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], cwd=ROOT, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def dashboard():
    return json.loads((CONF / "grafana" / "drover.json").read_text())


def panel_queries():
    """(panel's title, PromQL) with the variables as Grafana fills them in."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], (target["expr"]
                                   .replace("$__rate_interval", RATE)
                                   .replace("$compose_service", ".*")
                                   .replace("$instance", ".*"))


def alerts():
    rules = yaml.safe_load((CONF / "alerts.yml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def test_rules_and_configuration():
    promtool("check", "rules", "conf/alerts.yml")
    promtool("check", "config", "conf/prometheus.yml")


def test_each_rule_fires_when_it_should():
    promtool("test", "rules", "tests/functional/process/alerts_test.yml")
    tested = (ROOT / "tests/functional/process/alerts_test.yml").read_text()
    for rule in alerts():
        assert f"alertname: {rule['alert']}\n" in tested


def test_each_alert_has_a_section_to_read():
    for rule in alerts():
        path, anchor = rule["annotations"]["runbook"].split("#")
        headings = re.findall(r"^#+ (.*)$", (ROOT / path).read_text(), re.M)
        assert anchor in {h.lower().replace(" ", "-") for h in headings}


def test_grafana_is_provisioned():
    """The folder, the data source's uid and the scrape interval are the same
    wherever they are named."""
    sources = yaml.safe_load((CONF / "grafana/datasource.yml").read_text())
    folders = yaml.safe_load((CONF / "grafana/dashboards.yml").read_text())
    scrapes = yaml.safe_load((CONF / "prometheus.yml").read_text())
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    (source,) = sources["datasources"]
    (folder,) = folders["providers"]
    assert (source["jsonData"]["timeInterval"] ==
            scrapes["global"]["scrape_interval"])
    assert source["url"] == "http://prometheus:9090"

    mounts = {to: ROOT / of for of, to, _ in (
        v.split(":") for v in compose["services"]["grafana"]["volumes"])}
    assert all(of.is_file() for of in mounts.values())
    path = folder["options"]["path"]
    assert mounts[f"{path}/drover.json"] == CONF / "grafana/drover.json"

    board = dashboard()
    used = board["panels"] + board["templating"]["list"]
    assert {u["datasource"]["uid"] for u in used} == {source["uid"]}
    ids = [p["id"] for p in board["panels"]]
    assert len(set(ids)) == len(ids)


def test_panels_do_not_overlap():
    taken = {}
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["id"]) == panel["id"]


class Prometheus(Process):
    """One that scrapes a Drover with our rules, as conf/prometheus.yml would
    if DNS named it."""

    def __init__(self, place, admin_port):
        self.port = free_port()
        config = yaml.safe_load((CONF / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "500ms",
                            "evaluation_interval": "500ms"}
        config["rule_files"] = [str(CONF / "alerts.yml")]
        (scrape,) = config["scrape_configs"]
        del scrape["dns_sd_configs"]
        scrape["static_configs"] = [
            {"targets": [f"127.0.0.1:{admin_port}"],
             "labels": {"__meta_dns_name": "api-gateway"}}]
        path = os.path.join(place, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(config, f)
        super().__init__(place, "prometheus", [
            "prometheus", f"--config.file={path}",
            f"--storage.tsdb.path={place}/tsdb",
            f"--web.listen-address=127.0.0.1:{self.port}"])
        wait_for(self._is_ready, "Prometheus is ready", 6 * DEADLINE)

    def _is_ready(self):
        try:
            with Client(self.port) as c:
                return c.get("/-/ready").status == 200
        except OSError:
            assert self.is_running(), self.log()
            return False

    def api(self, path, **parameters):
        with Client(self.port) as c:
            answer = c.get(f"/api/v1/{path}?" +
                           urllib.parse.urlencode(parameters))
        assert answer.status == 200, answer
        return answer.json()["data"]

    def query(self, promql):
        return self.api("query", query=promql)["result"]

    def firing(self):
        return {(a["labels"]["alertname"], a["labels"].get("service"))
                for a in self.api("alerts")["alerts"]
                if a["state"] == "firing"}

    def stop(self):
        self.kill()


@pytest.fixture(name="gateway")
def fixture_gateway(drover, backend, redis):
    """A gateway that has proxied, failed, and opened a circuit."""
    nobody = f"127.0.0.1:{free_port()}"
    d = drover(redis={"url": redis().url},
               services=[service("good", backend().address),
                         service("gone", nobody, breaker={
                             "failures": 3, "window": "10s",
                             "open_for": "60s"})],
               routes=[route("/good", "good"), route("/gone", "gone"),
                       handler("/cpu-bound", "cpu_bound")])
    d.wait_redis()
    assert {d.get("/good").status for _ in range(10)} == {200}
    assert [d.get("/gone").status for _ in range(4)] == [502] * 3 + [503]
    return d


@pytest.fixture(name="prometheus")
def fixture_prometheus(place, gateway):
    p = Prometheus(place, gateway.admin_port)
    yield p
    p.stop()


def test_every_metric_is_there(gateway):
    """Each name in a rule or a panel is a sample's on /metrics."""
    page = gateway.admin("/metrics").body.decode()
    said = set(re.findall(r"^(\w+)", page, re.M))
    wanted = {name for _, query in panel_queries()
              for name in METRIC.findall(query)}
    wanted |= {name for rule in alerts()
               for name in METRIC.findall(rule["expr"])}
    assert len(wanted) > 20
    missing = sorted(wanted - said)
    assert not missing, " ".join(missing)


def test_panels_show_something(gateway, prometheus):
    """Each query has a result: its labels are the metrics' labels."""
    wait_for(lambda: prometheus.query(
        'count_over_time((up{job="drover", compose_service="api-gateway"} == 1)'
        '[1m:500ms]) > 2'), "three scrapes", 6 * DEADLINE)
    assert gateway.get("/good").status == 200
    empty = [f"{title}: {query}" for title, query in panel_queries()
             if not prometheus.query(query)]
    assert empty == [], "\n".join(empty)


def test_alerts_fire(gateway, prometheus):
    """An open breaker and a blocked loop, of a real gateway."""
    def is_firing(alert, of=None):
        wait_for(lambda: (alert, of) in prometheus.firing(), alert,
                 6 * DEADLINE)

    is_firing("BreakerOpen", "gone")
    assert ("BreakerOpen", "good") not in prometheus.firing()
    if ("EventLoopDelay", None) not in prometheus.firing():
        assert gateway.get("/cpu-bound?ms=1000").status == 200
    is_firing("EventLoopDelay")

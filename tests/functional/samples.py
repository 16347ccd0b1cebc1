"""A page of metrics, read as Prometheus reads it."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"')
LINE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")


def labels_of(text):
    """Strict: nothing but labels and the commas between."""
    pairs = LABEL.findall(text)
    assert ",".join(f'{k}="{v}"' for k, v in pairs) == text, text
    return {k: re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), v)
            for k, v in pairs}


class Page:
    def __init__(self, text):
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        self.samples = {}
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            name, labels, value = LINE.fullmatch(line).groups()
            key = (name, frozenset(labels_of(labels or "").items()))
            assert key not in self.samples, line
            self.samples[key] = float(value)

    def get(self, name, **labels):
        """None: no such sample."""
        return self.samples.get((name, frozenset(labels.items())))

    def all(self, name, **labels):
        """{labels: value} of samples that have the given labels, among
        others."""
        want = set(labels.items())
        return {k[1]: v for k, v in self.samples.items()
                if k[0] == name and want <= k[1]}

    def histogram(self, name, **labels):
        return Histogram(self, name, labels)

    def growing(self):
        """All samples that may only grow: counters, and the parts of
        histograms."""
        return {k: v for k, v in self.samples.items()
                if self.types.get(k[0]) == "counter" or self.types.get(
                    re.sub("_(bucket|sum|count)$", "", k[0])) == "histogram"}


class Histogram:
    """A histogram of a page; empty when the page has none."""

    def __init__(self, page, name, labels):
        found = page.all(f"{name}_bucket", **labels)
        self.buckets = sorted((float(dict(k)["le"]), v)
                              for k, v in found.items()
                              if len(k) == len(labels) + 1)
        self.count = page.get(f"{name}_count", **labels) or 0
        self.sum = page.get(f"{name}_sum", **labels) or 0
        values = [v for _, v in self.buckets]
        assert values == sorted(values), "buckets are cumulative"
        assert not values or values[-1] == self.count

    def upto(self, bound):
        return dict(self.buckets)[bound]


def read(d):
    response = d.admin("/metrics")
    assert response.status == 200
    return Page(response.body.decode())

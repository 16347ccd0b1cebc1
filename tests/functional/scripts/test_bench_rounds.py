"""Goal: the bench's ratios come from neighbouring samples, and its tables name
each gap, whoever fails, and whenever time runs out."""

import dataclasses
import os
import sys
import time

import pytest

from harness import TESTS

sys.path.append(os.path.join(TESTS, "bench"))

# pylint: disable=wrong-import-position
import load
import report
import rounds
import summary
import workload
from process import BenchError

TITLES = {"drover": "Drover", "nginx": "nginx", "undici": "Node undici"}
RESULTS = {"date": "today", "commit": "this", "rounds": 3, "seconds": 0.5,
           "versions": {}, "syscalls": {}, "instructions": {},
           "machine": {"cpu": "one", "cores": 2, "system": "that",
                       "kernel": "6"}}
SINGLE, = workload.find(["128b"])
TWICE = dataclasses.replace(*workload.find(["post"]), samples=2)


class Contender:
    connections_max = 19000

    def __init__(self, name):
        self.name = name
        self.is_slow = name == "undici"


class Rig:
    """Any contender's sample is alike, or act() raises a fault. taken: the
    measured contender and workload, in order."""

    def __init__(self, act=lambda contender, load, taken: None):
        self.act = act
        self.taken = []

    def measure(self, contender, load, _seconds):
        me = contender.name, load.name
        self.act(*me, self.taken.count(me))
        self.taken.append(me)
        return {"cpu_us": 1, "pss_per_connection": 1, "foreign": 0,
                "errors": 0, "rate": 1, "p50_us": 1, "p99_us": 1}


def run(rig, loads, names=("nginx", "drover"), is_quick=False, ends_in=1000):
    plan = rounds.Plan(rounds=3, seconds=0.5, foreign_max=1, repeats=0,
                       is_quick=is_quick, ends_at=time.monotonic() + ends_in)
    found = rounds.run(rig, [(load, [Contender(name) for name in names])
                             for load in loads], plan)
    return {load.name: outcome for load, outcome in zip(loads, found)}


def turns(outcome, name):
    return [one["turn"] for one in outcome.samples[name]]


def test_a_round_goes_through_all(capsys):
    rig = Rig()
    run(rig, [SINGLE, TWICE])
    # A turn is two samples, of either first.
    turns_taken = [rig.taken[i:i + 2] for i in range(0, len(rig.taken), 2)]
    assert [load for (_, load), _ in turns_taken] == ["128b", "post",
                                                      "post"] * 3
    assert all(sorted(turn) == [("drover", load), ("nginx", load)]
               for turn in turns_taken for _, load in turn[:1])
    assert {turn[0][0] for turn in turns_taken} == {"drover", "nginx"}
    assert "Round 3 of 3" in capsys.readouterr().out


@pytest.mark.parametrize("is_quick, drover, undici", [
    (False, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)],
     [(0, 0), (1, 0), (2, 0)]),
    (True, [(0, 0), (1, 0), (2, 0)], [(0, 0)])])
def test_turns(is_quick, drover, undici):
    """A slow contender has fewer samples, each beside a sample of the rest."""
    outcome = run(Rig(), [TWICE], ("drover", "undici"), is_quick)["post"]
    assert turns(outcome, "drover") == drover
    assert turns(outcome, "undici") == undici


def test_memory_twice():
    outcome = run(Rig(), workload.find(["idle5k"]))["idle5k"]
    assert turns(outcome, "drover") == [(0, 0), (1, 0)]
    assert not outcome.is_cut


def test_ratios_are_of_one_turn():
    """A gap on one side is left out on the other."""
    base = [{"turn": (done, 0), "cpu_us": 100 * 2 ** done}
            for done in range(5)]
    own = [{**one, "cpu_us": one["cpu_us"] / 2} for one in base]
    assert report.paired(own[1:], base, "cpu_us") == 0.5
    assert report.paired(own, base[:2] + base[3:], "cpu_us") == 0.5
    # Without a completed request a sample has no cost.
    del base[1]["cpu_us"], own[3]["cpu_us"]
    assert report.paired(own, base, "cpu_us") == 0.5
    assert report.paired(own[:1], base[1:], "cpu_us") is None


def test_growth_beyond_the_floor():
    """Of one turn, too: the ratio of the medians would be 2.2."""
    def outcome(**figures):
        return rounds.Outcome(samples={name: [
            {"turn": (done, 0), "cpu_us": figure}
            for done, figure in enumerate(of)]
            for name, of in figures.items()})

    table = summary.growth_table(
        {"128b": outcome(drover=[1] * 5, relay_l7=[1] * 5),
         "c8000": outcome(drover=[3.3, 2.2, 1.1, 2, 2.4],
                          relay_l7=[3, 2, 1, 1, 1])},
        {"drover": "Drover", "relay_l7": "floor: heads"})
    assert table.splitlines()[-1] == (
        "| 8,000 connections / 128 B | 2.20 | 1.00 | 1.10 |")


def test_runs_of_a_sample():
    """Numbers add up; a pause in one run decides no latency."""
    def of(completed, p99_us, **kinds):
        return {"completed": completed, "errors": sum(kinds.values()),
                "kinds": kinds, "unsent": 0, "reopened": 1, "seconds": 0.5,
                "rate": 1, "p50_us": 1, "p99_us": p99_us, "max_us": p99_us}

    assert load.merge([of(9, 5)]) == of(9, 5)
    assert load.merge([of(100, 200), of(80, 9000, status=1),
                       of(120, 220, status=2, length=1)]) == {
        "completed": 300, "errors": 4, "kinds": {"status": 3, "length": 1},
        "unsent": 0, "reopened": 3, "seconds": 1.5, "rate": 200, "p50_us": 1,
        "p99_us": 220, "max_us": 9000}


def test_one_fails():
    """The contender is out of the workload, and the table says since when."""
    def act(name, load, taken):
        if (name, load, taken) == ("nginx", "128b", 1):
            raise BenchError("it has ended")

    loads = workload.find(["128b", "1k"])
    outcomes = run(Rig(act), loads)
    assert turns(outcomes["128b"], "nginx") == [(0, 0)]
    assert len(turns(outcomes["128b"], "drover")) == 3
    assert len(turns(outcomes["1k"], "nginx")) == 3
    said = [report.table(load, outcomes[load.name], TITLES) for load in loads]
    assert "nginx failed in sample 2: it has ended" in said[0]
    assert "failed" not in said[1]


def test_out_of_time():
    """The first round is whole; each table names the other's gaps."""
    outcomes = run(Rig(), [SINGLE, TWICE], ends_in=-1)
    assert turns(outcomes["post"], "drover") == [(0, 0), (0, 1)]
    assert "only 1 rounds: out of time" in report.table(
        SINGLE, outcomes["128b"], TITLES)
    text = summary.document(RESULTS, outcomes, TITLES)
    assert ("3 rounds of 0.5 s, out of time after 1 of 128 B, 2 samples of "
            "POST 16 KiB, out of time after 1 of POST 16 KiB.") in text


def test_nobody_takes_part():
    """As when only a floor is asked for, and it has no routes."""
    loads = workload.find(["128b", "routes1k"])
    outcomes = run(Rig(), loads[:1]) | run(Rig(), loads[1:], ())
    assert "| 1,000 routes |" in summary.document(RESULTS, outcomes, TITLES)

"""Interleaved rounds: A B C A B C, so that what changes on the
machine meets all of them. A sample during which others had too much of the
cores is taken again."""

import time
from dataclasses import dataclass, field

import workload
from process import BenchError

REPEATS_MAX = 2  # for a sample


@dataclass
class Plan:
    rounds: int
    is_fixed: bool       # no workload has more of them
    seconds: float       # of a sample
    foreign_max: float   # share of a core
    repeats: int         # of samples in a workload, at most: a machine that
    #                      is never quiet must not take all the time
    is_quick: bool       # who is slow is measured once
    ends_at: float = 0   # of this workload; time.monotonic()


@dataclass
class Outcome:
    """Of one workload: samples and troubles by contender."""
    samples: dict = field(default_factory=dict)
    troubles: dict = field(default_factory=dict)
    repeats: int = 0
    disturbed: int = 0   # samples that were kept all the same
    rounds: int = 0
    is_cut: bool = False

    def to_json(self):
        return {"samples": self.samples, "troubles": self.troubles,
                "repeats": self.repeats, "disturbed": self.disturbed,
                "rounds": self.rounds, "cut": self.is_cut}


def is_late(plan):
    return time.monotonic() > plan.ends_at


def sample(rig, contender, load, plan, outcome):
    """The first undisturbed one, else the least disturbed."""
    best = None
    for attempt in range(1 + REPEATS_MAX):
        one = rig.measure(contender, load, plan.seconds)
        if best is None or one["foreign"] < best["foreign"]:
            best = one
        if best["foreign"] <= plan.foreign_max:
            break
        if (attempt == REPEATS_MAX or outcome.repeats == plan.repeats or
                is_late(plan)):
            outcome.disturbed += 1
            break
        outcome.repeats += 1
    return best


def trouble(contender, load):
    """Why it can't take part, or None."""
    if load.connections > contender.connections_max:
        return (f"more than {contender.connections_max} connections do not "
                "fit into its descriptors")
    return None


def begin(contenders, load):
    outcome = Outcome()
    for contender in contenders:
        reason = trouble(contender, load)
        if reason:
            outcome.troubles[contender.name] = reason
        outcome.samples[contender.name] = []
    return outcome


def rounds_of(load, plan):
    return plan.rounds if plan.is_fixed else max(plan.rounds, load.rounds)


def has_turn(contender, load, plan, outcome):
    if contender.name in outcome.troubles:
        return False
    most = plan.rounds if contender.is_slow else rounds_of(load, plan)
    if load.kind == workload.MEMORY:
        most = min(most, 2)  # the same each time, to a page
    if plan.is_quick and contender.is_slow:
        most = 1
    return outcome.rounds < most


def run(rig, group, plan):
    """group: pairs of a workload and its contenders, which share the rounds.
    Returns an outcome for each."""
    outcomes = [begin(contenders, load) for load, contenders in group]
    for done in range(max(rounds_of(load, plan) for load, _ in group)):
        for (load, contenders), outcome in zip(group, outcomes):
            if done > 0 and is_late(plan):
                outcome.is_cut = True
                continue
            for contender in contenders:
                if not has_turn(contender, load, plan, outcome):
                    continue
                try:
                    outcome.samples[contender.name].append(
                        sample(rig, contender, load, plan, outcome))
                except BenchError as e:
                    outcome.troubles[contender.name] = str(e)
            outcome.rounds += 1
    return outcomes

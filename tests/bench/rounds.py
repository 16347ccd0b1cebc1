"""Interleaved rounds: A B C, B C A, and in each round all workloads: a change
of the machine, for a second or for minutes, meets all proxies. A sample with
too much foreign CPU is taken again."""

import random
import time
from dataclasses import dataclass, field

import workload
from process import BenchError

REPEATS_MAX = 2  # for a sample


@dataclass
class Plan:
    rounds: int
    seconds: float       # of a sample
    foreign_max: float   # share of a core
    repeats: int         # of samples in a workload, at most: a machine that
    #                      is never quiet must not take all the time
    is_quick: bool       # one sample a round; a slow contender has one at all
    ends_at: float       # time.monotonic()


@dataclass
class Outcome:
    """Of a workload: samples and troubles by contender."""
    samples: dict = field(default_factory=dict)
    troubles: dict = field(default_factory=dict)
    repeats: int = 0
    disturbed: int = 0   # disturbed samples that were kept
    rounds: int = 0
    is_cut: bool = False

    def to_json(self):
        return {"samples": self.samples, "troubles": self.troubles,
                "repeats": self.repeats, "disturbed": self.disturbed,
                "rounds": self.rounds, "cut": self.is_cut}


def is_late(plan):
    return time.monotonic() > plan.ends_at


def sample(rig, contender, load, plan, outcome):
    """The first undisturbed sample, else the least disturbed."""
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
    """Why the contender can't take part, or None."""
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
    # Memory is the same each time, to a page.
    return min(plan.rounds, 2) if load.kind == workload.MEMORY else plan.rounds


def samples_of(contender, load, plan, done):
    """The number of samples in a round after so many are done."""
    if plan.is_quick and contender.is_slow and done > 0:
        return 0
    return 1 if plan.is_quick or contender.is_slow else load.samples


def run_workload(rig, load, contenders, plan, outcome):
    """A round of the workload."""
    for turn in range(load.samples):
        # In random order: no contender always follows the same.
        order = random.Random(f"{load.name} {outcome.rounds} {turn}")
        for contender in order.sample(contenders, len(contenders)):
            if (contender.name in outcome.troubles or
                    turn >= samples_of(contender, load, plan, outcome.rounds)):
                continue
            try:
                one = sample(rig, contender, load, plan, outcome)
            except BenchError as e:
                outcome.troubles[contender.name] = str(e)
                continue
            one["turn"] = outcome.rounds, turn
            outcome.samples[contender.name].append(one)
    outcome.rounds += 1


def run(rig, pairs, plan):
    """pairs: of a workload and its contenders. Returns an outcome for each."""
    outcomes = [begin(contenders, load) for load, contenders in pairs]
    for done in range(plan.rounds):
        print(f"Round {done + 1} of {plan.rounds}", flush=True)
        for (load, contenders), outcome in zip(pairs, outcomes):
            if done >= rounds_of(load, plan):
                continue
            if done > 0 and is_late(plan):
                outcome.is_cut = True
                continue
            run_workload(rig, load, contenders, plan, outcome)
    return outcomes

"""Medians, ratios, and the table."""

import statistics

import workload

PEERS = ("nginx", "haproxy")  # as without splice
FLOORS = ("relay_l4", "relay_l7")


def figure(samples, key):
    """Median, minimum and maximum, or None."""
    values = [sample[key] for sample in samples if key in sample]
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values)}


def median(outcome, name, key):
    found = figure(outcome.samples.get(name, []), key)
    return found["median"] if found else None


def main_key(load):
    return "pss_per_connection" if load.kind == workload.MEMORY else "cpu_us"


def by_turn(samples, key):
    return {one["turn"]: one[key] for one in samples if one.get(key)}


def costs(outcome, name):
    return by_turn(outcome.samples.get(name, []), "cpu_us")


def ratios(figures, base):
    """The two figures of each turn; a turn without one of them is left out.
    Both {turn: figure}."""
    return {turn: figure / base[turn] for turn, figure in figures.items()
            if turn in base}


def median_of(figures):
    return statistics.median(figures.values()) if figures else None


def paired(samples, base, key):
    """The median of the ratios of neighbouring samples, or None. Unlike the
    ratio of medians, it is free of changes of the machine's speed between
    rounds."""
    return median_of(ratios(by_turn(samples, key), by_turn(base, key)))


def to_other(outcome, name, other, key):
    return paired(outcome.samples.get(name, []),
                  outcome.samples.get(other, []), key)


def to_peer(outcome, name, key):
    """To the better peer: the larger ratio."""
    found = [to_other(outcome, name, peer, key) for peer in PEERS]
    return max((ratio for ratio in found if ratio), default=None)


def times(ratio):
    return f"{ratio:.2f}" if ratio else ""


def number(value):
    if value is None:
        return ""
    if value < 100:
        return f"{value:.1f}"
    return f"{value:,.0f}"


def rows(load, outcome, titles):
    """A row per contender: texts under the columns of head()."""
    key = main_key(load)
    for name, samples in outcome.samples.items():
        title = titles[name]
        if not samples:
            yield [title, outcome.troubles.get(name, "not measured")]
            continue
        main = figure(samples, key)
        errors = sum(sample["errors"] for sample in samples)
        row = [title]
        if main:
            row += [number(main["median"]),
                    f"{number(main['min'])}-{number(main['max'])}",
                    times(to_peer(outcome, name, key)),
                    *(times(to_other(outcome, name, floor, key))
                      for floor in FLOORS)]
        else:
            row += ["", "", "", "", ""]
        for column in ("rate", "p50_us", "p99_us"):
            row.append(number(median(outcome, name, column)))
        pss = median(outcome, name, "pss_bytes")
        row.append(number(pss / 2**20) if pss else "")
        row.append(f"{errors:,}" if errors else "")
        yield row


def head(load):
    unit = "B/conn" if load.kind == workload.MEMORY else "us/req"
    return [load.title, unit, "min-max", "/peer", "/L4", "/L7", "req/s",
            "p50 us", "p99 us", "PSS MiB", "errors"]


def table(load, outcome, titles):
    """Text, in columns; a trouble takes the rest of its line."""
    lines = [head(load), *rows(load, outcome, titles)]
    width = [max(len(line[i]) for line in lines if len(line) > max(i, 2) or
                 i == 0) for i in range(len(lines[0]))]
    width[0] = max(width[0], 24)
    text = []
    for line in lines:
        if len(line) == 2:
            text.append(f"  {line[0]:<{width[0]}}  {line[1]}")
            continue
        cells = [f"{line[0]:<{width[0]}}"]
        cells += [f"{cell:>{width[i]}}" for i, cell in enumerate(line) if i]
        text.append("  " + "  ".join(cells).rstrip())
    notes = []
    if outcome.repeats:
        notes.append(f"{outcome.repeats} samples repeated")
    if outcome.disturbed:
        notes.append(f"{outcome.disturbed} kept though others were on the "
                     "cores")
    if outcome.is_cut:
        notes.append(f"only {outcome.rounds} rounds: out of time")
    # The line is of earlier samples.
    notes += [f"{titles[name]} failed in sample "
              f"{len(outcome.samples[name]) + 1}: {reason}"
              for name, reason in outcome.troubles.items()
              if outcome.samples[name]]
    if notes:
        text.append("  (" + "; ".join(notes) + ")")
    return "\n".join(text)

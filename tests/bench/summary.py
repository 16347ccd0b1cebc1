"""The tables at the end, as Markdown: a row per workload."""

import report
import workload

# The columns; further contenders have figures in results.json.
COLUMNS = ("drover", "nginx", "haproxy", "haproxy-splice", "http-proxy",
           "undici", "relay_l4", "relay_l7", "against")


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "|" + "---|" + "---:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def present(outcomes):
    names = {name for outcome in outcomes.values()
             for name, samples in outcome.samples.items() if samples}
    return [name for name in COLUMNS if name in names]


def main_table(outcomes, titles):
    """Medians, and Drover's ratio to the better peer and to the floors."""
    names = present(outcomes)
    has_drover = "drover" in names
    head = ["", *(titles[name] for name in names)]
    if has_drover:
        head += ["Drover / better peer", "/ floor: bytes", "/ floor: heads"]
    rows = []
    for load in workload.WORKLOADS:
        if load.name not in outcomes:
            continue
        outcome = outcomes[load.name]
        key = report.main_key(load)
        unit = ", B" if load.kind == workload.MEMORY else ""
        row = [load.title + unit]
        row += [report.number(report.median(outcome, name, key))
                for name in names]
        if has_drover:
            row.append(report.times(report.to_peer(outcome, "drover", key)))
            row += [report.times(report.to_other(outcome, "drover", floor,
                                                 key))
                    for floor in report.FLOORS]
        rows.append(row)
    return markdown(head, rows)


def latency_table(outcomes, titles):
    names = present(outcomes)
    has_drover = "drover" in names
    head = ["", *(titles[name] for name in names)]
    if has_drover:
        head.append("Drover / better peer")
    rows = []
    for load in workload.WORKLOADS:
        if load.kind != workload.LATENCY or load.name not in outcomes:
            continue
        for key, what in (("p50_us", "p50"), ("p99_us", "p99")):
            outcome = outcomes[load.name]
            row = [f"{load.title}, {what} us"]
            row += [report.number(report.median(outcome, name, key))
                    for name in names]
            if has_drover:
                row.append(report.times(report.to_peer(outcome, "drover",
                                                       key)))
            rows.append(row)
    return markdown(head, rows) if rows else ""


def growth_table(outcomes, titles):
    """The growth; and its ratio to the floor's growth."""
    names = present(outcomes)
    title = {load.name: load.title for load in workload.WORKLOADS}
    rows = []
    for base, grown in workload.GROWTH:
        if base not in outcomes or grown not in outcomes:
            continue
        growth = {name: report.ratios(
            report.costs(outcomes[grown], name),
            report.costs(outcomes[base], name)) for name in names}
        beyond = report.ratios(growth.get("drover", {}),
                               growth.get("relay_l7", {}))
        rows.append([f"{title[grown]} / {title[base]}",
                     *(report.times(report.median_of(growth[name]))
                       for name in names),
                     report.times(report.median_of(beyond))])
    return markdown(["", *(titles[name] for name in names),
                     "Drover / floor: heads"], rows) if rows else ""


def counts_table(counts, titles):
    """counts: {workload: {contender: number}}"""
    names = [name for name in COLUMNS
             if any(name in found for found in counts.values())]
    title = {load.name: load.title for load in workload.WORKLOADS}
    rows = [[title[load], *(report.number(found.get(name))
                            for name in names)]
            for load, found in counts.items()]
    return markdown(["", *(titles[name] for name in names)], rows) \
        if rows else ""


def exceptions(outcomes):
    """Workloads with more than one sample in a round, or fewer rounds."""
    text = ""
    for load in workload.WORKLOADS:
        if load.name not in outcomes:
            continue
        outcome = outcomes[load.name]
        most = max(map(len, outcome.samples.values()), default=0)
        if most > outcome.rounds:
            text += f", {most} samples of {load.title}"
        if outcome.is_cut:
            text += f", out of time after {outcome.rounds} of {load.title}"
    return text


def document(results, outcomes, titles):
    machine = results["machine"]
    versions = "".join(f"{titles[name]} {version}; " for name, version in
                       results["versions"].items() if version)
    about = (f"{results['date']}, commit {results['commit']}: "
             f"{machine['cpu']}, {machine['cores']} cores, "
             f"{machine['system']}, Linux {machine['kernel']}; {versions}"
             f"{results['rounds']} rounds of {results['seconds']} s"
             f"{exceptions(outcomes)}.")
    parts = [
        about,
        "CPU time of the proxy, us per request; memory, bytes per "
        "connection:", main_table(outcomes, titles)]
    for title, text in (
            ("Latency:", latency_table(outcomes, titles)),
            ("Growth of the CPU time per request, times:",
             growth_table(outcomes, titles)),
            ("System calls per request:", counts_table(
                {load: {name: found["total"] for name, found in of.items()}
                 for load, of in results["syscalls"].items()}, titles)),
            ("Instructions per request, in user space:",
             counts_table(results["instructions"], titles))):
        if text:
            parts += [title, text]
    return "\n\n".join(parts) + "\n"

"""A chart of the CPU time per request, by gnuplot: the better of nginx and
HAProxy is 1."""

import os
import subprocess

import report
import workload
from contender import find

SHOWN = ("drover", "nginx", "haproxy", "haproxy-splice", "relay_l4",
         "relay_l7")
COLORS = ("#1f4e9c", "#4caf50", "#e07b39", "#f0b27a", "#9e9e9e", "#616161")

SCRIPT = """\
set terminal pngcairo size 1600,700 font "sans,11"
set output "{png}"
set title "CPU time per request; the better of nginx and HAProxy is 1"
set style data histogram
set style histogram clustered gap 1
set style fill solid border -1
set boxwidth 0.9
set yrange [0:*]
set grid ytics
set key outside top center horizontal
set xtics rotate by -25 noenhanced
set datafile missing "?"
plot {plots}
"""


def data(outcomes, names):
    for load in workload.WORKLOADS:
        if load.name not in outcomes or load.kind == workload.MEMORY:
            continue
        outcome = outcomes[load.name]
        cells = [report.to_peer(outcome, name, "cpu_us") for name in names]
        if any(cells):
            yield f'"{load.title}" ' + " ".join(
                f"{cell:.3f}" if cell else "?" for cell in cells)


def draw(outcomes, titles, folder):
    """Returns the picture's path, or None for an empty picture."""
    names = [name for name in SHOWN
             if any(outcome.samples.get(name) for outcome in
                    outcomes.values())]
    lines = list(data(outcomes, names))
    if not lines:
        return None
    paths = {end: os.path.join(folder, f"chart.{end}")
             for end in ("dat", "gp", "png")}
    with open(paths["dat"], "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    plots = ", ".join(
        f'"{paths["dat"]}" using {i + 2}:xtic(1) title "{titles[name]}" '
        f'linecolor rgb "{COLORS[SHOWN.index(name)]}"'
        for i, name in enumerate(names))
    with open(paths["gp"], "w", encoding="utf-8") as f:
        f.write(SCRIPT.format(png=paths["png"], plots=plots))
    subprocess.run([find("gnuplot"), paths["gp"]], check=True,
                   stdin=subprocess.DEVNULL)
    return paths["png"]

"""How time and memory grow with the data: `python -m studies.scaling`.

Runs every model on aliec-sim at several scales (finished runs are skipped), fills `docs/scaling.md` and
draws `docs/scaling.svg` from the stored runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.evaluation.reports.figures import palette
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.evaluation.runs.records import of_board
from retrieval_leaderboard.studies import figures, limits
from retrieval_leaderboard.support import markdown, pages

BOARD = ROOT / "results" / "aliec-sim"
SCALES = (0.05, 0.1, 0.3, 1.0)
MEASURES = {"fit s": "fit_seconds", "rank s": "recommend_seconds", "peak MiB": "peak_rss_mib"}
SHORTEST = 0.1
"""Seconds below which a time says nothing about growth."""

Points = dict[str, list[RunRecord]]


def points(scales: tuple[float, ...]) -> Points:
    """Model → its finished runs at `scales` by the settings that it has at most of them, by size."""
    titles = {f"aliec-sim, synthetic, scale {scale}" for scale in scales}
    found: dict[str, dict[str, list[RunRecord]]] = {}
    for record in of_board(BOARD).values():
        done = record.is_done and record.dataset.title in titles
        if done and not record.code and not record.provenance.by_command:
            alike = found.setdefault(record.model, {})
            values = json.dumps(record.resolved or record.settings, sort_keys=True)
            alike.setdefault(values, []).append(record)
    return {model: max(map(_newest, alike.values()), key=_reach) for model, alike in found.items()}


def _newest(records: list[RunRecord]) -> list[RunRecord]:
    """One run a size, by size."""
    by_date = sorted(records, key=lambda record: record.date)
    return sorted({interactions(record): record for record in by_date}.values(), key=interactions)


def _reach(records: list[RunRecord]) -> tuple[int, str]:
    """How many sizes there are, then how new they are."""
    return len(records), max(record.date for record in records)


def interactions(record: RunRecord) -> int:
    """Training interactions of a run."""
    return record.dataset.train_valid_interactions


def cost(record: RunRecord, key: str) -> float:
    """A field of `Costs`."""
    return float(getattr(record.costs, key))


def exponent(records: list[RunRecord], key: str) -> float | None:
    """Slope of log(measure) over log(interactions); None where fewer than two points can tell."""
    long_enough = [record for record in records if key == "peak_rss_mib" or cost(record, key) >= SHORTEST]
    if len(long_enough) < 2:
        return None
    sizes = np.log([interactions(record) for record in long_enough])
    values = np.log([cost(record, key) for record in long_enough])
    return float(np.polyfit(sizes, values, 1)[0])


def tables(found: Points) -> dict[str, str]:
    """The table of growth and what it was measured on, as Markdown."""
    every = [record for records in found.values() for record in records]
    sizes = sorted({interactions(record) for record in every})
    header = ["model", "measure", *(f"{size:,}" for size in sizes), "exponent"]
    rows = []
    for model, records in found.items():
        by_size = {interactions(record): record for record in records}
        for label, key in MEASURES.items():
            slope = exponent(records, key)
            cells = [f"{cost(by_size[size], key):,.1f}" if size in by_size else "–" for size in sizes]
            rows.append([model, label, *cells, "–" if slope is None else f"{slope:.2f}"])
    return {"growth": markdown.table(rows, header), "conditions": _conditions(every)}


def parts() -> dict[str, str]:
    """All parts of the page."""
    return tables(points(SCALES)) | limits.tables()


def _conditions(records: list[RunRecord]) -> str:
    machines = "; ".join(sorted({record.costs.machine for record in records}))
    load = max(record.costs.cores_elsewhere for record in records)
    return (
        f"{machines}; other processes kept up to {load:.1f} cores busy. "
        f"The exponent leaves out times below {SHORTEST} s."
    )


def plot(found: Points, target: Path) -> None:
    """Seconds to fit and peak memory over interactions, both axes logarithmic."""
    figure, axes = figures.panels(len(MEASURES), (12, 4.4), "scaling")
    for axis, (label, key) in zip(axes, MEASURES.items(), strict=True):
        for model, records in found.items():
            sizes = [interactions(each) for each in records]
            axis.plot(
                sizes, [cost(each, key) for each in records], "o-", label=model, color=palette.color(model)
            )
        axis.set(xscale="log", yscale="log", xlabel="training interactions", title=label)
    figures.legend(figure, axes, len(found))
    figures.save(figure, target)


def main() -> int:
    """Run what is missing, then fill the page and draw the plot; 1 where a run failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scales", type=float, nargs="+", default=SCALES, help="to be run, of those shown")
    parser.add_argument("--page-only", action="store_true", help="run nothing, fill the page")
    options = parser.parse_args()
    scales = tuple(options.scales)
    kept = ["--results-dir", str(ROOT / "results")]
    command = [sys.executable, "run_all.py", *kept, "--dataset", "aliec-sim", "--scale"]
    missing = () if options.page_only else scales
    codes = [subprocess.run([*command, str(scale)], cwd=ROOT, check=False).returncode for scale in missing]
    plot(points(SCALES), ROOT / "docs" / "scaling.svg")
    pages.fill(ROOT / "docs" / "scaling.md", parts())
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())

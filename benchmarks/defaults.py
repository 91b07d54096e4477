"""How far untuned models come: `python -m benchmarks.defaults --data-dir DIR`.

Scores every model that has a choice in a dataset's config by its defaults, trained for as long as the trials
were that led to that choice, and keeps the score in `benchmarks/defaults/`. docs/defaults.md sets it beside
the choice's.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

import baselines  # noqa: F401  (importing registers its models)
import neural  # noqa: F401
from datasets import Dataset, load
from evaluation import configs, environment, isolation, registry, settings
from evaluation.runs import Job, ModelSource
from evaluation.trial import scored
from support import compute
from support.errors import in_one_sentence
from support.files import write_json, write_text
from support.progress import say

ROOT = Path(__file__).parent.parent
RECORDS = Path(__file__).parent / "defaults"
DATASETS = ("gowalla", "amazon-beauty", "ml-1m", "ml-100k")
WANTED = 0.9
"""The share of a tuned model's NDCG@20 that the defaults are to reach."""
HELD = ("epochs", "patience")
"""What a command may set for all trials of a search alike"""
Record = dict[str, Any]


@dataclass(frozen=True)
class Tuned:
    """A model's choice for a dataset, on the validation queries."""

    model: str
    ndcg: float
    trials: int
    held: dict[str, Any]
    """Of HELD, what its trials had; what the choice has, where they are not kept"""

    def start(self) -> dict[str, Any]:
        """The settings that a search would begin with today: defaults, but for what was held."""
        return settings.defaults(registry.get(self.model)) | self.held


def choices(dataset: Dataset, root: Path) -> Iterator[Tuned]:
    """What a dataset's config chose on validation, model by model."""
    found = configs.read(root / "configs" / f"{dataset.name}.yaml", dataset)
    for model, choice in sorted(found.items()):
        ndcg = choice.chosen.valid_ndcg
        if ndcg is not None:
            fixed = _search(root / "results" / dataset.name / "tuning", model, ndcg) or choice.settings
            held = {key: fixed[key] for key in HELD if key in fixed}
            yield Tuned(model, ndcg, choice.chosen.trials, held)


def _search(folder: Path, model: str, ndcg: float) -> dict[str, Any]:
    """The settings that all trials of a search had, whose best one has `ndcg`; none where it is not kept."""
    for path in sorted(folder.glob("*.json")):
        search = json.loads(path.read_text(encoding="utf-8"))
        best = max(trial.get("ndcg", 0.0) for trial in search["trials"])
        if (search["model"], round(best, 6)) == (model, ndcg):
            return search["fixed"]
    return {}


def measure(dataset: Dataset) -> None:
    """Score the start of every choice."""
    here = compute.configure()
    for tuned in choices(dataset, ROOT):
        name, values = tuned.model, tuned.start()
        job = Job(ModelSource(name), values, 0, 20, here.device, here.precision)
        ndcg = isolation.call(scored, job, dataset)["ndcg"]
        say(f"{dataset.heading}, {name}: NDCG@20 {ndcg:.4f} by defaults, {tuned.ndcg:.4f} tuned")
        record = {"dataset": dataset.heading, "model": name, "settings": values, "ndcg": ndcg}
        record |= {"tuned": tuned.ndcg, "trials": tuned.trials}
        record |= {"processor": environment.processor(), "commit": environment.git_commit()}
        write_json(RECORDS / f"{dataset.name}-{name}.json", record)


def page(records: list[Record]) -> str:
    """Defaults beside tuned settings as Markdown."""
    header = ["dataset", "model", "defaults", "tuned", "share", f"≥ {WANTED:.0%}", "trials"]
    lines = []
    for record in records:
        ndcg, tuned = record["ndcg"], record["tuned"]
        line = [record["dataset"], record["model"], f"{ndcg:.4f}", f"{tuned:.4f}", f"{ndcg / tuned:.1%}"]
        lines.append([*line, "yes" if ndcg >= WANTED * tuned else "no", str(record["trials"])])
    table = tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    return (
        "# Defaults beside tuned settings\n\nNDCG@20 on the validation queries, seed 0, of each model with "
        "its defaults and with the settings that its config chose for the dataset, both trained for as long "
        f"as the trials were; written by `python -m benchmarks.defaults`.\n\n{table}\n"
    )


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.defaults", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data", help="folder of the datasets")
    parser.add_argument("--datasets", default=",".join(DATASETS), help="names, comma-separated")
    asked = parser.parse_args(arguments)
    for name in asked.datasets.split(","):
        measure(load(name, asked.data_dir))
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDS.glob("*.json"))]
    write_text(ROOT / "docs" / "defaults.md", page(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How far untuned models come: `python -m benchmarks.defaults --data-dir DIR`.

Scores every model with its defaults on the validation part, as a trial of `--tune` is scored, keeps the
scores in `benchmarks/defaults/`, and derives docs/defaults.md from them and from the tuned configs.
"""

from __future__ import annotations

import argparse
import json
import sys
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
from support.files import write_json, write_text
from support.progress import say

ROOT = Path(__file__).parent.parent
RECORDS = Path(__file__).parent / "defaults"
DATASETS = ("gowalla", "amazon-beauty", "ml-1m", "ml-100k")
WANTED = 0.9
"""The share of a tuned model's NDCG@20 that the defaults are to reach."""


def measure(dataset: Dataset) -> None:
    """Score every registered model with its defaults, and the config's choices beside them."""
    here = compute.configure()
    scores = {}
    for name in registry.names():
        model = registry.get(name)
        job = Job(ModelSource(name), settings.defaults(model), 0, 20, here.device, here.precision)
        scores[name] = isolation.call(scored, job, dataset)["ndcg"]
        say(f"{dataset.heading}, {name}: NDCG@20 {scores[name]:.4f}")
    record = {"dataset": dataset.heading, "fingerprint": dataset.fingerprint, "ndcg": scores}
    record |= {"processor": environment.processor(), "commit": environment.git_commit()}
    write_json(RECORDS / f"{dataset.name}.json", record | {"tuned": tuned(dataset)})


def tuned(dataset: Dataset) -> dict[str, Any]:
    """Model → how its settings in the dataset's config were chosen, where by a search."""
    choices = configs.read(ROOT / "configs" / f"{dataset.name}.yaml", dataset)
    return {name: choice.chosen.as_dict() for name, choice in choices.items() if choice.chosen.by == "tuning"}


def page(records: list[dict[str, Any]]) -> str:
    """Defaults beside tuned settings as Markdown."""
    header = ["dataset", "model", "defaults", "tuned", "share", f"≥ {WANTED:.0%}", "trials"]
    lines = []
    for record in records:
        for model, chosen in record["tuned"].items():
            default, best = record["ndcg"][model], chosen["valid_ndcg"]
            line = [record["dataset"], model, f"{default:.4f}", f"{best:.4f}", f"{default / best:.1%}"]
            lines.append([*line, "yes" if default >= WANTED * best else "no", str(chosen["trials"])])
    table = tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    return (
        "# Defaults beside tuned settings\n\nNDCG@20 on the validation queries, seed 0, of each model with "
        "its defaults and with the settings that `--tune` chose for the dataset; written by "
        f"`python -m benchmarks.defaults`.\n\n{table}\n"
    )


def main() -> int:
    """Measure what is asked for and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.defaults", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data", help="folder of the datasets")
    parser.add_argument("--datasets", default=",".join(DATASETS), help="names, comma-separated")
    asked = parser.parse_args()
    for name in asked.datasets.split(","):
        measure(load(name, asked.data_dir))
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDS.glob("*.json"))]
    write_text(ROOT / "docs" / "defaults.md", page(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())

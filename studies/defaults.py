"""How far untuned models come: `python -m studies.defaults --data-dir DIR`.

Scores every model that has a choice in a dataset's config by its defaults and by the choices of the other
datasets; keeps the scores in `studies/records/defaults/`. docs/defaults.md sets them beside the choice's.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tabulate import tabulate

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.studies import scores, transfer
from retrieval_leaderboard.studies.transfer import Share
from retrieval_leaderboard.studies.tuned_configs import DATASETS, choices, score
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.files import write_text

RECORDS = Path(__file__).parent / "records" / "defaults"
WANTED = 0.9
"""The share of a tuned model's NDCG@20 that the defaults are to reach."""


def measure(dataset: Dataset, models: list[str]) -> None:
    """Score the defaults and the other datasets' choices; of all models where none is named."""
    for tuned in choices(dataset, ROOT):
        if models and tuned.model not in models:
            continue
        path = RECORDS / f"{dataset.name}-{tuned.model}.json"
        scores.write(path, score(dataset, tuned, tuned.defaults(), "by defaults"))
        for name, values in transfer.origins(tuned, dataset.name, ROOT):
            found = score(dataset, tuned, values, f"by the settings for {name}", name)
            scores.write(path.with_suffix(f".{name}.json"), found)


def read() -> list[Share]:
    """Every score that is kept, beside that of the dataset's own settings."""
    return [transfer.share(found, ROOT) for found in scores.load_all(RECORDS, scores.Transfer)]


def page(shares: list[Share]) -> str:
    """Defaults beside tuned settings, and settings of other datasets, as Markdown."""
    header = ["dataset", "model", "defaults", "tuned", "share", f"≥ {WANTED:.0%}", "trials"]
    lines = []
    for each in shares:
        if each.score.origin:
            continue
        ndcg = each.score.ndcg
        line = [each.score.dataset, each.score.model, f"{ndcg:.4f}", f"{each.tuned:.4f}", f"{each.value:.1%}"]
        lines.append([*line, "yes" if ndcg >= WANTED * each.tuned else "no", each.trials])
    table = tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    return (
        "# Defaults beside tuned settings\n\nNDCG@20 on the validation queries, seed 0, of each model with "
        "its defaults, as on a dataset without a config, and with the settings that its config chose for "
        "the dataset; written by `python -m studies.defaults`. The defaults, and the rules by which some "
        "settings follow the data, were fitted on the validation parts of these same datasets: the shares "
        f"are in-sample, and on other data may be lower.\n\n{table}\n\n" + transfer.part(shares)
    )


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for and write the page."""
    parser = argparse.ArgumentParser(prog="python -m studies.defaults", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data", help="folder of the datasets")
    parser.add_argument("--datasets", default=",".join(DATASETS), help="names, comma-separated")
    parser.add_argument("--models", default="", help="names, comma-separated (default: all)")
    asked = parser.parse_args(arguments)
    for name in filter(None, asked.datasets.split(",")):
        measure(load(name, asked.data_dir), asked.models.split(",") if asked.models else [])
    write_text(ROOT / "docs" / "defaults.md", page(read()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

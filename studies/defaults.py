"""How far untuned models come: `python -m studies.defaults --data-dir DIR`.

On datasets that were looked at after the rules were made, scores the defaults and searches; on the others,
scores every tuned model with its defaults and with the tuned settings of the other datasets. Keeps the scores
in `studies/records/` and fills docs/defaults.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.studies import command, held_out, scores, transfer
from retrieval_leaderboard.studies.transfer import Share
from retrieval_leaderboard.studies.tuned_configs import DATASETS, score, tuned_models
from retrieval_leaderboard.support import pages
from retrieval_leaderboard.support.errors import in_one_sentence

RECORDS = Path(__file__).parent / "records" / "defaults"
WANTED = 0.9
"""The share of a tuned model's NDCG@20 that its defaults should reach, there where they were chosen"""


def measure(dataset: Dataset, models: list[str]) -> None:
    """Score defaults and the other datasets' tuned settings; of all models where none is named."""
    for tuned in tuned_models(dataset, ROOT):
        if models and tuned.model not in models:
            continue
        path = RECORDS / f"{dataset.name}-{tuned.model}.json"
        scores.write(path, score(dataset, tuned, tuned.defaults(), "by defaults"))
        for name, values in transfer.origins(tuned, dataset.name, ROOT):
            found = score(dataset, tuned, values, f"by the settings for {name}", name)
            scores.write(path.with_suffix(f".{name}.json"), found)


def read() -> list[Share]:
    """Every stored score, with that of the dataset's tuned settings and their number of trials."""
    return [transfer.share(found, ROOT) for found in scores.load_all(RECORDS, scores.Transfer)]


def tables() -> dict[str, str]:
    """The page's tables, as Markdown."""
    return {"held out": held_out.table(held_out.read()), "transfer": transfer.table(read())}


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for and fill the page."""
    parser = command.parser("defaults", __doc__, (*held_out.DATASETS, *DATASETS))
    parser.add_argument("--models", type=command.names, default=[], metavar="A,B", help="default: all")
    parser.add_argument("--fits", type=int, default=12, metavar="N", help="of a search on data held out")
    options = parser.parse_args(arguments)
    for name in [] if options.page_only else options.datasets:
        if name not in held_out.DATASETS:
            measure(load(name, options.data_dir), options.models)
            continue
        held_out.measure_all(load(name, options.data_dir), options.models, options.fits)
    pages.fill(ROOT / "docs" / "defaults.md", tables())
    return 0


if __name__ == "__main__":
    sys.exit(main())

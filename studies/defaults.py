"""How far untuned models come: `python -m studies.defaults --data-dir DIR`.

Scores every model that was tuned for a dataset, with its defaults and with the tuned settings of the other
datasets; keeps the scores in `studies/records/defaults/` and fills docs/defaults.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.evaluation.runs import configs
from retrieval_leaderboard.studies import command, transfer
from retrieval_leaderboard.studies.tuned_configs import DATASETS, Record, score, tuned_models
from retrieval_leaderboard.support import pages
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.files import read_jsons, write_json

RECORDS = Path(__file__).parent / "records" / "defaults"
WANTED = 0.9
"""The share of a tuned model's NDCG@20 that its defaults should reach"""


def measure(dataset: Dataset, models: list[str]) -> None:
    """Score defaults and the other datasets' tuned settings; of all models where none is named."""
    for tuned in tuned_models(dataset, ROOT):
        if models and tuned.model not in models:
            continue
        path = RECORDS / f"{dataset.name}-{tuned.model}.json"
        write_json(path, score(dataset, tuned, tuned.defaults(), "by defaults"))
        for name, values in transfer.origins(tuned, dataset.name, ROOT):
            record = score(dataset, tuned, values, f"by the settings for {name}")
            write_json(path.with_suffix(f".{name}.json"), record | {"from": name})


def read() -> list[Record]:
    """Every stored score, with that of the dataset's tuned settings and their number of trials."""
    records = read_jsons(RECORDS)
    for record in records:
        name = record["dataset"].partition(":")[0]
        section = configs.in_section(ROOT / "configs" / f"{name}.yaml", SOURCES[name].protocols[0])
        provenance = section[record["model"]].chosen
        record |= {"tuned": provenance.valid_ndcg, "trials": provenance.counted}
    return records


def table(records: list[Record]) -> str:
    """Defaults beside tuned settings, as Markdown."""
    header = ["dataset", "model", "defaults", "tuned", "share", f"≥ {WANTED:.0%}", "trials"]
    lines = []
    for record in records:
        if "from" in record:
            continue
        ndcg, tuned = record["ndcg"], record["tuned"]
        line = [record["dataset"], record["model"], f"{ndcg:.4f}", f"{tuned:.4f}", f"{ndcg / tuned:.1%}"]
        lines.append([*line, "yes" if ndcg >= WANTED * tuned else "no", str(record["trials"])])
    return pages.pipe_table(lines, header)


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for and fill the page."""
    parser = command.parser("defaults", __doc__, DATASETS)
    parser.add_argument("--models", type=command.names, default=[], metavar="A,B", help="default: all")
    options = parser.parse_args(arguments)
    for name in [] if options.page_only else options.datasets:
        measure(load(name, options.data_dir), options.models)
    records = read()
    parts = {"defaults": table(records), "transfer": transfer.table(records)}
    pages.fill(ROOT / "docs" / "defaults.md", parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())

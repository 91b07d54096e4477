"""How far untuned models come: `python -m studies.defaults --data-dir DIR`.

Scores every model that has a choice in a dataset's config by its defaults and by the choices of the other
datasets; keeps the scores in `studies/records/defaults/`. docs/defaults.md sets them beside the choice's.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.datasets.catalog import SOURCES
from retrieval_leaderboard.evaluation.runs import configs
from retrieval_leaderboard.studies import transfer
from retrieval_leaderboard.studies.tuned_configs import DATASETS, Record, choices, score
from retrieval_leaderboard.support import pages
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.files import read_jsons, write_json

RECORDS = Path(__file__).parent / "records" / "defaults"
WANTED = 0.9
"""The share of a tuned model's NDCG@20 that the defaults are to reach."""


def measure(dataset: Dataset, models: list[str]) -> None:
    """Score the defaults and the other datasets' choices; of all models where none is named."""
    for tuned in choices(dataset, ROOT):
        if models and tuned.model not in models:
            continue
        path = RECORDS / f"{dataset.name}-{tuned.model}.json"
        write_json(path, score(dataset, tuned, tuned.defaults(), "by defaults"))
        for name, values in transfer.origins(tuned, dataset.name, ROOT):
            record = score(dataset, tuned, values, f"by the settings for {name}")
            write_json(path.with_suffix(f".{name}.json"), record | {"from": name})


def read() -> list[Record]:
    """Every score that is kept, beside that of the dataset's choice and the number of its trials."""
    records = read_jsons(RECORDS)
    for record in records:
        name = record["dataset"].partition(":")[0]
        section = configs.in_section(ROOT / "configs" / f"{name}.yaml", SOURCES[name].protocols[0])
        chosen = section[record["model"]].chosen
        record |= {"tuned": chosen.valid_ndcg, "trials": chosen.counted}
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
    parser = argparse.ArgumentParser(prog="python -m studies.defaults", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data", help="folder of the datasets")
    parser.add_argument("--datasets", default=",".join(DATASETS), help="names, comma-separated")
    parser.add_argument("--models", default="", help="names, comma-separated (default: all)")
    asked = parser.parse_args(arguments)
    for name in filter(None, asked.datasets.split(",")):
        measure(load(name, asked.data_dir), asked.models.split(",") if asked.models else [])
    records = read()
    parts = {"defaults": table(records), "transfer": transfer.table(records)}
    pages.fill(ROOT / "docs" / "defaults.md", parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())

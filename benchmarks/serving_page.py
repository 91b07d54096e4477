"""`python -m benchmarks.serving_page`: docs/serving.md, from stored records of load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tabulate import tabulate

from serving.requests import MAX_HISTORY, MAX_K
from serving.schemas import MAX_BATCH, MAX_BODY_BYTES
from support.files import write_text

ROOT = Path(__file__).parent.parent
RECORDS = Path(__file__).parent / "serving"
HEADER = ("bundle", "index", "items", "requests", "at once", "p50, ms", "p99, ms", "requests/s", "errors")
INTRODUCTION = f"""\
# Serving

Made by `python -m benchmarks.serving_page`, from the records in `benchmarks/serving`. What each index
kind costs and loses stands on the boards under "Index kinds".

## From a run to answers

A *bundle* is a folder with all that answering needs: the faiss index, the model, ids, training
histories and the vocabulary of features. It opens only where the hashes of model and index hold.

    python run_all.py --models infonce --results-dir mine
    python -m serving index --run mine/aliec-sim/runs/infonce-* --out bundles/aliec-sim
    python -m serving http --bundle bundles/aliec-sim --port 8000
    python -m serving load --bundle bundles/aliec-sim --out benchmarks/serving/NAME.json
    python -m serving compare --run mine/aliec-sim/runs/infonce-*

A run on a file of your own needs its `--dataset`, and `--columns` where the run was given them; a model
of your own `--model FILE.py:CLASS`, to `http` too.

In Python, where raw ids go in and come out:

```python
from serving import Recommender, Request

recommender = Recommender.open("bundles/aliec-sim")
answer = recommender.recommend(user_id="9", k=10)  # answer.items, answer.scores, answer.fallback
answers = recommender.recommend_batch([Request(history=["447", "46080"]), Request("nobody")])
```

`add_item(item_id, features)` and `remove_item(item_id)` change the catalogue, `save()` keeps the
changes in the bundle; the index file stays as built, and opening repeats them. A model without item
features refuses new items. A history may have {MAX_HISTORY:,} items, `k` may be {MAX_K:,}. Unknown
users, items and feature values do not fail: they are left out and reported in the answer. A request
may say when and where it is asked (`timestamp`, else now; `context`, such as AliEC's `pid`), which counts
for models trained with `context`.

Over HTTP: `GET /health`, `POST /recommend`, `POST /recommend/batch` (at most {MAX_BATCH} requests),
`POST /items`, which saves before it answers; bodies of at most {MAX_BODY_BYTES / 2**20:.0f} MiB. What
cannot be answered gets 422 and a sentence. There is no authentication: leave it on loopback, or put
a proxy before it.
"""
LOAD = """\
## Under load

A server process and a real client on the same cores, over loopback; every request asks for the top
20 of a random user, by id and by history in turn.
"""


def page(records: list[dict[str, Any]]) -> str:
    """The whole page, from records of `python -m serving load`."""
    return "\n".join([INTRODUCTION, LOAD, table(records) + "\n", conditions(records)])


def table(records: list[dict[str, Any]]) -> str:
    """A row a record."""
    rows = [
        [
            f"{each['dataset']}, {each['model']}",
            each["index"],
            *(f"{each[key]:,}" for key in ("items", "requests", "concurrency")),
            *(f"{each[key]:,.1f}" for key in ("p50_ms", "p99_ms")),
            f"{each['requests_per_second']:,.0f}",
            f"{each['errors']:,}",
        ]
        for each in records
    ]
    align = ["left", "left", *["right"] * 7]
    return tabulate(rows, HEADER, tablefmt="pipe", colalign=align, disable_numparse=True)


def conditions(records: list[dict[str, Any]]) -> str:
    """Hardware and days."""
    machines = sorted({f"{each['cores']} cores of {each['processor']}" for each in records})
    days = sorted({each["date"] for each in records})
    busy = ", ".join(f"{each['cores_elsewhere']:.1f}" for each in records)
    return (
        f"Hardware: {'; '.join(machines)}. Date: {', '.join(days)}. "
        f"Cores that other processes kept busy meanwhile, row by row: {busy}.\n"
    )


def main() -> None:
    """Write docs/serving.md."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDS.glob("*.json"))]
    write_text(ROOT / "docs" / "serving.md", page(records))


if __name__ == "__main__":
    main()

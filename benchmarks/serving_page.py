"""`python -m benchmarks.serving_page`: docs/serving.md, from stored records of load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tabulate import tabulate

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.serving.http.gate import Limits
from retrieval_leaderboard.serving.http.schemas import MAX_BATCH
from retrieval_leaderboard.serving.http.server import GRACE_SECONDS
from retrieval_leaderboard.serving.requests import MAX_HISTORY, MAX_K
from retrieval_leaderboard.support.files import write_text

RECORDS = Path(__file__).parent / "serving"
LIMITS = Limits()
HEADER = ("bundle", "index", "items", "requests", "at once", "p50, ms", "p99, ms", "requests/s", "errors")
INTRODUCTION = f"""\
# Serving

Made by `python -m benchmarks.serving_page`, from the records in `benchmarks/serving`. What each index
kind costs and loses stands on the boards under "Index kinds".

## From a run to answers

A *bundle* is a folder with all that answering needs: the faiss index, the model, ids, training
histories and the vocabulary of features. It opens only where the hashes of model and index hold. `index`
leaves a bundle that is there alone, unless `--replace` is given and no service writes to it.

    python run_all.py --models infonce --results-dir mine
    python -m serving index --run mine/aliec-sim/runs/infonce-* --out bundles/aliec-sim
    python -m serving http --bundle bundles/aliec-sim --port 8000
    python -m serving load --bundle bundles/aliec-sim --out benchmarks/serving/NAME.json
    python -m serving compare --run mine/aliec-sim/runs/infonce-*

A run on a file of your own needs its `--dataset`, and `--columns` where the run was given them; a model
of your own `--model FILE.py:CLASS`, to `http` too.

In Python, where raw ids go in and come out:

```python
from retrieval_leaderboard.serving import Recommender, Request

recommender = Recommender.open("bundles/aliec-sim")
answer = recommender.recommend(user_id="9", k=10)  # answer.items, answer.scores, answer.fallback
answers = recommender.recommend_batch([Request(history=["447", "46080"]), Request("nobody")])
```

`add_item(item_id, features)` and `remove_item(item_id)` change the catalog, `save()` keeps the
changes in the bundle, and `keep_item(item_id, features)` does both or neither; the index file stays as
built, and opening repeats them. `save()` refuses where another process changed the bundle meanwhile;
`open(…, writing=True)` keeps others from it until `close()`. A model without item features refuses new
items. A history may have {MAX_HISTORY:,} items, `k` may be {MAX_K:,}. Unknown users, items and feature values
do not fail: they are left out and reported in the answer. A user of whom nothing is known gets the model's
default, which may be no items, and `fallback` says so. A request may say when and where it is asked
(`timestamp`, else now; `context`, such as AliEC's `pid`), which counts for models trained with `context`. A
timestamp may be unix seconds, milliseconds, microseconds or nanoseconds, told apart by their size, or
ISO 8601, as in the files that models are trained on.

Over HTTP: `GET /health`, `POST /recommend`, `POST /recommend/batch` (at most {MAX_BATCH} requests),
`POST /items`, which saves before it answers; `/openapi.json` tells what each takes and all that it may
answer. What cannot be answered gets 422 and a sentence. There is no authentication: leave it on loopback, or
put a proxy before it.

## What the service promises

- It listens once the model is loaded and has answered in every way: the first answer comes as fast as later
  ones. A used port is exit code 2 and a sentence, before the model is loaded.
- An item that was answered with 201 is on the disk: it is there again after `kill -9` or a power cut. Items
  are appended to `changes.log`, a line each with a checksum; a last line that was torn is told and left out,
  any other damage is refused. The log is folded into `changes.parquet` when a service begins and when it
  ends. Searches go on while an item is written. Where there is no room the answer is 507, and the item is
  not there.
- A bundle has one writer. A second service on it ends with a sentence; with `--read-only` it answers and
  takes no items.
- Bodies have at most {LIMITS.body_bytes / 2**20:.0f} MiB (413) and come within {LIMITS.body_seconds:.0f}
  seconds, without a pause of {LIMITS.idle_seconds:.0f} (408). At most {LIMITS.open_requests:,} requests and
  {LIMITS.open_bytes / 2**20:.0f} MiB of bodies at a time; more are told to come again (503, `Retry-After`).
- The `Host` header names this machine (localhost, 127.0.0.1, [::1], `--host`) or what `--allowed-host NAME`
  allows; else 400.
- SIGTERM and Ctrl-C let what was asked be answered, for at most {GRACE_SECONDS} seconds.
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

"""Boards as Markdown and CSV files."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from tabulate import tabulate

from evaluation import data_section, environment, index_section, references
from evaluation.board import Board, Record, Row, read_boards
from evaluation.configs import Chosen
from evaluation.labels import labels, written
from evaluation.metrics import METRICS
from evaluation.slice_table import slice_table
from support.files import write_text

LEADERBOARD, TABLE = "leaderboard.md", "leaderboard.csv"
SHIPPED = Path(__file__).parent.parent / "results"
"""Boards that came with the project."""
OWN = "local"
"""Folder of the user's own boards, in that of the shipped ones."""
SHOWN = {"precision": "Precision", "recall": "Recall", "map": "MAP", "ndcg": "NDCG"}
FEWER = "†"
SHIPPED_ROWS = "Shipped: a run that came with the project, made by its authors on the machine that is named."
BRACKETS = "In brackets: as few settings as tell a model's rows apart; they may differ in more, see Settings."
BUSY = 0.25
"""Cores kept busy by other processes from which a board says so."""
Costs = dict[str, tuple[str, str]]
COSTS: Costs = {
    "fit s": ("fit_seconds", "{:,.1f}"),
    "rank s": ("recommend_seconds", "{:,.2f}"),
    "queries/s": ("queries_per_second", "{:,.0f}"),
    "peak MiB": ("peak_rss_mib", "{:,.0f}"),
    "peak GPU MiB": ("peak_gpu_mib", "{:,.0f}"),
    "parameters": ("parameters", "{:,.0f}"),
}
CSV_RECORD = ("fit_seconds", "recommend_seconds", "peak_rss_mib", "parameters")
CSV_MORE = (
    "queries_per_second",
    "peak_gpu_mib",
    "threads",
    "processor",
    "device",
    "precision",
    "date",
    "commit",
    "shipped",
)


def write(folder: Path, fingerprint: str, k: int) -> str:
    """Derive `leaderboard.md` and `leaderboard.csv` of a dataset's folder from its stored runs.

    The shipped runs on the same data stand on its boards too, marked.

    The Markdown file holds every board of the folder, that of (`fingerprint`, `k`) first; the CSV
    file holds that board alone. `results/README.md` beside the folder is brought up to date.

    Returns:
        The main table, as Markdown.
    """
    families = read_boards(folder, shipped_beside(folder))
    asked = next(board for family in families for board in family if board.is_about(fingerprint, k))
    families.sort(key=lambda family: asked not in family)
    shown = [(asked if asked in family else family[0], family) for family in families]
    pages = [markdown(board, family) + index_section.section(folder, board) for board, family in shown]
    write_text(folder / LEADERBOARD, "\n".join(pages))
    write_text(folder / TABLE, as_csv(asked))
    write_text(folder.parent / "README.md", index(folder.parent))
    return main_table(asked)


def shipped_beside(folder: Path) -> Path | None:
    """The folder of the shipped runs on the dataset of `folder`; None where it is that folder."""
    shipped = SHIPPED / folder.name
    return None if shipped.resolve() == folder.resolve() else shipped


def markdown(board: Board, family: list[Board]) -> str:
    """One board: what it is about, its table, slices, settings and notes; and its family's spread."""
    parts = [f"# {board.heading}\n", *_banner(board), _about(board), main_table(board)]
    parts += references.section(board, labels(board.rows))
    parts += ["## Slices\n", slice_table(board.rows, labels(board.rows), board.k)]
    parts += ["## Settings\n", settings_list(board)]
    if len(family) > 1:
        parts += ["## Spread over split seeds\n", spread_table(family)]
    parts += data_section.section(board)
    notes = [*board.dataset["notes"], *_warnings(board)]
    if notes:
        parts += ["## Notes\n", "\n".join(f"- {note}" for note in notes) + "\n"]
    return "\n".join(parts)


def spread_table(family: list[Board]) -> str:
    """Mean ± sd of each model with the same settings over boards that differ in the split seed alone."""
    together: dict[tuple[str, str], list[Row]] = {}
    for row in (row for board in family for row in board.rows if row.done):
        together.setdefault((row.model, written(row.settings)), []).append(row)
    named = labels([rows[0] for rows in together.values()])
    header = ["model", "split seeds", *(f"{label}@{family[0].k}" for label in SHOWN.values())]
    body = [
        [label, str(len(rows)), *(_over_splits(rows, name) for name in SHOWN)]
        for label, rows in zip(named, together.values(), strict=True)
        if len(rows) > 1
    ]
    return tabulate(body, header, tablefmt="pipe", colalign=_align(header), disable_numparse=True) + "\n"


def _over_splits(rows: list[Row], name: str) -> str:
    values = [row.mean("metrics", name) for row in rows]
    return f"{mean(values):.4f} ± {stdev(values):.4f}"


def _banner(board: Board) -> list[str]:
    if not board.dataset["synthetic"]:
        return []
    return ["**Synthetic data, made by this project's generator: no number here is a real dataset's.**\n"]


def _about(board: Board) -> str:
    about = board.dataset
    date = max(record["date"] for record in board.records)
    split = f" · split seed {board.split_seed}" if board.split_seed else ""
    return (
        f"{about['users']:,} users · {about['items']:,} items in the catalogue · "
        f"{about['train_valid_interactions']:,} training interactions (validation part included) · "
        f"{about['test_queries']:,} queries with {about['test_items']:,} relevant items  \n"
        f"Fingerprint `{board.fingerprint}`{split} · {date} · {_machines(board)}\n"
    )


def _machines(board: Board) -> str:
    """What the runs were made on, by the numbers that stand in the table."""
    return "; ".join(f"machine {number}: {name}" for number, name in enumerate(board.machines, start=1))


def main_table(board: Board) -> str:
    """A row a model, the best metric in bold; failed runs with their reason.

    The memory of a GPU has a column where a run used one.
    """
    rows = sorted(board.rows, key=lambda row: -row.mean("metrics", "ndcg"))
    best = {name: max(row.mean("metrics", name) for row in rows) for name in SHOWN}
    on_gpu = any(record.get("peak_gpu_mib") for record in board.records)
    costs = {label: cost for label, cost in COSTS.items() if on_gpu or cost[0] != "peak_gpu_mib"}
    header = ["model", *(f"{label}@{board.k}" for label in SHOWN.values()), "settings", *costs, "machine"]
    most = max(row.chosen.trials for row in rows)
    body = [
        [*_table_row(row, best, label, _tuned(row, most), costs), _numbers(row, board.machines)]
        for row, label in zip(rows, labels(rows), strict=True)
    ]
    table = tabulate(body, header, tablefmt="pipe", colalign=_align(header), disable_numparse=True) + "\n"
    if any(row.shipped for row in rows):
        table += f"\n{SHIPPED_ROWS}\n"
    if len({row.model for row in rows}) < len(rows):
        table += f"\n{BRACKETS}\n"
    if any(row.chosen.trials < most for row in rows):
        table += f"\n{FEWER} not chosen among as many settings as the row with the most trials, {most}.\n"
    return table


def _numbers(row: Row, machines: list[str]) -> str:
    """Which of `machines` the row's runs were made on, counted from 1."""
    used = {environment.machine(record) for record in row.done}
    return (
        ", ".join(str(number) for number, machine in enumerate(machines, start=1) if machine in used) or "–"
    )


def _tuned(row: Row, most: int) -> str:
    return row.chosen.brief + (f" {FEWER}" if row.chosen.trials < most else "")


def _table_row(row: Row, best: dict[str, float], label: str, tuned: str, costs: Costs) -> list[str]:
    if not row.done:
        gone = ["–"] * len(SHOWN), ["–"] * len(costs)
        reason = " ".join(row.failed[0]["reason"].split()).replace("|", "\\|")
        return [f"{label} (failed: {reason})", *gone[0], tuned, *gone[1]]
    failed = f" ({len(row.failed)} of {len(row.done) + len(row.failed)} seeds failed)" if row.failed else ""
    metrics = [_metric(row, name, best[name]) for name in SHOWN]
    return [label + failed, *metrics, tuned, *(_cost(row, *cost) for cost in costs.values())]


def _cost(row: Row, key: str, form: str) -> str:
    """The mean of a cost; a dash for parameters that are not told, which are 0 in older records."""
    told = all(record[key] or key != "parameters" for record in row.done)
    return form.format(row.mean(key)) if told else "–"


def _metric(row: Row, name: str, best: float) -> str:
    value, spread = row.mean("metrics", name), row.spread("metrics", name)
    text = f"{value:.4f}" if value < best else f"**{value:.4f}**"
    return text if spread is None else f"{text} ± {spread:.4f}"


def settings_list(board: Board) -> str:
    """The settings and seeds of each row, and how they were chosen."""
    rows = zip(board.rows, labels(board.rows), strict=True)
    return "".join(
        f"- **{label}** ({row.chosen.told}): {written(row.settings)}; {_seeds(row)}\n" for row, label in rows
    )


def _seeds(row: Row) -> str:
    return "seed " + ", ".join(str(record["seed"]) for record in row.done + row.failed)


def _warnings(board: Board) -> list[str]:
    """What a reader should doubt: a personalised model that popularity beats, times of a busy machine."""
    hot = [row.mean("metrics", "ndcg") for row in board.rows if row.model == "global_hot" and row.done]
    return [
        f"{label}: NDCG@{board.k} below Global Hot's; something is wrong with it, or with its settings."
        for row, label in zip(board.rows, labels(board.rows), strict=True)
        if hot and row.done and row.mean("metrics", "ndcg") < hot[0]
    ] + [
        f"{label}: while it was fitted, other processes kept {busy:.1f} cores busy; alone it takes less time."
        for row, label in zip(board.rows, labels(board.rows), strict=True)
        if (busy := max((record.get("cores_elsewhere", 0) for record in row.done), default=0)) >= BUSY
    ]


def _align(header: list[str]) -> list[str]:
    return ["left", *["right"] * (len(header) - 1)]


def as_csv(board: Board) -> str:
    """A line a run, failed ones with empty numbers and their reason."""
    metrics = [f"{name}@{board.k}" for name in METRICS]
    head = ["model", "seed", "status", "queries", *metrics, *CSV_RECORD, *CSV_MORE]
    head += ["dataset", "protocol", "exclude_seen", "fingerprint", "settings", "chosen", "reason"]
    out = io.StringIO()
    writer = csv.DictWriter(out, head, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in board.records:
        writer.writerow(_csv_row(record, board))
    return out.getvalue()


def _csv_row(record: Record, board: Board) -> dict[str, Any]:
    about = {key: board.dataset[key] for key in ("protocol", "exclude_seen")}
    metrics = {f"{name}@{board.k}": f"{value:.6f}" for name, value in record.get("metrics", {}).items()}
    settings, chosen = written(record["settings"]), Chosen(**record["chosen"]).told
    return record | about | metrics | {
        "dataset": board.dataset["title"], "settings": settings, "chosen": chosen
    }  # fmt: skip


def index(results: Path) -> str:
    """`README.md` of a folder of boards: every one of them, and the way to the shipped or the user's own."""
    if results.resolve() == SHIPPED.resolve():
        own = f"Boards of your own runs, once there are any: [{OWN}/]({OWN}/README.md).\n"
        parts = [own, "Boards that came with the project:\n", _boards(results, results)]
    else:
        parts = ["Boards of your own runs:\n", _boards(results, results)]
        parts += ["Boards that came with the project:\n", _boards(SHIPPED, results)]
    return "\n".join(["# Leaderboards\n", "Every table is derived from the runs stored beside it.\n", *parts])


def _boards(results: Path, seen_from: Path) -> str:
    """A line a board under `results`, linked from a page in `seen_from`."""
    lines = []
    for folder in sorted(path for path in results.glob("*") if (path / LEADERBOARD).is_file()):
        link = Path(os.path.relpath(folder / LEADERBOARD, seen_from)).as_posix()
        for board in (family[0] for family in read_boards(folder)):
            rows = [row for row in board.rows if row.done]
            best = max(rows, key=lambda row: row.mean("metrics", "ndcg"), default=None)
            score = "–" if best is None else f"{best.model} {best.mean('metrics', 'ndcg'):.4f}"
            lines.append(
                [f"[{board.heading}]({link})", len(board.rows), f"{board.dataset['test_queries']:,}", score]
            )
    header = ["board", "rows", "queries", "best NDCG"]
    return tabulate(lines, header, tablefmt="pipe", disable_numparse=True) + "\n"

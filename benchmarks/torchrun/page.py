"""The tables of docs/torchrun.md, from a record alone."""

from __future__ import annotations

from typing import Any

from retrieval_leaderboard.support import markdown

FLOAT, LONG = 4, 8
MB, GB = 1e6, 1e9
GPUS, ITEMS, DIM = 8, 100_000_000, 64
BATCH, HISTORY, NEGATIVES = 4096, 50, 2048
"""Of all GPUs together"""


def tables(record: dict[str, Any]) -> dict[str, str]:
    """Mark → Markdown."""
    return {"equality": _equality(record), "traffic": _traffic(record), "paper": _paper()}


def _equality(record: dict[str, Any]) -> str:
    kinds, parts = ("replicated", "sharded"), ("losses", "tables", "dense")
    lines = [
        [case["model"], case["what"], *(_short(case[kind][part]) for kind in kinds for part in parts)]
        for case in record["equality"]
    ]
    heads = ["model", "with", *(f"{kind}: {part}" for kind in kinds for part in parts)]
    return f"{_machine(record)}\n\n{markdown.table(lines, heads)}"


def _short(difference: float) -> str:
    return f"{difference:.1e}" if difference else "0"


def _traffic(record: dict[str, Any]) -> str:
    lines = []
    for step in record["steps"]:
        alone = step["one"][0]["cpu_seconds"]
        for kind in ("one", "replicated", "sharded"):
            slowest = max(each["cpu_seconds"] for each in step[kind])
            sent = max(sum(each["sent"].values()) for each in step[kind])
            rows = max(each["rows"] for each in step[kind])
            lines.append(
                [
                    f"{step['model']}, {step['what']}",
                    "one process" if kind == "one" else f"two, {kind}",
                    f"{1000 * slowest:.1f}", f"{alone / slowest:.2f}", f"{sent / MB:.2f}", f"{rows:,}",
                ]
            )  # fmt: skip
    heads = ["model", "by", "CPU ms a step", "speed-up", "MB sent a step", "rows of tables"]
    return f"{_machine(record)}\n\n{markdown.table(lines, heads)}"


def _machine(record: dict[str, Any]) -> str:
    machine = record["machine"]
    return (
        f"{machine['name']} · PyTorch {machine['torch']} · {machine['date']} · commit `{machine['commit']}`"
    )


def _paper() -> str:
    """A step of 8 GPUs, and what they hold: two tables of items, without repeats among histories."""
    row, tables, weights = DIM * FLOAT, 2, 3
    fetched = BATCH // GPUS * HISTORY + (NEGATIVES + BATCH) // GPUS  # rows that a GPU reads
    vectors = 2 * (NEGATIVES + BATCH) // GPUS * row * (GPUS - 1)
    replicated = fetched * (row + LONG) * (GPUS - 1) + vectors
    sharded = fetched * (2 * row + LONG) * (GPUS - 1) / GPUS + vectors
    held = ITEMS * row * tables
    lines = [
        ["weights and moments", f"{held * weights / GB:,.0f} GB", f"{held * weights / GPUS / GB:,.0f} GB"],
        ["all rows once, at an evaluation", "—", f"{held / GB:,.0f} GB more"],
        ["sent a step", f"{replicated / MB:,.0f} MB", f"{sharded / MB:,.0f} MB"],
        *(
            [
                f"which takes, at {speed} GB/s",
                *(f"{sent / speed / MB:,.2f} ms" for sent in (replicated, sharded)),
            ]
            for speed in (12.5, 300)
        ),
    ]
    return markdown.table(lines, ["of a GPU", "replicated", "sharded"])

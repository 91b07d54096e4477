"""The tables of docs/peers.md, from the records of the peers."""

from __future__ import annotations

from pathlib import Path

from retrieval_leaderboard.benchmarks.peers.record import PeerRecord, load_all
from retrieval_leaderboard.benchmarks.peers.work import PEERS, WORK, Work
from retrieval_leaderboard.support import markdown, pages

BACKGROUND_LOAD = 0.2
"""Cores that other processes keep busy from which on a row is marked"""
SAME = 0.01
"""Difference of Recall@20 up to which lists count as equal"""
HEADER = (
    "library", "fit, s", "rank, s", "peak, MiB", "Recall@20", "NDCG@20", "fit ÷ ours", "rank ÷ ours",
)  # fmt: skip


def tables(folder: Path) -> dict[str, str]:
    """Mark → Markdown, from the records in `folder`."""
    records = load_all(folder)
    found = {"conditions": conditions(records)}
    for dataset in sorted({record.dataset for record in records}):
        for name, work in WORK.items():
            same = [each for each in records if (each.dataset, each.work) == (dataset, name)]
            text = f"{table(same)}\n\n{remarks(same, work)}" if same else pages.NOT_MEASURED
            found[f"{name} on {dataset}"] = text
    return found


def table(records: list[PeerRecord]) -> str:
    """One piece of work on one dataset, this suite first."""
    done = {record.library: record for record in records if not record.left_out}
    ours = done.get("ours")
    order = [name for name in ("ours", *PEERS) if name in done]
    rows = [row(done[name], ours) for name in dict.fromkeys(order)]
    return markdown.table(rows, HEADER, numbers=range(1, len(HEADER)))


def row(record: PeerRecord, ours: PeerRecord | None) -> list[str]:
    """The cells of one library."""
    title = PEERS[record.library].title
    ratios = [
        ratio(record.fit_seconds, ours.fit_seconds if ours else None),
        ratio(record.rank_seconds, ours.rank_seconds if ours else None),
    ]
    return [
        title + ("*" if record.cores_elsewhere > BACKGROUND_LOAD else ""),
        f"{record.fit_seconds:.2f}",
        f"{record.rank_seconds:.2f}",
        f"{record.peak_mib:,.0f}" + (f" + {record.children_mib:,.0f}" if record.children_mib else ""),
        f"{record.recall:.4f}",
        f"{record.ndcg:.4f}",
        *ratios,
    ]


def ratio(theirs: float, ours: float | None) -> str:
    """How many times as long; "" where this suite was not measured."""
    return f"{theirs / ours:.1f}" if ours else ""


def remarks(records: list[PeerRecord], work: Work) -> str:
    """What a reader of one table should know, a line each."""
    lines = []
    expected = next((each.recall for each in records if each.library == "ours"), None)
    for record in records:
        title = PEERS[record.library].title
        if record.left_out:
            lines.append(f"{title} is left out: {record.left_out}")
        elif record.said:
            recall, ndcg = (record.said[name] for name in ("recall", "ndcg"))
            lines.append(f"{title} itself reports Recall@20 {recall:.4f}, NDCG@20 {ndcg:.4f}.")
        if work.equal and expected and not record.left_out and abs(record.recall / expected - 1) > SAME:
            lines.append(f"{title} gives other lists here: its Recall@20 differs by more than 1 %.")
        if record.children_mib:
            lines.append(f"{title} ranks in processes of its own: the second number is the largest of them.")
    loads = [record.cores_elsewhere for record in records if record.cores_elsewhere > BACKGROUND_LOAD]
    if loads:
        lines.append(f"\\* measured while other processes kept up to {max(loads):.1f} cores busy.")
    return "\n".join(f"- {line}" for line in lines)


def conditions(records: list[PeerRecord]) -> str:
    """Hardware, days and versions."""
    machines = sorted({record.processor for record in records})
    days = sorted({record.date for record in records})
    lines = [f"Hardware: {'; '.join(machines)}. Date: {', '.join(days)}. Versions:"]
    for name, peer in PEERS.items():
        found = [record.versions for record in records if record.library == name and record.versions]
        if found:
            versions = ", ".join(f"{package} {number}" for package, number in found[-1].items())
            lines.append(f"- {peer.title}: {versions}")
    return "\n".join([lines[0], "", *lines[1:], ""])

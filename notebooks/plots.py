"""Plots of stored runs: training over epochs, quality by slice."""

from __future__ import annotations

from matplotlib.figure import Figure

from retrieval_leaderboard.evaluation.runs.record import RunRecord


def training(record: RunRecord) -> Figure:
    """Loss and validation NDCG@20 over the epochs; the validation part is the choosing fit's."""
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 3.5), layout="constrained")
    measured = record.measured
    fits = {
        "choosing the epochs": measured.choosing,
        "final, on all training data": measured.training,
    }
    for label, epochs in fits.items():
        left.plot([each["epoch"] for each in epochs], [each["loss"] for each in epochs], ".-", label=label)
    left.set(xlabel="epoch", ylabel="loss")
    left.legend()
    scored = [each for each in measured.choosing if "valid_ndcg" in each]
    right.plot([each["epoch"] for each in scored], [each["valid_ndcg"] for each in scored], ".-")
    right.set(xlabel="epoch", ylabel="validation NDCG@20", ylim=(0, None))
    figure.suptitle(_title(record))
    return figure


def slices(record: RunRecord) -> Figure:
    """NDCG of each slice of the test queries as a bar, with the number of its queries."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(11, 3.5), layout="constrained")
    parts = record.measured.slices
    axes.bar(
        [f"{each.slice}\n({each.queries:,})" for each in parts], [each.metrics["ndcg"] for each in parts]
    )
    axes.axhline(record.measured.metrics["ndcg"], linestyle="--", color="black", label="all queries")
    axes.set(xlabel="slice (queries)", ylabel=f"test NDCG@{record.k}", title=_title(record))
    axes.legend()
    return figure


def _title(record: RunRecord) -> str:
    return f"{record.model} on {record.dataset.title}, {record.precision} on {record.device}"

"""The findings in ten lines: claims by hand, figures from the records, and each claim held against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval_leaderboard import neural
from retrieval_leaderboard.evaluation.reports.board import Board
from retrieval_leaderboard.studies.ablations import STUDIES, Study
from retrieval_leaderboard.studies.row_selection import select_rows
from retrieval_leaderboard.studies.scores import Finding
from retrieval_leaderboard.studies.variant_scores import score, stored

CHEAP = ("item_cf", "swing")
SMALLEST = 0.005
"""Share that is not rounded to none"""


@dataclass(frozen=True)
class Claim:
    """What an ablation says."""

    text: str
    what: str
    """Of which the figures are"""
    study: str
    variant: str
    """That is compared with the study's first"""
    holds: str
    """ "worse", "better" or "same": on every dataset, or within two standard errors; "mixed": both"""


CLAIMS = (
    Claim("In-batch negatives need the logQ correction", "alone and without it",
          "negatives", "in-batch alone, no correction", "worse"),
    Claim("The temperature is the setting to get right", "0.05 in place of the rule by the data's size",
          "temperature", "0.05", "worse"),
    Claim("A user is best made of the history", "an id in its place", "user", "an id", "worse"),
    Claim("The loss matters less than its settings", "BSL in place of InfoNCE, with the same negatives",
          "loss", "BSL", "better"),
    Claim("More negatives pay on gowalla, which has the most items", "8,192 in place of 2,048",
          "number of negatives", "8,192", "better"),
    Claim("A cosine overfits less than a dot product", "the dot product",
          "similarity", "dot product, temperature 1", "mixed"),
    Claim("Fixed propagation over the items' graph speeds training up on gowalla",
          "five neighbors", "propagation", "5, weighing 5 together", "mixed"),
    Claim("64 dimensions are enough but on gowalla", "256 in their place", "dimensions", "256", "better"),
    Claim("Where the next item is asked for, every interaction is a training example",
          "interactions in place of users", "examples", "interaction", "better"),
    Claim("Hard negatives bring nothing", "16 of them", "hard negatives", "16", "same"),
)  # fmt: skip


def lines(records: list[Finding], boards: Sequence[Board]) -> str:
    """A list, the claim about cheap models first."""
    said = [
        _cheap(boards),
        *(
            f"**{each.text}.** {each.what[0].upper()}{each.what[1:]}: {_figures(changes(each, records))}."
            for each in CLAIMS
        ),
    ]
    return "\n".join(f"{number}. {line}" for number, line in enumerate(said, start=1))


def changes(claim: Claim, records: list[Finding]) -> dict[str, tuple[float, bool]]:
    """Dataset → the share by which the variant changes NDCG@20, and whether that is noise."""
    study: Study = next(each for each in STUDIES if each.name == claim.study)
    first = next(iter(study.variants.values()))
    found = {}
    for setup in study.setups:
        base, other = (
            score(stored(setup, *variant, records)) for variant in (first, study.variants[claim.variant])
        )
        if base is not None and other is not None:
            found[setup.dataset] = other.mean / base.mean - 1, other.is_like(base)
    return found


def holds(claim: Claim, records: list[Finding]) -> bool:
    """Whether the records say what the claim does."""
    clear = [change for change, noise in changes(claim, records).values() if not noise]
    better, worse = any(change > 0 for change in clear), any(change < 0 for change in clear)
    said = {(True, True): "mixed", (True, False): "better", (False, True): "worse", (False, False): "same"}
    return said[better, worse] == claim.holds


def _figures(found: dict[str, tuple[float, bool]]) -> str:
    parts = [f"{'≈ ' if noise else ''}{_signed(change)} on {name}" for name, (change, noise) in found.items()]
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)


def _signed(share: float) -> str:
    return f"{share:+.0%}" if abs(share) >= SMALLEST else "0%"


def shares_of_cheap(boards: Sequence[Board]) -> str:
    """How far the better of the cheap models is from the best tower, on the first board of each dataset."""
    shares: dict[str, str] = {}
    for board in boards:
        ndcg = {row.model: row.mean("ndcg") for row in select_rows(board)}
        best = max(value for name, value in ndcg.items() if name in neural.NAMES)
        share = max(ndcg[name] for name in CHEAP) / best
        shares.setdefault(board.dataset.name, f"{share:.0%} on {board.dataset.name}")
    return ", ".join(shares.values())


def _cheap(boards: Sequence[Board]) -> str:
    return (
        "**Tune ItemCF and Swing before a tower.** The better of the two reaches this share of the best "
        f"tower's NDCG on the test queries: {shares_of_cheap(boards)}."
    )

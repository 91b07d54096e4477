"""docs/findings.md: the ablations' scores and the boards' cost against quality as tables and a plot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

from tabulate import tabulate

from retrieval_leaderboard import neural
from retrieval_leaderboard.evaluation.reports import propagation
from retrieval_leaderboard.evaluation.reports.board import Board, Row, read_boards
from retrieval_leaderboard.studies import figures, gaps_to_published
from retrieval_leaderboard.studies.ablations import PLACES, STUDIES, Place, Settings, Study, resolved
from retrieval_leaderboard.studies.row_selection import compared
from retrieval_leaderboard.studies.scores import Finding
from retrieval_leaderboard.support.files import write_text

BOARDS = (
    "gowalla: published, seen items excluded, top 20",
    "amazon-beauty: published, seen items excluded, top 20",
    "ml-1m: next-item, seen items kept, top 20",
    "ml-1m: next-item, seen items excluded, top 20",
    "ml-100k: next-item, seen items kept, top 20",
)
ITEM_CF = (
    "Tune ItemCF first, whose fit takes seconds on a CPU, with its recency where the data is in time order; "
    "then Swing, which is ahead of it on some boards and whose fit takes far longer where users have many "
    "items; train towers if the rest is worth their cost. What either is worth untuned says little of what "
    "it can do. An item without interactions or a user without a history gets nothing from them; towers "
    "with features reach both ([features.md](features.md))."
)
BASELINES = (
    "Item-to-item models and ALS by default, NDCG@20 on validation parts. An exponent of the returned "
    "item's popularity that holds popular items back further where histories are long and in order: "
    "ItemCF on ml-1m and ml-100k comes to .0679 and .0813 with 0.05, to .0981 and .0994 with 0.5, on "
    "aliec-sim, with two interactions a user, to .1146 and .0836; Swing on ml-1m and ml-100k comes to "
    ".0695 and .0808 with 0.1, .0899 and .0926 with 0.8, .0950 and .0974 with 1.0, .0987 and .0962 with "
    "1.2. Normalization 0.3 over 0: Swing ml-1m +3.6 %, ml-100k +5.0 %, gowalla +1.3 %, amazon-beauty "
    "+0.1 %; ItemCF +2.1 %, +4.3 %, +3.7 % and +1.4 %. Recency is worth more where seen items are kept: "
    "Swing with 1.0, 1.2 and 2.0 on ml-100k comes to .0974, .1009 and .0951 by next item, and to .1385, "
    ".1344 and .1204 by each user's last item. ALS wants far less confidence where users have many items "
    "and seen ones are excluded: on ml-100k by each user's last item .0880, with α 1.2 and λ .002 .1037; "
    "by next item, seen items kept, α 36 is the best."
)


@dataclass(frozen=True)
class Score:
    """A variant's NDCG@20 over at least two seeds."""

    values: list[float]

    @property
    def mean(self) -> float:
        """Over seeds."""
        return mean(self.values)

    @property
    def variance(self) -> float:
        """Of the mean."""
        return stdev(self.values) ** 2 / len(self.values)

    def text(self, base: Score) -> str:
        """The mean, and the change from `base` in percent, with ≈ where it is within two standard errors."""
        told = f"{self.mean:.4f}"
        if self is base:
            return told
        noise = 2 * sqrt(self.variance + base.variance)
        return (
            f"{told} ({'≈ ' if abs(self.mean - base.mean) <= noise else ''}{self.mean / base.mean - 1:+.1%})"
        )


def write(root: Path, records: list[Finding]) -> None:
    """Write the page and its plot under `root`/docs."""
    boards = list(found_boards(root / "results"))
    plot(boards, root / "docs" / "findings.svg")
    missed = gaps_to_published.shortfalls(boards)
    gaps_to_published.plot(missed, root / "docs" / "learning_curves.svg")
    write_text(root / "docs" / "findings.md", page(records, boards, missed))


def page(records: list[Finding], boards: list[Board], missed: list[gaps_to_published.Shortfall]) -> str:
    """The page as Markdown; `missed` are published numbers that are not reached."""
    parts = ["# What makes two-towers win\n\nDerived by `python -m studies.findings`."]
    parts += _ablations(records) if records else []
    parts += [_pareto(boards), _item_cf(boards)]
    parts += [gaps_to_published.section(missed)] if missed else []
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _ablations(records: list[Finding]) -> list[str]:
    about = (
        "First one factor at a time: NDCG@20 on the validation queries, the mean over seeds, with the change "
        "from the first line of a table; ≈ stands before a change within two standard errors over seeds: of "
        "two or three seeds a rough guide. All other settings are the models' defaults, on every dataset the "
        "same"
        + "".join(f"; on {place.dataset} {_told(place.settings)}" for place in PLACES if place.settings)
        + "."
    )
    tables = [
        f"## {study.question}\n\n{_table(study, columns)}\n\n{study.finding}"
        for study in STUDIES
        if (columns := _columns(study, records))
    ]
    return [about, _made(records), *tables]


def _told(settings: Settings) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items())


def _made(records: list[Finding]) -> str:
    minutes = sum(each.seconds for each in records) / 60
    return f"{len(records)} fits, {minutes:.0f} minutes together; {_machines(records)}."


def _machines(records: list[Finding]) -> str:
    return "; ".join(sorted({f"{each.processor}, threads: {each.threads}" for each in records}))


def score(place: Place, model: str, changed: Settings, records: list[Finding]) -> Score | None:
    """What is stored of a variant, the newest of each seed; None where fewer than two seeds are."""
    values = resolved(model, place.settings | changed)
    by_seed = {
        each.seed: each.ndcg
        for each in sorted(records, key=lambda each: each.date)
        if (each.dataset.split(":")[0], each.model, each.settings) == (place.dataset, model, values)
    }
    return Score(list(by_seed.values())) if len(by_seed) > 1 else None


def _columns(study: Study, records: list[Finding]) -> dict[str, list[str]]:
    """Place → a cell a variant, where the first one and another have scores to compare."""
    columns = {}
    for place in PLACES:
        scores = [score(place, *variant, records) for variant in study.variants.values()]
        base = scores[0]
        if base is not None and any(scores[1:]):
            cells = ["–" if each is None else each.text(base) for each in scores]
            columns[f"{place.dataset}, {len(base.values)} seeds"] = cells
    return columns


def _table(study: Study, columns: dict[str, list[str]]) -> str:
    lines = [list(line) for line in zip(study.variants, *columns.values(), strict=True)]
    return tabulate(lines, ["", *columns], tablefmt="pipe", disable_numparse=True)


def found_boards(results: Path) -> Iterator[Board]:
    """The boards of BOARDS, split seed 0.

    Raises:
        ValueError: one is not stored.
    """
    folders = [folder for folder in sorted(results.iterdir()) if folder.is_dir()]
    boards = {family[0].heading: family[0] for folder in folders for family in read_boards(folder)}
    missing = [heading for heading in BOARDS if heading not in boards]
    if missing:
        raise ValueError(f"no runs are stored of: {'; '.join(missing)}")
    return (boards[heading] for heading in BOARDS)


def by_machine(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows by what they were timed on, cheap ones first: seconds of two machines are not compared."""
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.cost("fit_seconds"), -row.mean("ndcg"))):
        found.setdefault(row.machine, []).append(row)
    return found


def efficient(rows: list[Row]) -> list[Row]:
    """Those of `rows`, timed on one machine, that no other beats in quality at the same or a lower cost; by
    cost.
    """
    found: list[Row] = []
    for row in sorted(rows, key=lambda row: (row.cost("fit_seconds"), -row.mean("ndcg"))):
        if not found or row.mean("ndcg") > found[-1].mean("ndcg"):
            found.append(row)
    return found


def _pareto(boards: list[Board]) -> str:
    lines = [
        [
            board.heading,
            row.model + propagation.marked(row),
            row.provenance.brief,
            *_quality_and_cost(row),
            machine,
            flag,
        ]
        for board in boards
        for machine, rows in by_machine(compared(board)).items()
        for row, flag in zip(rows, _flags(rows), strict=True)
    ]
    header = ["board", "model", "settings", "NDCG@20", "fit s", "timed on", "efficient there"]
    return (
        "## Quality against the cost of training\n\nNDCG@20 on test and seconds to fit, a choice of epochs "
        "on validation included, of every model as its config or its defaults have it; ‡: with fixed "
        "propagation over the item-item graph. Rows of a board were "
        "timed on different machines, or by other numbers of threads: only those of one are compared. A "
        "model is efficient where none that was timed there is as cheap and better; a dash stands where no "
        "other was. Seconds of one thread are of fits that ran two at a time on two cores.\n\n"
        "![quality against cost](findings.svg)\n\n"
        + tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    )


def _quality_and_cost(row: Row) -> tuple[str, str]:
    return f"{row.mean('ndcg'):.4f}", f"{row.cost('fit_seconds'):,.1f}"


def _flags(rows: list[Row]) -> list[str]:
    """Which of the rows of one machine are efficient; a dash for one alone."""
    kept = efficient(rows)
    return ["–" if len(rows) == 1 else "yes" if row in kept else "" for row in rows]


def _item_cf(boards: list[Board]) -> str:
    lines = []
    for board in boards:
        rows = {row.model: row for row in compared(board)}
        towers = [rows[name] for name in neural.NAMES if name in rows]
        best, cells = max(towers, key=lambda row: row.mean("ndcg")), []
        for name in ("item_cf", "swing"):
            share = rows[name].mean("ndcg") / best.mean("ndcg")
            cells += [f"{share:.0%}", f"{rows[name].cost('fit_seconds'):,.1f}"]
        lines.append(
            [board.heading, best.model + propagation.marked(best), *cells, _times(best, rows["item_cf"])]
        )
    header = ["board", "best tower", "ItemCF's share of its NDCG@20", "ItemCF's fit s", "Swing's share"]
    header += ["Swing's fit s", "the tower's fit takes, of ItemCF's"]
    table = tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    return f"## When a tuned ItemCF is enough\n\n{table}\n\n{ITEM_CF}\n\n{BASELINES}"


def _times(row: Row, other: Row) -> str:
    """How many times as long the fit of `row` takes."""
    if row.machine != other.machine:
        return "timed on different machines"
    return f"{row.cost('fit_seconds') / other.cost('fit_seconds'):,.0f} ×"


def plot(boards: list[Board], target: Path) -> None:
    """NDCG@20 over seconds to fit: a panel a board, a color a machine, whose efficient models are joined."""
    figure, axes = figures.panels(len(boards), (4 * len(boards), 4), "findings")
    for axis, board in zip(axes, boards, strict=True):
        for machine, rows in by_machine(compared(board)).items():
            line = [_point(row) for row in efficient(rows)]
            (drawn,) = axis.plot(*zip(*line, strict=True), "-", alpha=0.4, zorder=1)
            points = zip(*map(_point, rows), strict=True)
            axis.plot(*points, "o", color=drawn.get_color(), zorder=2, label=machine)
            for row in rows:
                axis.annotate(row.model, _point(row), textcoords="offset points", xytext=(4, 4), fontsize=7)
        axis.legend(fontsize=5, loc="lower right")
        title = board.heading.rsplit(",", 1)[0].replace(", ", "\n")
        axis.set(xscale="log", xlabel="seconds to fit", ylabel="NDCG@20", title=title)
    figures.save(figure, target)


def _point(row: Row) -> tuple[float, float]:
    return row.cost("fit_seconds"), row.mean("ndcg")

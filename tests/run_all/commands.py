"""What runs of the command leave behind, and what they say."""

import csv
from pathlib import Path

MODELS = Path("tests") / "evaluation" / "sample_models.py"


def refused(done):
    """The one sentence of a refusal."""
    assert "Traceback" not in done.stdout + done.stderr
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith("error: ")
    return sentence


def rows(tmp_path, name="mine"):
    with (tmp_path / "results" / name / "leaderboard.csv").open() as table:
        return {(row["model"], row["seed"]): row for row in csv.DictReader(table)}


def slices(page, metric):
    """Model → slice → its cell, of the table of a metric."""
    lines = page[page.index(f"| {metric}@", page.index("## Slices")) :].partition("\n\n")[0].splitlines()
    header, _, *body = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {line[0]: dict(zip(header, line, strict=True)) for line in body}


def plugin(name):
    return f"--model={MODELS}:{name}"

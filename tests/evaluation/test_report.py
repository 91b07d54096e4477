import json

import pytest

from evaluation import main_table, report
from evaluation.metrics import METRICS

DATASET = {
    "name": "mine", "title": "mine", "synthetic": False, "protocol": "time", "exclude_seen": True,
    "split_seed": 0, "users": 9, "items": 7, "train_interactions": 20, "train_valid_interactions": 30,
    "valid_queries": 4, "test_queries": 4, "test_items": 5, "notes": [],
}  # fmt: skip


def keep(folder, model, ndcg=0.5, processor="a", fingerprint="f", **more):
    """A stored run of a dataset's folder."""
    record = {
        "fingerprint": fingerprint, "k": 20, "model": model, "code": "", "settings": {"size": 1}, "seed": 0,
        "device": "cpu", "precision": "fp32", "dataset": DATASET, "chosen": {"by": "defaults"},
        "metrics": dict.fromkeys(METRICS, ndcg), "slices": [], "queries": 4, "fit_seconds": 1.0,
        "recommend_seconds": 1.0, "queries_per_second": 4.0, "peak_rss_mib": 100.0, "peak_gpu_mib": 0.0,
        "parameters": 3, "threads": 2, "processor": processor, "status": "done",
        "date": "2026-01-01 00:00 UTC",
    }  # fmt: skip
    run = folder / "mine" / "runs" / f"{model}-{processor}-{fingerprint}"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps(record | more))
    return folder / "mine"


def contents(folder):
    return {
        path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "README.md"
    }


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "SHIPPED", tmp_path / "results")
    return tmp_path / "results"


def rows(page):
    """Model → its row of the main table, by the names of the columns."""
    lines = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("|")]
    header, _, *body = [[cell.strip() for cell in line] for line in lines]
    return {line[0]: dict(zip(header, line, strict=True)) for line in body}


def test_shipped_rows_stand_marked_beside_the_users(shipped):
    theirs = keep(shipped, "hot", 0.4, processor="theirs")
    keep(shipped, "als", 0.6, processor="theirs")
    keep(shipped, "swing", 0.9, processor="theirs", fingerprint="other data")
    report.write(theirs, "f", 20)
    before = contents(theirs)
    own = keep(shipped / "local", "hot", 0.5, processor="ours")
    table = rows(main_table.markdown(report.write(own, "f", 20)))
    assert {label: row["machine"] for label, row in table.items()} == {
        "als, shipped": "2", "hot": "1", "hot, shipped": "2",
    }  # fmt: skip
    page = (own / "leaderboard.md").read_text()
    assert "machine 1: ours, 2 threads; machine 2: theirs, 2 threads" in page and "swing" not in page
    assert contents(theirs) == before


def test_shipped_boards_hold_no_row_twice(shipped):
    theirs = keep(shipped, "hot")
    assert list(rows(main_table.markdown(report.write(theirs, "f", 20)))) == ["hot"]


def test_the_users_boards_are_listed_first(shipped):
    report.write(keep(shipped, "hot"), "f", 20)
    index = (shipped / "README.md").read_text()
    assert index.index("(local/README.md)") < index.index("(mine/leaderboard.md)")
    report.write(keep(shipped / "local", "hot"), "f", 20)
    assert (shipped / "README.md").read_text() == index, "a user's run changes no file of the project"
    own = (shipped / "local" / "README.md").read_text()
    assert own.index("(mine/leaderboard.md)") < own.index("(../mine/leaderboard.md)")

import pytest

from retrieval_leaderboard.evaluation.reports import leaderboard, main_table
from tests.evaluation import stored


def keep(results, model, ndcg=0.5, machine="a", fingerprint="f", **more):
    """Store a run of the dataset "mine" under `results`; the folder of the dataset."""
    said = stored.record(model, fingerprint=fingerprint, ndcg=ndcg, processor=machine, threads=2, **more)
    stored.keep(results / "mine" / "runs" / f"{model}-{machine}-{fingerprint}", said)
    return results / "mine"


def contents(folder):
    return {
        path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "README.md"
    }


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(leaderboard, "SHIPPED", tmp_path / "results")
    return tmp_path / "results"


def rows(page):
    """Model → its row of the main table, by the names of the columns."""
    lines = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("|")]
    header, _, *body = [[cell.strip() for cell in line] for line in lines]
    return {line[0]: dict(zip(header, line, strict=True)) for line in body}


def test_shipped_rows_stand_marked_beside_the_users(shipped):
    theirs = keep(shipped, "hot", 0.4, machine="theirs")
    keep(shipped, "als", 0.6, machine="theirs")
    keep(shipped, "swing", 0.9, machine="theirs", fingerprint="other data")
    leaderboard.write(theirs, "f", 20)
    before = contents(theirs)
    own = keep(shipped / "local", "hot", 0.5, machine="ours")
    table = rows(main_table.markdown(leaderboard.write(own, "f", 20)))
    assert {label: row["machine"] for label, row in table.items()} == {
        "als, shipped": "2", "hot": "1", "hot, shipped": "2",
    }  # fmt: skip
    page = (own / "leaderboard.md").read_text()
    assert "machine 1: ours, 2 threads; machine 2: theirs, 2 threads" in page and "swing" not in page
    assert contents(theirs) == before


def test_shipped_boards_hold_no_row_twice(shipped):
    theirs = keep(shipped, "hot")
    assert list(rows(main_table.markdown(leaderboard.write(theirs, "f", 20)))) == ["hot"]


def test_the_users_boards_are_listed_first(shipped):
    leaderboard.write(keep(shipped, "hot"), "f", 20)
    index = (shipped / "README.md").read_text()
    assert index.index("(local/README.md)") < index.index("(mine/leaderboard.md)")
    leaderboard.write(keep(shipped / "local", "hot"), "f", 20)
    assert (shipped / "README.md").read_text() == index, "a user's run changes no file of the project"
    own = (shipped / "local" / "README.md").read_text()
    assert own.index("(mine/leaderboard.md)") < own.index("(../mine/leaderboard.md)")


@pytest.mark.parametrize(
    ("cores", "seconds", "told"), [(1.3, 5.0, True), (0.1, 5.0, False), (1.3, 0.2, False)]
)
def test_times_of_a_busy_machine_are_noted(tmp_path, cores, seconds, told):
    folder = keep(tmp_path, "als", cores_elsewhere=cores, fit_seconds=seconds)
    leaderboard.write(folder, "f", 20)
    assert ("other processes kept 1.3 cores busy" in (folder / "leaderboard.md").read_text()) is told


def test_tables_derived_again_are_about_the_board_they_were_about(shipped):
    folder = keep(shipped, "hot")
    keep(shipped, "als", fingerprint="newer data", date="2026-02-02 00:00 UTC")
    leaderboard.write(folder, "f", 20)
    before = contents(folder)
    leaderboard.derive(folder)
    assert contents(folder) == before
    (folder / leaderboard.TABLE).unlink()
    leaderboard.derive(folder)
    assert "newer data" in (folder / leaderboard.TABLE).read_text(), "else the board with the newest run"

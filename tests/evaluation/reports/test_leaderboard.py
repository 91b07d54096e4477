"""Which files a dataset's boards are written to, what they are called, and the lists of them."""

import re
import shlex
from dataclasses import replace

import pytest

from retrieval_leaderboard.evaluation.__main__ import main
from retrieval_leaderboard.evaluation.reports import formats, leaderboard
from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.evaluation.reports.pages.page import VERDICT
from retrieval_leaderboard.evaluation.reports.pages.stems import stems
from tests.evaluation import stored
from tests.evaluation.reports.boards import board, row


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
    """Model → its row of the page's first table, by the names of the columns."""
    table = page[page.index("\n|") :].partition("\n\n")[0].strip()
    header, _, *body = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()
    ]
    return {line[header.index("model")]: dict(zip(header, line, strict=True)) for line in body}


def test_shipped_rows_stand_marked_beside_the_users(shipped):
    theirs = keep(shipped, "hot", 0.4, machine="theirs")
    keep(shipped, "als", 0.6, machine="theirs")
    keep(shipped, "swing", 0.9, machine="theirs", fingerprint="other data")
    leaderboard.derive(theirs)
    before = contents(theirs)
    own = keep(shipped / "local", "hot", 0.5, machine="ours")
    leaderboard.derive(own)
    page = (own / "leaderboard.md").read_text()
    assert list(rows(page)) == ["als, shipped", "hot", "hot, shipped"]
    assert "- runs on ours, 2 threads\n- runs on theirs, 2 threads\n" in page and "swing" not in page
    assert "Shipped: a run that came with the project" in page
    assert contents(theirs) == before


def test_shipped_boards_hold_no_row_twice(shipped):
    leaderboard.derive(keep(shipped, "hot"))
    assert list(rows((shipped / "mine" / "leaderboard.md").read_text())) == ["hot"]


def test_a_copy_of_a_shipped_run_stands_on_a_board_once(shipped, tmp_path):
    keep(shipped, "als")
    own = keep(tmp_path / "elsewhere", "als")
    keep(tmp_path / "elsewhere", "hot", machine="ours")
    leaderboard.derive(own)
    assert list(rows((own / "leaderboard.md").read_text())) == ["als", "hot"]


def test_a_folder_elsewhere_lists_its_own_boards_alone(shipped, tmp_path):
    leaderboard.derive(keep(shipped, "hot"))
    leaderboard.derive(keep(tmp_path / "elsewhere", "hot"))
    listed = (tmp_path / "elsewhere" / "README.md").read_text()
    assert "(mine/leaderboard.md)" in listed and "../" not in listed and "came with the project" not in listed


def test_a_page_opens_with_its_title_and_verdict(tmp_path):
    folder = leaderboard.derive(keep(tmp_path, "als")).folder
    title, blank, verdict, *_ = (folder / "leaderboard.md").read_text().splitlines()
    assert title.startswith("# ") and not blank and verdict.startswith(f"{VERDICT}Synthetic data. ")


def test_the_users_boards_are_listed_first(shipped):
    leaderboard.derive(keep(shipped, "hot"))
    index = (shipped / "README.md").read_text()
    assert "`local/README.md`" in index and "(mine/leaderboard.md)" in index
    leaderboard.derive(keep(shipped / "local", "hot"))
    assert (shipped / "README.md").read_text() == index, "a user's run changes no file of the project"
    own = (shipped / "local" / "README.md").read_text()
    assert own.index("(mine/leaderboard.md)") < own.index("(../mine/leaderboard.md)")


def test_real_data_is_listed_before_synthetic_with_verdicts(tmp_path):
    for name, synthetic in (("a", True), ("b", False)):
        said = stored.record("als", name=name, title=name, synthetic=synthetic)
        stored.keep(tmp_path / name / "runs" / "als", said)
        leaderboard.derive(tmp_path / name)
    index = (tmp_path / "README.md").read_text()
    assert (
        index.index("(b/leaderboard.md)")
        < index.index("On synthetic data:")
        < index.index("(a/leaderboard.md)")
    )
    assert index.count("Only one official row has a result: **als**") == 2
    assert "\nOfficial rows have their model's defaults, or " in index


def test_each_of_several_boards_has_a_page_and_one_page_lists_them(tmp_path):
    for protocol, fingerprint, ndcg in (("time", "t", 0.4), ("random", "r", 0.5)):
        keep(tmp_path, "als", ndcg, fingerprint=fingerprint, protocol=protocol)
        found = leaderboard.derive(tmp_path / "mine")
    folder = found.folder
    listed = (folder / "leaderboard.md").read_text()
    assert "(random.md)" in listed and "(time.md)" in listed and VERDICT not in listed
    assert "0.4000" in (folder / "time.md").read_text() and "0.5000" in (folder / "random.md").read_text()
    lines = (folder / "leaderboard.csv").read_text().splitlines()
    assert len(lines) == 3, "of all boards"
    assert found.page("t", 20) == folder / "time.md"
    assert found.report("t", 20).entries[0].ndcg == 0.4


def test_the_command_on_a_drawn_page_makes_it_again(tmp_path):
    folder = keep(tmp_path, "als")
    (file,) = leaderboard.derive(folder).write(["html"])
    text = file.read_text()
    program, *words = shlex.split(re.search(r"python -m evaluation report [^<]+", text)[0])[2:]
    file.unlink()
    assert program == "evaluation" and main(words) == 0
    assert file.read_text() == text


def test_what_was_drawn_of_a_page_goes_with_it(tmp_path):
    folder = keep(tmp_path, "als", fingerprint="t", protocol="time")
    for name in formats.names("leaderboard"):
        (folder / name).write_text("of one board")
    (folder / "leaderboard-notes.html").write_text("mine")
    leaderboard.derive(folder)
    assert all((folder / name).is_file() for name in formats.names("leaderboard"))
    keep(tmp_path, "als", machine="b", fingerprint="r", protocol="random")
    assert leaderboard.derive(folder).write(["tex"]) == [folder / "random.tex", folder / "time.tex"]
    assert not any((folder / name).exists() for name in formats.names("leaderboard"))
    for path in (folder / "runs" / "als-b-r").iterdir():
        path.unlink()
    leaderboard.derive(folder)
    names = {path.name for path in folder.iterdir()}
    assert names == {"leaderboard-notes.html", "leaderboard.csv", "leaderboard.md", "runs", "time.md"}


def test_the_stored_runs_are_read_once_for_all_forms(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(leaderboard, "read_boards", lambda *asked: seen.append(asked) or read_boards(*asked))
    found = leaderboard.derive(keep(tmp_path, "als"))
    assert found.write(["tex"]) and found.page("f", 20) and found.report("f", 20) and len(seen) == 1


def test_pages_of_boards_that_are_gone_are_removed_and_no_other_file(tmp_path):
    folder = keep(tmp_path, "als", fingerprint="t", protocol="time")
    keep(tmp_path, "als", machine="b", fingerprint="r", protocol="random")
    leaderboard.derive(folder)
    (folder / "notes.md").write_text("# Mine\n\nWords.\n")
    for path in (folder / "runs" / "als-b-r").iterdir():
        path.unlink()
    leaderboard.derive(folder)
    assert {path.name for path in folder.glob("*.md")} == {"leaderboard.md", "notes.md", "time.md"}
    assert VERDICT in (folder / "leaderboard.md").read_text()


def test_a_copy_of_a_page_stays_and_is_not_listed(tmp_path):
    folder = keep(tmp_path, "als", fingerprint="t", protocol="time")
    leaderboard.derive(folder)
    text = (folder / "leaderboard.md").read_text()
    for name in ("before-tuning.md", "leaderboard-old.md", "time.md", "before-tuning.html"):
        (folder / name).write_text(text)
    leaderboard.derive(folder)
    assert (folder / "before-tuning.md").read_text() == (folder / "leaderboard-old.md").read_text() == text
    assert (folder / "before-tuning.html").read_text() == text
    assert VERDICT not in (folder / "time.md").read_text()
    assert "before" not in (tmp_path / "README.md").read_text()


def test_where_a_page_was_another_leads_to_its_board(tmp_path):
    folder = keep(tmp_path, "als", fingerprint="t", protocol="time")
    keep(tmp_path, "als", machine="b", fingerprint="r", protocol="random")
    leaderboard.derive(folder)
    keep(tmp_path, "als", machine="c", fingerprint="s", protocol="time", exclude_seen=False)
    moved = leaderboard.derive(folder).page("t", 20)
    text = (folder / "time.md").read_text()
    assert moved.name == "time-seen-items-excluded.md" and f"]({moved.name})" in text and VERDICT not in text
    assert set(leaderboard.derive(folder).pages) == {
        "random-seen-items-excluded", "time-seen-items-excluded", "time-seen-items-kept",
    }  # fmt: skip
    assert (folder / "time.md").read_text() == text
    listed = (folder / "leaderboard.md").read_text()
    assert "(time-seen-items-kept.md)" in listed and "(time.md)" not in listed


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ({"protocol": "time"}, {"protocol": "random"}, ["time", "random"]),
        ({"exclude_seen": True}, {"exclude_seen": False}, ["seen-items-excluded", "seen-items-kept"]),
        (
            {"title": "planted, synthetic, scale 0.02"},
            {"title": "planted, synthetic, scale 1.0"},
            ["scale-0.02", "scale-1.0"],
        ),
        ({}, {}, ["f", "g"]),
    ],
)
def test_files_are_called_by_what_boards_differ_in(first, second, names):
    two = replace(board(row("als"), **second), fingerprint="g")
    assert stems([board(row("als"), **first), two]) == names


def test_files_of_two_lengths_are_called_by_them():
    assert stems([board(row("als")), replace(board(row("als")), k=10)]) == ["top-20", "top-10"]


def test_a_board_that_has_nothing_to_say_beside_another_is_called_by_its_protocol():
    about = {"name": "mine", "title": "mine", "protocol": "next-item"}
    drawn, source = (board(row("als"), ties=ties, **about) for ties in ("random", "source"))
    assert stems([drawn, source]) == ["next-item", "ties-as-in-the-source"]
    about_both = {"name": "gowalla", "title": "gowalla", "protocol": "published"}
    usual, asked = (board(row("als"), carve=carve, **about_both) for carve in ("block", "draw"))
    assert stems([usual, asked]) == ["published", "validation-drawn"]
    assert asked.heading.endswith(", seen items excluded, validation drawn, top 20")
    assert usual.heading.endswith(", seen items excluded, top 20")
    whole, part = (
        board(row("als"), **(about | {"title": title})) for title in ("mine.csv", "mine.csv, since 1")
    )
    assert stems([whole, part]) == ["csv", "csv-since-1"]


@pytest.mark.parametrize(
    ("cores", "seconds", "told"), [(1.3, 5.0, True), (0.1, 5.0, False), (1.3, 0.2, False)]
)
def test_times_of_a_busy_machine_are_noted(tmp_path, cores, seconds, told):
    folder = keep(tmp_path, "als", cores_elsewhere=cores, fit_seconds=seconds)
    leaderboard.derive(folder)
    assert (
        "kept cores busy; alone they take less time: als (1.3 cores)."
        in (folder / "leaderboard.md").read_text()
    ) is told


def test_files_derived_again_are_the_same(shipped):
    folder = keep(shipped, "hot")
    keep(shipped, "als", fingerprint="newer data")
    leaderboard.derive(folder)
    before = contents(folder)
    for path in folder.glob("*.md"):
        path.unlink()
    leaderboard.derive(folder)
    assert contents(folder) == before


def test_the_table_of_runs_has_ranks_and_intervals_where_they_are_known(tmp_path):
    folder = leaderboard.derive(keep(tmp_path, "als")).folder
    header, line = (folder / "leaderboard.csv").read_text().splitlines()
    found = dict(zip(header.split(","), line.split(","), strict=False))
    assert header.split(",")[:4] == ["model", "seed", "status", "queries"]
    wanted = {"rank", "ndcg_low", "ndcg_high", "lead", "lead_low", "lead_high", "p", "official", "k"}
    assert wanted <= set(header.split(","))
    assert found["processor"] == "a"


def test_someones_own_readme_stays(tmp_path, capsys):
    (tmp_path / "README.md").write_text("# My project\n")
    leaderboard.derive(keep(tmp_path, "hot"))
    assert (tmp_path / "README.md").read_text() == "# My project\n"
    assert "README.md is no list of leaderboards: it stays" in capsys.readouterr().err

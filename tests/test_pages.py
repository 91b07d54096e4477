"""Every table of docs/ is what stored records, or the registry, say: filling a page again changes nothing."""

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks import targets
from retrieval_leaderboard.benchmarks.gpu import __main__ as gpu
from retrieval_leaderboard.benchmarks.peers import table as peers
from retrieval_leaderboard.benchmarks.serving import page as serving
from retrieval_leaderboard.benchmarks.torchrun import __main__ as torchrun
from retrieval_leaderboard.benchmarks.torture import page as torture
from retrieval_leaderboard.studies import (
    cold_start,
    daily,
    datasets,
    defaults,
    findings,
    findings_page,
    gaps_to_published,
    large_logs,
    many_queries,
    metric_definitions,
    order_of_ties,
    scaling,
    scores,
    spark_page,
)
from retrieval_leaderboard.support import pages

DOCS = ROOT / "docs"


def findings_tables():
    boards = list(findings_page.found_boards(ROOT / "results"))
    records = scores.load_all(findings.RECORDS, scores.Finding)
    return findings_page.tables(records, boards, gaps_to_published.gaps(boards))


def defaults_tables():
    return defaults.tables()


def torture_tables():
    return torture.tables(torture.stored(), pages.marks(torture.PAGE.read_text(encoding="utf-8")))


TABLES = {
    "daily": lambda: daily.tables(daily.stored()),
    "datasets": datasets.tables,
    "defaults": defaults_tables,
    "features": cold_start.parts,
    "findings": findings_tables,
    "gpu": lambda: gpu.tables(gpu.stored()),
    "large-logs": lambda: large_logs.tables(large_logs.stored()),
    "many-queries": lambda: many_queries.tables(many_queries.stored()),
    "metrics": lambda: metric_definitions.tables(metric_definitions.stored()),
    "order-of-ties": lambda: order_of_ties.tables(order_of_ties.stored(), ROOT / "results"),
    "peers": lambda: peers.tables(ROOT / "benchmarks" / "peers" / "results"),
    "reliability": torture_tables,
    "scaling": scaling.parts,
    "spark": spark_page.tables,
    "torchrun": lambda: torchrun.tables(torchrun.stored()),
    "serving": serving.stored_tables,
}


@pytest.mark.parametrize("name", TABLES)
def test_a_page_has_the_tables_that_its_script_makes(name):
    page = DOCS / f"{name}.md"
    text = page.read_text(encoding="utf-8")
    assert pages.filled(text, TABLES[name](), page) == text


def test_every_page_with_marks_is_filled_by_a_script():
    marked = {page.stem for page in DOCS.glob("*.md") if pages.marks(page.read_text(encoding="utf-8"))}
    assert marked == {*TABLES, "speed"}, "the runs that speed.md is filled from are not stored"


def test_the_speed_page_has_the_marks_of_its_script():
    assert pages.marks(targets.PAGE.read_text(encoding="utf-8")) == ["conditions", "targets", "parts"]

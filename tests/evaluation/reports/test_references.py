"""Published numbers: the file names what exists, and a board shows each beside its fairest row."""

from dataclasses import replace

import pytest
import yaml

from retrieval_leaderboard.datasets.sources.listing import listing as datasets
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports import references
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.comparability import GRAPH_CLASS, ITEM_CLASS, MF_CLASS, OURS
from retrieval_leaderboard.evaluation.reports.pages.published_section import section
from retrieval_leaderboard.evaluation.reports.report import report
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation import stored
from tests.evaluation.reports.test_data_section import PROFILE


def row(model, recall=0.15, ndcg=0.15, by="tuning", trials=30, **changed):
    said = stored.record(model, metrics={"recall": recall, "ndcg": ndcg}, by=by, trials=trials)
    values = settings.resolve(registry.get(model), changed, "here")
    said = replace(said, result=replace(said.measured, propagates=values.get("neighbors", 0) != 0))
    return Row(model, values, [said], [])


def board(*rows, k=20, **about):
    given = {"name": "gowalla", "protocol": "published", "exclude_seen": True} | about
    return Board(replace(stored.SUMMARY, **given), "", k, list(rows))


def tables(asked):
    """Class → name → the cells of its line."""
    found = {}
    for part in section(report(asked)).split("### ")[1:]:
        lines = [
            [cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines() if line[:1] == "|"
        ]
        found[part.partition("\n")[0]] = {line[0].strip("*"): line for line in lines[2:]}
    return found


def test_the_file_names_datasets_protocols_and_models_there_are(tmp_path):
    content = yaml.safe_load(references.FILE.read_text())
    known = [each.source.name for each in datasets(tmp_path)]
    for name in content.keys() - {"sources"}:
        assert name in known
        for protocol in content[name]:
            assert protocol in PROTOCOLS
            found = references.published(name, protocol)
            assert len({each.name for each in found}) == len(found)
            for each in found:
                assert each.beside in ("", *OURS) and each.source
                assert each.chosen_on in ("test", "validation", "unstated")


PLAIN = {"neighbors": 0}
WIDE = {"neighbors": 0, "embedding_dim": 256}


def test_like_stands_beside_like():
    rows = row("simplex_ccl", **PLAIN), row("bsl", neighbors=20), row("infonce", **WIDE), row("item_cf")
    found = tables(board(*rows))
    mf, graph, items = (found[each] for each in (MF_CLASS, GRAPH_CLASS, ITEM_CLASS))
    assert {"simplex_ccl", "MF + BSL", "SimpleX", "YoutubeDNN"} <= set(mf)
    assert {"bsl", "LightGCN", "NESCL"} <= set(name.rstrip(" ‡") for name in graph)
    assert {"item_cf", "EASE", "RP3β", "ChebyCF", "GF-CF"} <= set(items)
    assert not any("infonce" in name for table in (mf, graph, items) for name in table), "of another size"
    assert len([name for table in found.values() for name in table if name == "SimpleX"]) == 1


def test_a_table_is_in_order_with_ours_in_bold():
    mf = tables(board(row("simplex_ccl", 0.185, 0.156, **PLAIN)))[MF_CLASS]
    assert list(mf)[:3] == ["MF + BSL", "simplex_ccl", "SimpleX"]
    assert mf["simplex_ccl"] == [
        "**simplex_ccl**", "**0.1850**", "**0.1560**", "64", "validation", "[tuned, 30 trials](#simplex_ccl)",
    ]  # fmt: skip
    assert mf["SimpleX"][:5] == ["SimpleX", "0.1872", "0.1557", "64", "test"]


def test_item_features_are_told_where_they_are_used():
    used = row("simplex_ccl", features=True, **PLAIN)
    measured = replace(used.done[0].measured, without_effect=("features",))
    idle = replace(used, model="bsl", done=[replace(used.done[0], model="bsl", result=measured)])
    mf = tables(board(used, idle))[MF_CLASS]
    assert mf["simplex_ccl"][5].endswith(", item features") and "features" not in mf["bsl"][5]


def test_only_what_was_tried_on_validation_is_said_to_be_chosen_there():
    asked = board(
        row("simplex_ccl", 0.185, 0.156, by="hand", trials=0, **PLAIN),
        row("bsl", by="budget", **PLAIN),
        row("infonce", by="defaults", trials=0, **PLAIN),
    )
    mf = tables(asked)[MF_CLASS]
    told = [mf[name][4] for name in ("simplex_ccl", "bsl", "infonce")]
    assert told == ["unstated", "validation", "nothing (defaults)"]


def test_published_numbers_stand_there_without_a_row_of_ours():
    failed = Row("item_cf", {}, [], [stored.record("item_cf", reason="none")])
    found = tables(board(failed, row("item_cf", by="command line")))
    assert set(found) == {MF_CLASS, GRAPH_CLASS, ITEM_CLASS} and "item_cf" not in found[ITEM_CLASS]


def test_lists_of_ten_are_beside_lists_of_ten():
    about = {"name": "ml-1m", "protocol": "leave-last-one"}
    assert {each.k for each in references.published(*about.values())} == {10}
    assert "SASRec, cross-entropy" in str(tables(board(row("item_cf"), k=10, ties="source", **about)))
    assert not tables(board(row("item_cf"), ties="source", **about))


def test_numbers_of_one_order_of_ties_stand_beside_no_other():
    about = {"name": "ml-1m", "protocol": "leave-last-one", "k": 10}
    found = {ties: tables(board(row("item_cf"), ties=ties, **about)) for ties in ("", "random", "source")}
    assert [bool(each) for each in found.values()] == [False, False, True]


def test_only_numbers_of_the_same_task_stand_there():
    mine = row("item_cf")
    assert tables(board(mine))
    others = {"k": 10}, {"exclude_seen": False}, {"protocol": "random"}, {"name": "mine"}
    assert not any(tables(board(mine, **other)) for other in others)


@pytest.mark.parametrize("part", [{"filters": ["10-core: 1 left out"]}, {"relevant": "purchases alone"}])
def test_nothing_published_stands_beside_a_part_of_the_data(part):
    mine = row("item_cf")
    assert tables(board(mine, profile=PROFILE))
    assert not tables(board(mine, profile=replace(PROFILE, **part)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sources:", "sources: ["),
        ("sources:", "others:"),
        ("recall: ", "recall: x"),
        ("recall: 0.", "recall: 100."),
        ("name: ", "nom: "),
        ("kind: ", "kind: un"),
        ("sources:", "date: !!timestamp x\nsources:"),
    ],
)
def test_a_file_of_another_form_is_one_sentence(tmp_path, monkeypatch, old, new):
    text = references.FILE.read_text()
    assert old in text
    changed = tmp_path / "references.yaml"
    changed.write_text(text.replace(old, new))
    monkeypatch.setattr(references, "FILE", changed)
    references.published.cache_clear()
    with pytest.raises(InputError, match=r"references\.yaml, gowalla, published"):
        references.published("gowalla", "published")
    references.published.cache_clear()

"""Published numbers: the file names what exists, and a board shows each beside its fairest row."""

from dataclasses import replace

import pytest
import yaml

from retrieval_leaderboard.datasets.sources.listing import listing as datasets
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports import references
from retrieval_leaderboard.evaluation.reports.board import Board, Row
from retrieval_leaderboard.evaluation.reports.comparability import OURS
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


def cells(asked):
    """Name of a published number → the cells of its line."""
    named = [f"{row.model} {at}" for at, row in enumerate(asked.rows)]
    text = "\n".join(references.section(asked, named))
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]
    return {line[0]: line for line in lines}


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


def test_each_published_number_stands_once_beside_the_fairest_row():
    plain, wide = {"neighbors": 0}, {"neighbors": 0, "embedding_dim": 256}
    found = cells(
        board(
            row("simplex_ccl", neighbors=20),
            row("simplex_ccl", 0.18, 0.16, trials=20, **plain),
            row("simplex_ccl", trials=30, **plain),
            row("simplex_ccl", trials=99, by="command line", **plain),
            row("simplex_ccl", trials=99, **wide),
            row("bsl", trials=99, neighbors=20),
        )
    )
    assert found["SimpleX"] == [
        "SimpleX", "two-tower", "**0.1872** / 0.1557", "0.1500 / 0.1500", "simplex_ccl 2",
        "-19.9% / -3.7%", "user the history, theirs an id and the history", "test", found["SimpleX"][-1],
    ]  # fmt: skip
    assert found["MF + BSL"][4] == "simplex_ccl 2"
    assert found["LightGCN"][4] == "bsl 5", "with neighbors, beside a graph model"
    assert "graph over items, theirs over users and items" in found["LightGCN"][6]


def test_without_the_same_dimension_no_change_is_given():
    (line,) = [cells(board(row("infonce", neighbors=0, embedding_dim=256)))["YoutubeDNN"]]
    assert line[5:7] == ["–", "dimension 256, theirs 64"]


def test_a_number_that_nothing_is_beside_stands_there_too():
    found = cells(board(row("item_cf", 0.9, 0.9)))
    assert found["ChebyCF"][2:7] == ["0.1941 / 0.1616", "–", "–", "–", "–"]
    assert found["EASE"][4:7] == ["item_cf 0", "+409.9% / +513.5%", "method ItemCF, theirs EASE"]


def test_like_stands_before_unlike():
    text = "\n".join(references.section(board(row("infonce", neighbors=0)), ["ours"]))
    like, unlike = text.split("### With a difference")
    assert "| YoutubeDNN" in like and "| SimpleX" in unlike and "| YoutubeDNN" not in unlike


def test_rows_without_results_and_unknown_models_are_left_out():
    failed, plugin = (
        Row("item_cf", {}, [], [stored.record(reason="none")]),
        Row("mine", {}, row("item_cf").done, []),
    )
    assert cells(board(failed, plugin)) == {}


def test_only_like_is_compared_with_like():
    mine = row("item_cf")
    assert cells(board(mine))
    others = {"k": 10}, {"exclude_seen": False}, {"protocol": "random"}, {"name": "mine"}
    assert not any(cells(board(mine, **other)) for other in others)


@pytest.mark.parametrize("part", [{"filters": ["10-core: 1 left out"]}, {"relevant": "purchases alone"}])
def test_nothing_published_stands_beside_a_part_of_the_data(part):
    mine = row("item_cf")
    assert cells(board(mine, profile=PROFILE))
    assert not cells(board(mine, profile=replace(PROFILE, **part)))


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

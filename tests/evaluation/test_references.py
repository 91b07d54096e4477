"""Published numbers: the file names what exists, and a board shows the difference."""

import pytest
import yaml

import baselines  # noqa: F401  (importing registers its models)
import neural  # noqa: F401
from datasets import catalog
from datasets.splits import PROTOCOLS
from evaluation import references, registry
from evaluation.board import Board, Row
from support.errors import InputError


def board(name="gowalla", protocol="published", exclude_seen=True, k=20):
    record = {"metrics": {"recall": 0.15, "ndcg": 0.15}, "date": "2026-01-01", "chosen": {"by": "defaults"}}
    rows = [
        Row("simplex_ccl", {}, [record], []),
        Row("infonce", {}, [], [{}]),
        Row("swing", {}, [record], []),
    ]
    about = {"name": name, "protocol": protocol, "exclude_seen": exclude_seen}
    return Board(about, "", k, rows)


def section(asked):
    return "\n".join(references.section(asked, ["simplex_ccl (x=1)", "infonce", "swing"]))


def test_the_file_names_datasets_protocols_and_models_there_are(tmp_path):
    content = yaml.safe_load(references.FILE.read_text())
    known = [each.name for each in catalog.listing(tmp_path)]
    for name in content.keys() - {"sources"}:
        assert name in known
        for protocol in content[name]:
            assert protocol in PROTOCOLS
            for model, rows in references.published(name, protocol).items():
                assert model in registry.names()
                assert all(0 < row.recall < 1 and 0 < row.ndcg < 1 and row.source for row in rows)
                assert all(row.chosen_on in ("test", "validation", "unstated") for row in rows)


def test_a_board_shows_the_difference():
    cells = [
        [cell.strip() for cell in line.split("|")]
        for line in section(board()).splitlines()
        if "| SimpleX " in line
    ]
    assert [row[1:11] for row in cells] == [
        [
            "simplex_ccl (x=1)",
            "0.1500",
            "0.1500",
            "SimpleX",
            "0.1872",
            "0.1557",
            "-19.9%",
            "-3.7%",
            "defaults",
            "test",
        ]
    ]


def test_only_like_is_compared_with_like():
    assert "MF-CCL" in section(board())
    for other in (board(k=10), board(exclude_seen=False), board(protocol="random"), board(name="mine")):
        assert section(other) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sources:", "sources: ["),
        ("sources:", "others:"),
        ("recall: ", "recall: x"),
        ("recall: 0.", "recall: 100."),
        ("name: ", "nom: "),
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

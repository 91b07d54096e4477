"""A JSON object a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval_leaderboard.datasets.tables import ids
from retrieval_leaderboard.datasets.tables.source_table import SourceTable, open_table
from retrieval_leaderboard.support.errors import InputError


def table(tmp_path: Path, text: str | bytes, name: str = "log.jsonl") -> SourceTable:
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return open_table(tmp_path / name, {})


def test_values_are_text_and_no_digit_is_lost(tmp_path: Path):
    lines = [
        '{"user": 9007199254740993, "item": "x", "at": 1600000000.10000001}',
        "",
        '{"item": "é\\n", "user": "a", "seen": true, "at": null}',
    ]
    found = table(tmp_path, "\n".join(lines), "log.ndjson")
    assert found.names == ["user", "item", "at", "seen"]
    user = found.cells("user")
    assert user.values.to_dict() == {1: "9007199254740993", 3: "a"}
    assert user.place(1) == "line 3"
    assert found.cells("at").values.tolist() == ["1600000000.10000001", None]
    assert found.cells("item").values.tolist() == ["x", "é\n"]
    assert found.cells("seen").values.tolist() == [None, "true"]
    assert found.cells("seen").missing().tolist() == [True, False]


def test_lists_and_objects(tmp_path: Path):
    found = table(tmp_path, '{"user": 1, "item": "a", "tags": []}\n{"user": 1, "item": {"id": 3}}\n')
    assert found.cells("user").values.tolist() == ["1", "1"]
    for name, line in (("item", 2), ("tags", 1)):
        with pytest.raises(InputError, match=rf"log\.jsonl, line {line}: '{name}' holds a list or an object"):
            found.cells(name)


def test_files_may_lack_a_key(tmp_path: Path):
    (tmp_path / "b.jsonl").write_text('{"item": "y", "user": 2, "price": 3}\n')
    (tmp_path / "a.jsonl").write_text('{"user": 1, "item": "x"}\n')
    found = open_table(tmp_path, {})
    assert found.names == ["user", "item", "price"]
    assert found.cells("price").values.tolist() == [None, "3"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "log.jsonl: the file is empty"),
        ('[{"user": 1}]', "log.jsonl: one JSON list; write an object a line"),
        ('{"user": 1}\n{"user": \n', "log.jsonl, line 2: no JSON (Expecting value"),
        ('{"user": 1}\n\n7\n', "log.jsonl, line 3: no JSON object"),
        ('{"user": 1, "user": 2}\n', "log.jsonl, line 1: no JSON (the key 'user' is there twice)"),
        (b'{"user": "\xff"}', "log.jsonl, line 1: the text is not utf-8"),
        ("[" * 100_000, "one JSON list"),
        ('{"a": ' * 100_000, "line 1: no JSON"),
    ],
)
def test_what_is_no_json_is_one_sentence(tmp_path: Path, text: str | bytes, sentence: str):
    with pytest.raises(InputError) as error:
        table(tmp_path, text)
    assert sentence in str(error.value)


def test_an_id_with_half_of_a_character_is_refused(tmp_path: Path):
    found = table(tmp_path, '{"user": "a"}\n{"user": "i\\ud83d"}\n{"user": "\\ud83d\\ude00"}\n')
    with pytest.raises(InputError, match=r"log\.jsonl, line 2: .* has half of a character"):
        ids.read(found.cells("user"))

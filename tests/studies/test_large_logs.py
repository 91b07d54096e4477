"""Made-up logs have the layout and size of the official ones; what is measured of them is in the table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard.studies import large_logs, many_queries
from retrieval_leaderboard.studies.measured import Taken, measured
from retrieval_leaderboard.studies.official_shapes import KUAIRAND, SHAPES

ROWS = 20_000
RECORD = large_logs.Record(
    "taobao", ROWS, large_logs.PREPARED, Taken(2.0, 3.0, 400.0, 300.0), 10**9, 700_000,
    {"sorting": [1.0, 1.5]}, 2 * 10**9, 2, "a processor", "abc", "2026-11-28",
)  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_a_log_has_the_rows_users_and_items_of_its_share(tmp_path, name):
    shape = SHAPES[name]
    shape.write(shape, tmp_path, ROWS)
    lines = [line for path in sorted(tmp_path.iterdir()) for line in path.read_text().splitlines()]
    header = name == "kuairand-27k"
    rows = [line.split(",") for line in lines if not line.startswith("user_id")]
    assert len(rows) == ROWS and len(lines) - len(rows) == (len(list(tmp_path.iterdir())) if header else 0)
    assert {len(row) for row in rows} == {len(KUAIRAND) if header else 5}
    users, items = ({row[at] for row in rows} for at in (0, 1))
    assert (len(users), len(items)) == shape.sized(ROWS)
    if not header:
        assert {row[3] for row in rows} == {"pv", "cart", "fav", "buy"}


def test_taobaos_official_reader_reads_it(tmp_path):
    shape = SHAPES["taobao"]
    shape.write(shape, tmp_path, ROWS)
    log = shape.read(tmp_path).log()
    assert log.reading is not None and log.reading.rows == ROWS
    assert 0 < ROWS - len(log.user) < 0.01 * ROWS + sum(log.reading.dropped.values())
    assert log.timestamp is not None and log.timestamp.min() >= shape.first


def test_what_a_process_takes_is_its_own():
    found, taken = measured(np.sum, np.arange(10))
    assert found == 45
    assert taken.resident_mib >= taken.anonymous_mib > 0


def test_the_table_has_a_line_a_step_and_a_line_a_phase():
    text = large_logs.tables([RECORD])["steps"]
    assert "Taobao UserBehavior | 20,000 | to a ready split, 2.0 GB on disk meanwhile | 1 GB" in text
    assert "– sorting" in text and "100,000 " in text
    assert large_logs.tables([])["steps"] == "Not measured yet."


def test_where_memory_ends_is_on_the_line_through_two_sizes():
    pair = [
        replace(RECORD, step="item_cf", rows=rows, taken=Taken(1.0, 1.0, 0.0, mib), phases={})
        for rows, mib in ((1_000_000, 100 + 24.0), (11_000_000, 100 + 264.0))
    ]
    text = large_logs.tables(pair)["limits"]
    assert "| item_cf | 25 |" in " ".join(text.split())
    assert f"{(24 * 1024 - 100) / 24:,.0f} million" in text
    assert large_logs.tables([pair[0]])["limits"] == "Not measured yet."


def test_a_million_queries_are_extrapolated():
    taken = Taken(36.0, 60.0, 1000.0, 900.0)
    record = many_queries.Record(5000, 10, 4, taken, taken, 2, "a processor", "abc", "2026-11-28")
    assert "7.20" in many_queries.tables([record])["ranking"]
    assert "2.0 h" in many_queries.tables([record])["ranking"]

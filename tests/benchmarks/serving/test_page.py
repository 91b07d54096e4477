"""The tables of docs/serving.md come from records and from the service's own limits."""

from dataclasses import replace

from retrieval_leaderboard.benchmarks.serving.page import security, tables, taken
from retrieval_leaderboard.benchmarks.serving.record import (
    LoadRecord,
    Memory,
    MemoryRecord,
    SecurityRecord,
    Tried,
)

LOAD = LoadRecord(**{
    "dataset": "toy", "model": "infonce", "index": "hnsw", "items": 4777, "requests": 2000, "concurrency": 16,
    "errors": 3, "p50_ms": 12.34, "p99_ms": 56.78, "requests_per_second": 987.6, "date": "2026-01-02",
    "processor": "a processor", "cores": 2, "cores_elsewhere": 0.25,
    "commit": "",
})  # fmt: skip
TAKEN = MemoryRecord(
    [Memory(1, 700, 800), Memory(4, 1500, 2600)], "toy", "infonce", "hnsw", 4777, 31, "2026-01-02", "abc"
)
TRIED = SecurityRecord([Tried("a kind", 1200, 1199, "all is well")], 7, 61, "2026-01-02", "one", 2, "abc")


def test_the_tables_hold_what_the_records_say():
    found = tables([LOAD], TAKEN, TRIED)
    row = next(line for line in found["load"].splitlines() if line.startswith("| toy"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["toy, infonce", "hnsw", "4,777", "2,000", "16", "12.3", "56.8", "988", "3", "–", "–"]
    assert (
        "2 cores of a processor. Date: 2026-01-02." in found["load"] and "row by row: 0.2." in found["load"]
    )
    assert "| hnsw" in found["index kinds"] and "4 MiB" in found["limits"]


def test_a_request_is_compared_with_an_echo_where_that_was_measured():
    measured = replace(LOAD, cpu_ms=0.756, echo_cpu_ms=0.3)
    row = next(
        line for line in tables([measured], TAKEN, TRIED)["load"].splitlines() if line.startswith("| toy")
    )
    assert [cell.strip() for cell in row.strip("|").split("|")][-2:] == ["0.76", "2.5"]
    assert replace(measured, echo_cpu_ms=None).echo_ratio is None


def test_hostile_clients_that_won_are_told():
    assert "| a kind  |   1,200 |   1,199 | all is well     |" in security(TRIED)
    assert (
        "Seed 7, 61 s on one, cores: 2, 2026-01-02, commit `abc`." in tables([LOAD], TAKEN, TRIED)["security"]
    )
    assert TRIED.broken == TRIED.rows and replace(TRIED, rows=[Tried("a kind", 3, 3, "")]).broken == []


def test_the_memory_of_several_processes_is_told():
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in taken(TAKEN).splitlines()[2:4]]
    assert rows == [["1", "700", "800"], ["4", "1,500", "2,600"]]
    assert "toy, infonce, hnsw, 4,777 items; model and index are 31 MiB of files." in taken(TAKEN)

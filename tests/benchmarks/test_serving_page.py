import json
from pathlib import Path

from benchmarks import serving_page

LOAD = {
    "dataset": "toy", "model": "infonce", "index": "hnsw", "items": 4777, "requests": 2000, "concurrency": 16,
    "errors": 3, "p50_ms": 12.34, "p99_ms": 56.78, "requests_per_second": 987.6, "date": "2026-01-02",
    "processor": "a processor", "cores": 2, "load_before": 0.25,
}  # fmt: skip
KIND = {
    "kind": "ivf_pq", "parameters": {"nlist": 7}, "build_seconds": 1.5, "bytes_per_item": 24.2,
    "queries_per_second_one_thread": 1000.0, "queries_per_second_all_threads": 1900.0, "recall": 0.75,
    "ndcg_lost": 0.0123,
}  # fmt: skip


def test_the_page_holds_what_the_records_say(tmp_path):
    run = tmp_path / "toy" / "runs" / "infonce-seed0-1"
    run.mkdir(parents=True)
    about = {"k": 20, "items": 4777, "dimension": 64, "queries": 10, "ndcg_exact": 0.1234,
             "date": "2026-01-03", "processor": "a processor", "threads": 2, "load_before": 0.5}  # fmt: skip
    (run / "indexes.json").write_text(json.dumps(about | {"kinds": [KIND]}))
    page = serving_page.page([LOAD], tmp_path)
    assert (
        "| toy, infonce | hnsw    |   4,777 |" in page
        and "|      12.3 |      56.8 |          988 |        3 |" in page
    )
    assert "toy, `infonce-seed0-1`: 4,777 item vectors" in page and "NDCG@20 0.1234 exact" in page
    assert "nlist 7" in page and "0.7500" in page and "0.0123" in page


def test_the_committed_page_is_the_records(monkeypatch, tmp_path):
    written = {}
    monkeypatch.setattr(serving_page, "write_text", lambda path, text: written.update({path: text}))
    serving_page.main()
    ((path, text),) = written.items()
    assert path.read_text(encoding="utf-8") == text and Path(path).name == "serving.md"

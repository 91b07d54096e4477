from pathlib import Path

from retrieval_leaderboard.benchmarks import serving_page

LOAD = {
    "dataset": "toy", "model": "infonce", "index": "hnsw", "items": 4777, "requests": 2000, "concurrency": 16,
    "errors": 3, "p50_ms": 12.34, "p99_ms": 56.78, "requests_per_second": 987.6, "date": "2026-01-02",
    "processor": "a processor", "cores": 2, "cores_elsewhere": 0.25,
}  # fmt: skip


def test_the_page_holds_what_the_records_say():
    page = serving_page.page([LOAD])
    row = next(line for line in page.splitlines() if line.startswith("| toy"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["toy, infonce", "hnsw", "4,777", "2,000", "16", "12.3", "56.8", "988", "3"]
    assert "2 cores of a processor. Date: 2026-01-02." in page and "row by row: 0.2." in page


def test_the_committed_page_is_the_records(monkeypatch):
    written = {}
    monkeypatch.setattr(serving_page, "write_text", lambda path, text: written.update({path: text}))
    serving_page.main()
    ((path, text),) = written.items()
    assert path.read_text(encoding="utf-8") == text and Path(path).name == "serving.md"

"""The session: one a process, and one sentence where there can be none."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from retrieval_leaderboard.support import spark
from retrieval_leaderboard.support.errors import InputError


def java(folder: Path, version: str) -> None:
    """A program that says it is Java."""
    program = folder / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    "version, sentence", [("11.0.2", "is Java 11"), ("1.8.0_392", "is Java 8"), ("17", "")]
)
def test_java_is_asked_for_its_version(tmp_path, monkeypatch, version, sentence):
    pytest.importorskip("pyspark")
    java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert sentence in spark.available() and bool(spark.available()) == bool(sentence)


def test_no_java_is_one_sentence(tmp_path, monkeypatch):
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InputError, match="Spark needs Java, and there is none: install Java 17"):
        spark.session()


def test_no_pyspark_is_one_sentence(monkeypatch):
    monkeypatch.setattr(spark, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs pyspark, which is not installed: pip install"):
        spark.session()


def test_there_is_one_session_and_it_outlives_those_who_use_it(spark):
    from retrieval_leaderboard.support import spark as module

    with module.using() as found:
        assert found is spark
    assert module.session("local[2]") is spark
    assert spark.range(3).count() == 3
    with pytest.raises(InputError, match="a session on local"):
        module.session("local[7]")


def test_workers_run_this_python_and_find_the_packages(spark):
    def work(batches):
        import pyarrow as pa

        from retrieval_leaderboard.datasets.ragged import Ragged

        for _ in batches:
            yield pa.RecordBatch.from_pydict({"python": [sys.executable], "module": [Ragged.__module__]})

    found = spark.range(0, 1, 1, 1).mapInArrow(work, "python string, module string").collect()
    assert found[0].python == os.environ["PYSPARK_PYTHON"]
    assert found[0].module == "retrieval_leaderboard.datasets.ragged"

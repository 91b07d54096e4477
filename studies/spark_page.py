"""The tables of docs/spark.md from the stored records: `python -m studies.spark_page`."""

from __future__ import annotations

import argparse

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.studies import als_on_spark, spark_engine, spark_grouped, spark_preparation
from retrieval_leaderboard.support import pages

PAGE = ROOT / "docs" / "spark.md"


def tables() -> dict[str, str]:
    """The parts of the page."""
    return {
        **spark_engine.tables(spark_engine.stored()),
        **spark_grouped.tables(spark_grouped.stored()),
        **spark_preparation.tables(spark_preparation.stored()),
        **als_on_spark.tables(als_on_spark.stored()),
    }


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m studies.spark_page", description=__doc__).parse_args()
    pages.fill(PAGE, tables())

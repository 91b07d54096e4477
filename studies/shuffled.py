"""What Spark's tasks wrote for other tasks."""

from __future__ import annotations

from typing import Any

from retrieval_leaderboard.support import spark


def shuffled_bytes() -> int:
    """Bytes that the session of this process has shuffled so far."""
    context: Any = spark.session().sparkContext
    quantiles = context._gateway.new_array(context._jvm.double, 0)
    stages = context._jsc.sc().statusStore().stageList(None, False, False, quantiles, None)
    return sum(stages.apply(at).shuffleWriteBytes() for at in range(stages.size()))

"""Requests that schemathesis makes up from the service's own OpenAPI, and what it finds in the answers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from retrieval_leaderboard.benchmarks.serving.load import HOST
from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.support.errors import InputError

PROGRAM = "schemathesis"
ABSENT = (
    "no schemathesis is on the PATH, so its requests are left out: install it into an environment of its own "
    "(pip install schemathesis), and put that one's bin folder on the PATH"
)
NOT_IN_SCHEMA = "positive_data_acceptance"
"""That what fits the schema is accepted: which columns features need is the bundle's, not the schema's"""


def is_there() -> bool:
    """Whether schemathesis is installed; the project does not need it."""
    return shutil.which(PROGRAM) is not None


def run(port: int, seed: int, examples: int, scratch: Path) -> list[Row]:
    """Ask the service at `port` up to `examples` times of each path; see `benchmarks.torture.Row`.

    Raises:
        InputError: schemathesis did not get to its end.
    """
    report = scratch / "fuzz.json"
    done = subprocess.run(
        [PROGRAM, "run", f"http://{HOST}:{port}/openapi.json", "--checks", "all",
         "--exclude-checks", NOT_IN_SCHEMA, "--phases", "coverage,fuzzing", "--seed", str(seed),
         "--max-examples", str(examples), "--request-timeout", "30", "--continue-on-failure", "--no-color",
         "--report", "json", "--report-json-path", str(report)],
        cwd=scratch, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode > 1 or not report.is_file():
        raise InputError(
            f"schemathesis ended with code {done.returncode}: {(done.stdout + done.stderr)[-1000:]}"
        )
    if done.returncode:
        print(done.stdout)
    found = json.loads(report.read_text(encoding="utf-8"))
    cases = found["test_cases"]
    kind = f"requests made up by schemathesis {found['schemathesis_version']} from the service's OpenAPI"
    right = "no status 5xx; status, headers and body as the OpenAPI says; nothing that it forbids is accepted"
    return [(kind, cases["generated"], cases["generated"] - cases["with_failures"] - cases["errored"], right)]

"""The command line: a model is checked against the contract, and each part that it keeps is a line."""

from __future__ import annotations

import argparse

from retrieval_leaderboard.evaluation.models import outside
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import isolation
from retrieval_leaderboard.evaluation.testing.contract import ContractError, promises
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import InputError


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `check`."""
    parser = commands.add_parser(
        "check",
        help="check a model against the contract of Retriever, on small made-up data",
        description="Fits a model to small made-up data and checks what every model promises, such as equal "
        "lists for equal seeds. Exit codes: 0 it keeps all of it, 2 it does not.",
    )
    parser.add_argument("model", metavar="MODEL", help=f"{outside.FORMS}, or a name of --list")
    parser.set_defaults(work=_check)


def _check(options: argparse.Namespace) -> None:
    name = _class(options.model).name
    here = compute.configure()
    try:
        kept = isolation.call(_print_promises, options.model, here)
    except isolation.Crash as crash:
        raise InputError(f"{name} breaks the contract of Retriever: {crash}") from crash
    print(f"{name} keeps the contract of Retriever in all {kept} parts")


def _print_promises(spec: str, here: compute.Compute) -> int:
    """Each promise on its own line once it is found kept, in a process of its own; how many there are."""
    compute.configure(here.device, here.precision, here.threads)
    kept = 0
    try:
        for promise in promises(_class(spec)):
            progress.say(f"kept  {promise}")
            kept += 1
    except ContractError as error:
        raise InputError(str(error)) from error
    return kept


def _class(spec: str) -> type[Retriever]:
    return outside.load(spec, spec) if ":" in spec or spec.endswith(".py") else outside.named(spec)

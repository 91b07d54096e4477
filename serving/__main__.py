"""The command line: `python -m serving index | compare | export | http`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from retrieval_leaderboard import COMMAND, PREFIX
from retrieval_leaderboard.datasets import Dataset
from retrieval_leaderboard.datasets.own import options as own_data
from retrieval_leaderboard.evaluation.models import outside
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import named, records, reload
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.serving import indexes
from retrieval_leaderboard.serving.export import command as export
from retrieval_leaderboard.serving.http import PACKAGES as HTTP_PACKAGES
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.errors import InputError, in_one_sentence, need
from retrieval_leaderboard.support.numbers import within
from retrieval_leaderboard.support.storage.locks import locked
from retrieval_leaderboard.support.system import cores

MAX_WORKERS = 64
PACKAGES = {"index": ["faiss"], "compare": ["faiss"], "export": [], "http": HTTP_PACKAGES}


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0: done, 2: bad input, 130: stopped."""
    options = parser().parse_args(arguments)
    try:
        need(PACKAGES[options.command], "requirements-serve.lock")
        # A server answers many at once: a thread a request, not several threads for one.
        compute.configure("cpu", "fp32", threads=1 if options.command == "http" else None)
        options.work(options)
        return 0
    except KeyboardInterrupt:
        return 130


def _index(options: argparse.Namespace) -> None:
    from retrieval_leaderboard.serving.bundles import bundle, versions

    versioned = options.version is not None
    out = versions.folder(options.out, options.version) if versioned else options.out
    bundle.check_target(out, options.replace)
    about = bundle.write(options.run, _dataset(options), out, options.kind, _model(options), options.replace)
    if versioned:
        versions.make_current(out)
    how = "ranked by itself" if about.kind == bundle.NO_INDEX else f"in a {about.kind} index"
    progress.say(f"{out}: {about.items:,} items of {about.model}, {how}")


def _compare(options: argparse.Namespace) -> None:
    from retrieval_leaderboard.evaluation.reports import index_section, leaderboard, terminal
    from retrieval_leaderboard.serving.compare import compare

    dataset, folder = _dataset(options), options.run.absolute().parent
    if folder.name != "runs":
        raise InputError(f"{options.run} is on no board: give {named.A_RUN}")
    board = folder.parent
    with locked(board, f"another command is working in {board}: waiting for it"):
        compared = compare(options.run, dataset, _model(options))
        leaderboard.derive(board)
    terminal.draw(index_section.for_terminal(compared))
    print(board / leaderboard.LEADERBOARD)


def _export(options: argparse.Namespace) -> None:
    export.check(options)
    export.write(options, _dataset(options), _model(options))


def _http(options: argparse.Namespace) -> None:
    from retrieval_leaderboard.serving.http import tokens, workers
    from retrieval_leaderboard.serving.http.server import Service, port_of, serve

    service = Service(
        bundle=options.bundle,
        model=options.model,
        allowed_hosts=(options.host, *options.allowed_host),
        takes_items=not options.read_only,
        token=tokens.read(options.token_file) if options.token_file else None,
        access_log=options.access_log,
        threads=1 if options.workers > 1 else max(1, cores.available() - 1),
    )
    compute.begin_no_threads()
    with port_of(options.host, options.port) as bound:
        if options.workers > 1:
            workers.serve(service, bound, options.workers)
        else:
            serve(service, bound)


def _dataset(options: argparse.Namespace) -> Dataset:
    """The data a run was made of, split as its record says."""
    return reload.dataset(_record(options).dataset, options.dataset or [], options)


def _record(options: argparse.Namespace) -> RunRecord:
    record = records.read(options.run)
    if record is None:
        raise InputError(f"{options.run} is no run: {named.instead_of(options.run)}")
    return record


def _model(options: argparse.Namespace) -> type[Retriever] | None:
    """The class of one's own that a run or bundle was made with."""
    return outside.load(options.model) if options.model else None


def _kinds() -> str:
    """The help of --kind."""
    kinds = "; ".join(f"{name} ({each.summary()})" for name, each in indexes.KINDS.items())
    return f"{kinds}; default: by the number of items; none for models without vectors"


def parser() -> argparse.ArgumentParser:
    """Of all its words."""
    found = argparse.ArgumentParser(
        prog=f"python -m {PREFIX}serving",
        description="Makes a bundle of a run's model, compares kinds of indexes, serves one over HTTP, and "
        "writes what a run has learned as tables.",
        allow_abbrev=False,
    )
    commands = found.add_subparsers(dest="command", required=True)
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument(
        "--model", metavar="FILE.py:CLASS", help="the class, where it is one of your own; also MODULE:CLASS"
    )
    of_run = argparse.ArgumentParser(add_help=False, parents=[own])
    of_run.add_argument("--run", type=named.folder, nargs="+", required=True, metavar="DIR", action=named.One,
                        help=named.A_RUN)  # fmt: skip
    data = of_run.add_argument_group("data, where it is not as the run had it")
    own_data.add_paths(
        data, "--dataset", "NAME_OR_PATH", f"as {COMMAND} takes it (default: as the run had it)"
    )
    reload.add_arguments(data)

    index = commands.add_parser(
        "index",
        parents=[of_run],
        help="write a bundle: model, ids, index",
        description="Writes all that answering with a run's model needs into one folder.",
    )
    index.add_argument("--kind", default=indexes.AUTO, metavar="KIND", help=_kinds())
    index.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    index.add_argument("--replace", action="store_true",
                       help="of a bundle that is there, and of the items that were added to it")  # fmt: skip
    index.add_argument("--version", nargs="?", const="", metavar="NAME",
                       help="write the bundle into DIR/NAME, and let DIR/current name it, which services "
                       "follow; without NAME it is the time")  # fmt: skip
    index.set_defaults(work=_index)

    compare = commands.add_parser(
        "compare",
        parents=[of_run],
        help="measure index kinds, or shorter neighbor lists, for the board",
        description="Measures what each kind of index, or shorter neighbor lists, costs and loses, and adds "
        "it to the run's board.",
    )
    compare.set_defaults(work=_compare)

    exported = commands.add_parser(
        "export",
        parents=[of_run],
        help="write vectors, neighbors and lists",
        description="Writes what a run has learned as Parquet files with raw ids.",
    )
    export.add_arguments(exported)
    exported.set_defaults(work=_export)

    http = commands.add_parser(
        "http", parents=[own], help="answer over HTTP", description="Answers from a bundle over HTTP."
    )
    http.add_argument("--bundle", type=Path, required=True, metavar="DIR",
                      help="a bundle, or a folder of versions, whose current one answers")  # fmt: skip
    http.add_argument("--host", default="127.0.0.1")
    http.add_argument("--allowed-host", action="append", default=[], metavar="NAME",
                      help="what a request's Host header may name too; * for anything")  # fmt: skip
    http.add_argument("--read-only", action="store_true",
                      help="take no items, so that another service may write to the bundle")  # fmt: skip
    http.add_argument("--token-file", type=Path, metavar="FILE",
                      help="of a bearer token that all but /health and /ready need")  # fmt: skip
    http.add_argument("--access-log", action="store_true", help="print a line for every request")
    http.add_argument("--port", type=within(1, 65_535), default=8000)
    http.add_argument("--workers", type=within(1, MAX_WORKERS), default=1, metavar="N",
                      help="processes that answer from the same bundle (default: 1)")  # fmt: skip
    http.set_defaults(work=_http)
    return found


if __name__ == "__main__":
    sys.exit(main())

"""The table of `benchmarks.gpu`, which is that of docs/gpu.md, from a record alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeGuard

from retrieval_leaderboard.support import markdown, pages

EPOCH_SECONDS, TOPK_SECONDS = 1.0, 5.0
FP16_GAIN, QUALITY_SHARE = 1.3, 0.01
COLUMNS = ("what", "measured", "target", "met")

Line = tuple[str, str, str, str]


def tables(record: dict[str, Any] | None) -> dict[str, str]:
    """Mark → Markdown, of a full record of a CUDA GPU."""
    return {"measured": _measured(record) if on_gpu(record) else pages.NOT_MEASURED}


def on_gpu(record: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    """Whether `record` has the full sizes on a CUDA GPU: what the targets are for."""
    return record is not None and record["machine"]["device"] == "cuda" and not record["small"]


def _measured(record: dict[str, Any]) -> str:
    machine = record["machine"]
    return (
        f"{machine['name']} · driver {machine['driver']} · PyTorch {machine['torch']} · "
        f"{machine['date']} · commit `{machine['commit']}` · training data: {record['data']}\n\n"
        f"{table(record)}\n" + "".join(f"\n{name} failed: {why}\n" for name, why in record["failed"].items())
    )


def table(record: dict[str, Any]) -> str:
    """One line a figure, with its target where it has one; parts that failed are left out."""
    lines = [line for part, read in READERS.items() if part in record for line in read(record)]
    if not on_gpu(record):
        lines = [(what, value, target, "") for what, value, target, _ in lines]
    return markdown.table(lines, COLUMNS)


def _line(what: str, value: str, target: str = "", met: bool | None = None) -> Line:
    return what, value, target, "" if met is None else "yes" if met else "no"


def _ceilings(record: dict[str, Any]) -> Iterator[Line]:
    found = record["ceilings"]
    yield _line("copy within the device, read and written", f"{found['copy_gb']:,.4g} GB/s")
    for precision in ("fp32", "bf16", "fp16"):
        yield _line(f"matrix product, {precision}", f"{found[precision]:,.4g} TFLOP/s")


def _training(record: dict[str, Any], part: str = "training", of: str = "") -> Iterator[Line]:
    """Lines of `part`, each beginning with `of`; targets are for the first data alone."""
    runs = {(run["model"], run["batch_size"], run["precision"]): run for run in record[part]}
    default = record[part][0]["batch_size"]
    for (model, rows, precision), run in runs.items():
        what = f"{of}{model}, {rows:,} rows a step, {precision}"
        figures = (
            f"{run['seconds']:.3f} s an epoch, {run['examples_per_second']:,.0f} examples/s, "
            f"{run['peak_mib']:,.0f} MiB"
        )
        if (model, rows, precision, of) == ("infonce", default, "fp16", ""):
            yield _line(what, figures, f"≤ {EPOCH_SECONDS:g} s", run["seconds"] <= EPOCH_SECONDS)
        else:
            yield _line(what, figures)
    for (model, rows, precision), run in runs.items():
        if precision == "fp16":
            gain = run["examples_per_second"] / runs[model, rows, "fp32"]["examples_per_second"]
            what = f"{of}{model}, {rows:,} rows a step, examples/s of fp16 over fp32"
            target = (f"≥ {FP16_GAIN:g} ×", gain >= FP16_GAIN) if (model, of) == ("infonce", "") else ()
            yield _line(what, f"{gain:.2f} ×", *target)


def _quality(record: dict[str, Any], part: str = "quality", of: str = "") -> Iterator[Line]:
    runs = {(run["model"], run["precision"]): run for run in record[part]}
    for (model, precision), run in runs.items():
        change = run["ndcg"] / runs[model, "fp32"]["ndcg"] - 1
        what = f"{of}{model}, {precision}, validation NDCG@20 after {run['epochs']} epochs"
        value = f"{run['ndcg']:.4f} ({change:+.2%} of fp32)" if precision != "fp32" else f"{run['ndcg']:.4f}"
        target = (f"± {QUALITY_SHARE:.0%}", abs(change) <= QUALITY_SHARE) if precision == "fp16" else ()
        yield _line(what, value, *target)


def _steps(record: dict[str, Any]) -> Iterator[Line]:
    for step in record["steps"]:
        yield _line(f"{step['model']}, operations that the host asks for in a step", f"{step['calls']:,}")
        if "waits" not in step:
            continue
        syncs = ", ".join(f"{line} × {times}" for line, times in step["waits"].items()) or "none"
        yield _line(f"{step['model']}, where a step waits for the GPU", syncs)
        yield _line(f"{step['model']}, share of a step in which a kernel runs", f"{step['busy']:.0%}")


def _deterministic(record: dict[str, Any]) -> Iterator[Line]:
    for run in record["deterministic"]:
        what = f"{run['model']}, fp16, --deterministic"
        yield _line(what, f"{run['seconds']:.3f} s an epoch")
        yield _line(f"{what}, two trainings alike", "yes" if run["same"] else "no", "yes", run["same"])


def _compiled(record: dict[str, Any]) -> Iterator[Line]:
    for run in record["compiled"]:
        figures = f"{run['seconds']:.3f} s an epoch, the first {run['first_seconds']:.1f} s"
        yield _line(f"{run['model']}, fp16, --compile", figures)


def _topk(record: dict[str, Any]) -> Iterator[Line]:
    found = record["topk"]
    q, n, d, seconds = (found[key] for key in ("queries", "items", "dim", "seconds"))
    teraflops = 2 * q * n * d / seconds / 1e12
    # The least that leaves the chip: each score is written by the product and read by the selection.
    gigabytes = 2 * 4 * q * n / seconds / 1e9
    what = f"exact top-{found['k']}, {q:,} queries × {n:,} items × {d}"
    yield _line(what, f"{seconds:.3g} s", f"≤ {TOPK_SECONDS:g} s", seconds <= TOPK_SECONDS)
    yield _line(f"{what}, product alone", f"{found['product_seconds']:.3g} s")
    yield _line(f"{what}, product", _share(teraflops, "TFLOP/s", record, "fp32"))
    yield _line(f"{what}, scores written and read once", _share(gigabytes, "GB/s", record, "copy_gb"))
    yield _line(f"{what}, peak memory", f"{found['peak_mib']:,.0f} MiB")


def _share(value: float, unit: str, record: dict[str, Any], ceiling: str) -> str:
    if "ceilings" not in record:
        return f"{value:,.4g} {unit}"
    return f"{value:,.4g} {unit}, {value / record['ceilings'][ceiling]:.0%} of the ceiling"


READERS: dict[str, Callable[[dict[str, Any]], Iterator[Line]]] = {
    "ceilings": _ceilings,
    "training": _training,
    "quality": _quality,
    "deterministic": _deterministic,
    "compiled": _compiled,
    "steps": _steps,
    "topk": _topk,
    "aliec_training": partial(_training, part="aliec_training", of="aliec-sim 1.0, "),
    "aliec_quality": partial(_quality, part="aliec_quality", of="aliec-sim 1.0, "),
}

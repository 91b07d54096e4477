"""Files of every format with seeded mutations: what is not read is refused in one sentence."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.torture import Row
from retrieval_leaderboard.benchmarks.torture.mutations import mutated
from retrieval_leaderboard.datasets.aliec import reader
from retrieval_leaderboard.datasets.sources import lightgcn, movielens
from retrieval_leaderboard.evaluation.models import outside, registry, settings
from retrieval_leaderboard.evaluation.reports import references
from retrieval_leaderboard.evaluation.runs import configs
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError

RIGHT = "read, or refused in one sentence that names the file"
MUTATIONS = 40
"""Of each format a try: they take a millisecond or two"""
PLUGIN = b"""from dataclasses import dataclass
from retrieval_leaderboard import ROOT
from retrieval_leaderboard.baselines.global_hot import GlobalHot
@dataclass
class Mine(GlobalHot):
    top: int = 5
"""


@dataclass(frozen=True)
class Format:
    """Files that are right, and what reads them."""

    name: str
    files: dict[str, bytes]
    read: Callable[[Path], Any]


def run(seed: int, scratch: Path, tries: int) -> list[Row]:
    """As `benchmarks.torture` says."""
    progress.configure(quiet=True)
    try:
        return [_row(form, random.Random(seed), scratch, MUTATIONS * tries) for form in formats()]
    finally:
        progress.configure(quiet=False)


def formats() -> list[Format]:
    """Those of named datasets, of settings and of plug-ins."""
    rating = b"".join(b"%d::%d::4::97830%d\n" % (n % 3 + 1, n % 5 + 1, n) for n in range(9))
    genres = b"unknown|0\nAction|1\nComedy|2\n"
    ml_100k = {
        "u.data": rating.replace(b"::", b"\t"),
        "u.user": b"1|24|M|writer|85711\n2|53|F|other|94043\n3|23|M|doctor|32067\n",
        "u.item": b"".join(b"%d|M (1995)|01-Jan-1995||url|0|1|0\n" % n for n in range(1, 6)),
        "u.genre": genres,
    }
    ml_1m = {
        "ratings.dat": rating,
        "users.dat": b"1::F::1::10::48067\n2::M::56::16::70072\n3::M::25::15::55117\n",
        "movies.dat": b"".join(b"%d::M (1995)::Action|Comedy\n" % n for n in range(1, 6)),
    }
    profile = b"userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,shopping_level,"
    official = {
        "raw_sample.csv": b"user,time_stamp,adgroup_id,pid,nonclk,clk\n"
        + b"".join(b"%d,149400%d000,%d,430548_1007,0,1\n" % (n, n, n) for n in range(1, 9)),
        "ad_feature.csv": b"adgroup_id,cate_id,campaign_id,customer,brand,price\n1,2,3,4,NULL,5.5\n",
        "user_profile.csv": profile + b"occupation,new_user_class_level \n1,0,1,2,3,,3,0,4\n",
    }
    lines = {"train.txt": b"0 1 2 3\n1 2 3\n2 4\n", "test.txt": b"0 4\n1 0\n"}
    return [
        Format("LightGCN", lines, lambda folder: lightgcn.load(folder, "it")),
        Format("MovieLens 100K", ml_100k, movielens.load_100k),
        Format("MovieLens 1M", ml_1m, movielens.load_1m),
        Format("AliEC", official, lambda folder: reader.load(folder, folder / "cache")),
        Format("configs", {"it.yaml": (ROOT / "configs" / "ml-100k.yaml").read_bytes()}, _config),
        Format("references", {"references.yaml": references.FILE.read_bytes()}, _references),
        Format("--set", {"set": b"infonce.learning_rate=0.1\nals.factors=64\nswing.alpha=1"}, _assignments),
        Format("--model", {"mine.py": PLUGIN}, lambda folder: outside.load(f"{folder}/mine.py:Mine")),
    ]


def _row(form: Format, rng: random.Random, scratch: Path, tries: int) -> Row:
    held = 0
    for number in range(tries):
        folder = scratch / f"{form.name}{number}"
        folder.mkdir(parents=True)
        changed = rng.choice(list(form.files))
        for name, content in form.files.items():
            (folder / name).write_bytes(mutated(content, rng) if name == changed else content)
        held += _holds(form, folder)
    return f"mutated files: {form.name}", tries, held, RIGHT


def _holds(form: Format, folder: Path) -> bool:
    try:
        form.read(folder)
    except InputError as error:
        return str(error).isprintable() or "\t" in str(error)
    except Exception:
        return False
    return True


def _config(folder: Path) -> None:
    for protocol, exclude_seen in (("next-item", False), ("time", True)):
        about = {"name": "it", "ties": "", "fingerprint": "f", "profile": None}
        dataset: Any = SimpleNamespace(protocol=protocol, exclude_seen=exclude_seen, **about)
        for name in ("item_cf", "infonce"):
            _ = configs.resolved(registry.get(name), [folder / "it.yaml"], dataset).provenance.summary()


def _references(folder: Path) -> None:
    references.published.cache_clear()
    with mock.patch.object(references, "FILE", folder / "references.yaml"):
        references.published("gowalla", "published")
    references.published.cache_clear()


def _assignments(folder: Path) -> None:
    text = (folder / "set").read_bytes().decode("utf-8", "surrogateescape")
    for model, values in settings.parse_assignments(text.split("\n")).items():
        settings.resolve(registry.get(model), values, "--set")

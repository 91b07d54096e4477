"""Records of earlier versions, brought up to date: one function a version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from retrieval_leaderboard.datasets.splits.holdout import BLOCK, DRAW
from retrieval_leaderboard.datasets.splits.registry import SEQUENTIAL
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.sealed import CHECKSUM, SCHEMA

Json = dict[str, Any]

TOWERS = ("dssm_bce", "infonce", "bsl", "simplex_ccl")
RENAMED = {
    "neighbours": "neighbors", "neighbour_weight": "neighbor_weight", "batch_rows": "batch_size",
    "correct_popularity": "logq_correction", "kept_for": "prune_axis",
    "recompute_history": "gradient_checkpointing", "rows": "examples",
}  # fmt: skip
Values = dict[str, dict[Any, Any]]
"""Setting, by its new name → value → what it is called since"""
_TOWER: Values = {
    "history_encoder": {"placed": "position_weighted"}, "examples": {"position": "interaction"},
    "temperature": {0: "auto"}, "epochs": {0: "auto"}, "neighbors": {-1: "auto"},
}  # fmt: skip
_WEIGHED = _TOWER | {"negative_weight": {0: "auto"}}
_ITEM_TO_ITEM: Values = {"top_k": {0: "auto"}, "target_exponent": {-1: "auto"}}
VALUES: dict[str, Values] = {
    "dssm_bce": _TOWER, "infonce": _TOWER, "bsl": _WEIGHED, "simplex_ccl": _WEIGHED,
    "als": {"factors": {0: "auto"}}, "item_cf": _ITEM_TO_ITEM, "swing": _ITEM_TO_ITEM,
}  # fmt: skip
"""By model; all others keep their settings"""
DROPPED = {
    "project": False, "streaming_log_q": False, "accumulate": 1, "input_share": 0.5, "init_scale": 0.1,
    "clip_norm": 10.0, "hard_refresh": 2,
}  # fmt: skip
"""Setting of towers that there is no more → the value that it always had"""

PLUGINS = {"category_hot": "studies/category_hot.py:CategoryHot"}
"""Plug-in of this project → where it is, which records did not say at first"""
_FORMER_SLICES = {"history 0": "cold users"}
_ENOUGH_TO_PROPAGATE = 15
"""Interactions a user from which two-tower models propagated by rule"""
_BLOCK_NOTE = "the source's test rows lie together"
"""How a note began by which records, before they had "carve", told of a block"""
_FORMER_CARVES = {"stretch": BLOCK}
_OTHER_DATA = "chosen on other data"
_COSTS = (
    "fit_seconds", "recommend_seconds", "queries_per_second", "peak_rss_mib", "peak_gpu_mib", "threads",
    "processor",
)  # fmt: skip
_TRIAL = ("state", "seconds", "reason")
_SLICE = ("slice", "queries", "listed", "random_recall")


def run(content: Json) -> Json:
    """A run's record of any version as `RunRecord` has it.

    Raises:
        InputError: it cannot be brought up to date; the sentence says why.
        LookupError, TypeError, AttributeError: it is no record.
    """
    found = _upgraded(content, (_run_to_2,))
    return {"plugin": PLUGINS.get(found["model"], "") if found["code"] else ""} | found


def trials(content: Json) -> Json:
    """A copy of a search's trials as `TuningRecord` has it; errors as `run`."""
    return _upgraded(content, (_trials_to_2,))


def score(content: Json) -> Json:
    """A score of a study as its dataclass has it; errors as `run`."""
    return _upgraded(content, (_score_to_2,))


def settings(model: str, given: Json) -> Json:
    """A model's settings, or some of them, of version 1 under the names and values of version 2.

    Raises:
        InputError: a setting that there is no more had another value than its default.
    """
    if model not in VALUES:
        return given
    found: Json = {}
    for key, value in given.items():
        name = RENAMED.get(key, key)
        if model in TOWERS and name in DROPPED:
            if value != DROPPED[name]:
                raise InputError(
                    f"it was made with {name}={value}, and {model} has no setting {name} any more"
                )
            continue
        known = VALUES[model].get(name, {})
        found[name] = known.get(value, value) if isinstance(value, int | float | str) else value
    return found


def _upgraded(content: Json, steps: Sequence[Callable[[Json], Json]]) -> Json:
    version, current = content.get(SCHEMA, 1), len(steps) + 1
    if version not in range(1, current + 1):
        raise InputError(f"its schema is {version}, and this version reads up to {current}")
    for step in steps[version - 1 :]:
        content = step(content)
    return content | {SCHEMA: current}


def _run_to_2(old: Json) -> Json:
    if "files" in old and CHECKSUM not in old:
        raise InputError("it has no checksum")
    same = ("fingerprint", "k", "model", "code", "seed", "device", "precision", "date")
    new = {key: old[key] for key in same} | {
        "settings": settings(old["model"], old["settings"]),
        "dataset": _dataset_to_2(old["dataset"]),
        "provenance": _provenance_to_2(old["chosen"]),
        "result": _result_to_2(old) if old["status"] == "done" else None,
        "reason": old.get("reason", ""),
    }
    return new | {key: old[key] for key in ("versions", "commit", "files") if key in old}


def _dataset_to_2(old: Json) -> Json:
    protocol = old["protocol"]
    noted = any(note.startswith(_BLOCK_NOTE) for note in old["notes"])
    carve = (BLOCK if noted else DRAW) if protocol in ("published", "random") else ""
    new: Json = {"carve": carve, "train_interactions": 0, "valid_queries": 0, "profile": None} | old
    new["carve"] = _FORMER_CARVES.get(new["carve"], new["carve"])
    if new["profile"]:
        new["profile"] = {"candidates": "", "learned": 0, "begin": []} | new["profile"]
    return new


def _provenance_to_2(old: Json) -> Json:
    return old | {"note": "", "other_data": True} if old.get("note") == _OTHER_DATA else old


def _result_to_2(old: Json) -> Json:
    costs = {key: old[key] for key in _COSTS} | {"parameters": old["parameters"] or None}
    return {
        "metrics": old["metrics"],
        "slices": [_slice_to_2(part) for part in old["slices"]],
        "costs": costs | {"cores_elsewhere": old.get("cores_elsewhere", 0.0)},
        "reaches_cold_items": old.get("reaches_cold_items", False),
        "propagates": old["propagates"] if "propagates" in old else _propagates(old),
        "without_effect": old["without_effect"] if "without_effect" in old else _without_effect(old),
        "training": old.get("training", []),
        "choosing": old.get("choosing", []),
    }


def _slice_to_2(old: Json) -> Json:
    new = {key: old[key] for key in _SLICE if key in old}
    metrics = {key: value for key, value in old.items() if key not in _SLICE}
    return new | {"slice": _FORMER_SLICES.get(old["slice"], old["slice"]), "metrics": metrics}


def _propagates(old: Json) -> bool:
    """What records did not say at first: by setting, or by the rule of -1."""
    neighbors = _named(old["settings"]).get("neighbors", 0)
    if neighbors >= 0:
        return bool(neighbors > 0)
    about = old["dataset"]
    enough = about["train_valid_interactions"] >= _ENOUGH_TO_PROPAGATE * about["users"]
    return enough and not _by_interaction(old)


def _without_effect(old: Json) -> list[str]:
    """What records did not say at first: the recency of our models without an order in time."""
    asked = _named(old["settings"])
    if old["code"] or "recency" not in asked:
        return []
    # The format of published splits has no order; two-tower models use it for examples of interactions alone.
    by_time = old["dataset"]["protocol"] != "published"
    ordered = _by_interaction(old) if "examples" in asked else by_time
    return [] if ordered else ["recency"]


def _by_interaction(old: Json) -> bool:
    """Whether a two-tower model's training examples were interactions, by setting or by rule."""
    examples = _named(old["settings"])["examples"]
    return examples == "position" or (examples == "auto" and old["dataset"]["protocol"] in SEQUENTIAL)


def _named(old: Json) -> Json:
    return {RENAMED.get(key, key): value for key, value in old.items()}


def _trials_to_2(old: Json) -> Json:
    model = old["model"]
    return old | {
        "fixed": settings(model, old["fixed"]),
        "trials": [_trial_to_2(model, each) for each in old["trials"]],
    }


def _trial_to_2(model: str, old: Json) -> Json:
    new = {key: old[key] for key in _TRIAL if key in old} | {"settings": settings(model, old["settings"])}
    return new | {"metrics": {key: value for key, value in old.items() if key not in (*_TRIAL, "settings")}}


def _score_to_2(old: Json) -> Json:
    new = {"origin" if key == "from" else key: value for key, value in old.items()}
    return new | {"settings": settings(old["model"], old["settings"])}

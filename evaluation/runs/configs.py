"""`configs/<dataset>.yaml`: the settings chosen for a dataset, and how each choice was made.

next-item:                  # a protocol; or "next-item, seen items excluded" for one policy alone
  item_cf:
    settings: {top_k: 200}
    chosen: {by: tuning, trials: 30, valid_ndcg: 0.1234, minutes: 2.5, date: 2026-11-25}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from retrieval_leaderboard import ROOT, WORKSPACE
from retrieval_leaderboard.datasets.dataset import POLICIES, Dataset
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS, excludes_seen
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError, unknown
from retrieval_leaderboard.support.files import contents, write_text

WAYS = {"defaults": "defaults", "hand": "by hand", "tuning": "tuned", "command line": "set for this run"}
KINDS: dict[str, Any] = {
    "by": str, "trials": int, "at_least": bool, "different": int, "pruned": int, "valid_ndcg": int | float,
    "minutes": int | float, "cap_minutes": int | float, "date": str, "note": str, "fingerprint": str,
}  # fmt: skip
SHIPPED = ROOT / "configs"
OTHER_DATA = "chosen on other data"
OWN_CONFIGS = WORKSPACE / "configs" / "local"
"""Folder of the choices that users' own searches made."""
HEADER = "# Settings chosen on the validation part, and how; a model that is absent runs with its defaults.\n"


@dataclass(frozen=True)
class Chosen:
    """How settings came to be chosen."""

    by: str = "defaults"
    """A key of WAYS"""
    trials: int = 0
    """How often settings were tried on the validation part, this choice among them"""
    at_least: bool = False
    """Whether some of them have no record, so that there may have been more"""
    different: int = 0
    """How many different ones, where some came up again; 0 where that is not known"""
    pruned: int = 0
    """How many trials are known to have been given up early as hopeless"""
    valid_ndcg: float | None = None
    """NDCG@20 on the validation queries"""
    minutes: float | None = None
    """What all trials took"""
    cap_minutes: float | None = None
    """After which no trial would have begun"""
    date: str = ""
    note: str = ""
    fingerprint: str = ""
    """Of the data they were chosen on; "" where that is not noted"""

    @property
    def counted(self) -> str:
        """The number of trials in words."""
        plural = "" if self.trials == 1 else "s"
        return f"{'at least ' if self.at_least else ''}{self.trials} trial{plural}"

    @property
    def brief(self) -> str:
        """A few words for a table."""
        other = ", other data" if self.note == OTHER_DATA else ""
        if self.trials:
            return self.counted + (" by hand" if self.by == "hand" else "") + other
        return WAYS[self.by] + other

    @property
    def told(self) -> str:
        """All of it in one line."""
        parts = [WAYS[self.by]]
        if self.trials:
            repeated = 0 < self.different < self.trials
            parts.append(self.counted + (f" of {self.different} settings" if repeated else ""))
        if self.pruned:
            parts.append(f"{self.pruned} of them given up early")
        if self.valid_ndcg is not None:
            parts.append(f"validation NDCG@20 {self.valid_ndcg:.4f}")
        if self.minutes is not None:
            cap = "" if self.cap_minutes is None else f" (limit {self.cap_minutes:g})"
            parts.append(f"{self.minutes:.1f} min{cap}")
        return ", ".join([*parts, *filter(None, (self.date, self.note))])

    def as_dict(self) -> dict[str, Any]:
        """What is not as by default, as JSON."""
        default = asdict(Chosen(by=""))
        return {key: value for key, value in asdict(self).items() if value != default[key]}


DEFAULTS = Chosen()


@dataclass(frozen=True)
class Choice:
    """A model's entry in a config."""

    settings: dict[str, Any] = field(default_factory=dict)
    chosen: Chosen = DEFAULTS


def layers(folder: Path, dataset: str) -> list[Path]:
    """The configs of a dataset, first the user's in `folder`, then the shipped one below it."""
    return list(dict.fromkeys((folder / f"{dataset}.yaml", SHIPPED / f"{dataset}.yaml")))


def section(dataset: Dataset) -> str:
    """The part of a config that a dataset's choices belong to: its protocol, and its policy if unusual."""
    if dataset.exclude_seen == excludes_seen(dataset.protocol):
        return dataset.protocol
    return f"{dataset.protocol}, {POLICIES[dataset.exclude_seen]}"


def read(path: Path, dataset: Dataset) -> dict[str, Choice]:
    """Model → what `path` says of it; for an unusual policy the protocol's choice, where it has none itself.

    Raises:
        InputError: the file is no YAML of that form.
    """
    return in_section(path, dataset.protocol) | in_section(path, section(dataset))


def in_section(path: Path, where: str) -> dict[str, Choice]:
    """Model → what the section `where` of `path` says of it; InputError as `read`."""
    found = _content(path).get(where, {})
    return {model: _choice(entry, f"{path}: {model}") for model, entry in found.items()}


def resolved(model: type[Retriever], paths: Sequence[Path], dataset: Dataset) -> Choice:
    """Every setting of `model` by the first of `paths` that has a choice, or else its defaults.

    Raises:
        InputError: as `read`, or a setting that the model does not have.
    """
    found = ((path, read(path, dataset).get(model.name)) for path in paths)
    path, choice = next(((path, choice) for path, choice in found if choice), (None, Choice()))
    chosen = choice.chosen
    if chosen.fingerprint not in ("", dataset.fingerprint):
        chosen = replace(chosen, note=OTHER_DATA)
        other = f"{model.name} was {OTHER_DATA} (fingerprint {chosen.fingerprint})"
        tell(f"{path}: {other}: tune it for this data")
    return Choice(settings.resolve(model, choice.settings, str(path)), chosen)


@cache
def tell(sentence: str) -> None:
    """Say it once a command."""
    progress.say(f"warning: {sentence}")


def write(path: Path, where: str, model: str, choice: Choice) -> None:
    """Make `choice` the model's entry in the section `where`; all other entries stay."""
    import yaml

    content = _content(path)
    entry = {"settings": choice.settings, "chosen": choice.chosen.as_dict()}
    content.setdefault(where, {})[model] = entry
    text = yaml.safe_dump(content, sort_keys=False, width=110, default_flow_style=None, allow_unicode=True)
    write_text(path, HEADER + text)


def _content(path: Path) -> dict[str, dict[str, Any]]:
    """Section → model → entry; nothing where there is no file."""
    if not path.is_file():
        return {}
    import yaml

    try:
        content = yaml.safe_load(contents(path).decode()) or {}
    except Exception as error:  # Odd dates, tags and depths are ValueErrors, AttributeErrors and more.
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not all(isinstance(models, dict) for models in content.values()):
        raise InputError(f"{path}: it must map protocols to models")
    known = [*PROTOCOLS, *(f"{name}, {policy}" for name in PROTOCOLS for policy in POLICIES.values())]
    for where in content:
        if where not in known:
            raise unknown(f"protocol in {path}", where, known)
    return content


def _choice(entry: Any, where: str) -> Choice:
    if not isinstance(entry, Mapping) or not all(isinstance(part, Mapping) for part in entry.values()):
        raise InputError(f"{where}: give it as 'settings: {{…}}' and, if you like, 'chosen: {{by: hand}}'")
    for key in entry:
        if key not in ("settings", "chosen"):
            raise unknown(f"part of {where}", key, ["settings", "chosen"])
    return Choice(dict(entry.get("settings", {})), chosen_of(entry.get("chosen", {}), f"{where}.chosen"))


def chosen_of(entry: Mapping[str, Any], where: str) -> Chosen:
    """How a choice was made, as `Chosen.as_dict` or a user wrote it.

    Raises:
        InputError: it says what cannot be; `where` begins the sentence.
    """
    told = {"by": "hand"} | dict(entry)
    if "date" in told:
        told["date"] = str(told["date"])  # YAML makes a date of it.
    for key, value in told.items():
        if key not in KINDS:
            raise unknown(f"key of {where}", key, KINDS)
        infinite = isinstance(value, float) and not math.isfinite(value)
        if infinite or (isinstance(value, bool) != (KINDS[key] is bool)) or not isinstance(value, KINDS[key]):
            raise InputError(
                f"{where}.{key}: {value} is not what belongs there, which is {_named(KINDS[key])}"
            )
    if told["by"] not in WAYS:
        raise unknown(f"value of {where}.by", told["by"], WAYS)
    return Chosen(**told)


def _named(kind: Any) -> str:
    """A type, or a union of types, as a message has it."""
    return getattr(kind, "__name__", str(kind))

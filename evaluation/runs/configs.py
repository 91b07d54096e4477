"""`configs/<dataset>.yaml`: the settings of models on a dataset, and how they came about.

next-item:                  # a protocol; or "next-item, seen items excluded" for one policy alone,
                            # "next-item, ties as in the source" for one order of ties
  item_cf:
    settings: {top_k: 200}
    provenance: {by: tuning, trials: 30, valid_ndcg: 0.1234, minutes: 2.5, date: 2026-11-25}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from retrieval_leaderboard import ROOT, WORKSPACE
from retrieval_leaderboard.datasets.dataset import POLICIES, TIES_IN_WORDS, Dataset, split_in_words
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS, excludes_seen
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import provenance
from retrieval_leaderboard.evaluation.runs.provenance import DEFAULTS, Provenance
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError, not_yaml, unknown
from retrieval_leaderboard.support.storage.files import contents, write_text
from retrieval_leaderboard.support.storage.locks import locked

SHIPPED = ROOT / "configs"
OWN_CONFIGS = WORKSPACE / "configs" / "local"
"""Folder of what users' own searches found."""
PARTS = ("settings", "provenance")
LOCK = ".configs.lock"
"""Another one than a board's, which a search holds: both may be in one folder"""
HEADER = "# Settings tuned on the validation part, and how; a model that is absent runs with its defaults.\n"


@dataclass(frozen=True)
class TunedConfig:
    """A model's entry in a config."""

    settings: dict[str, Any] = field(default_factory=dict)
    provenance: Provenance = DEFAULTS


def layers(folder: Path, dataset: str) -> list[Path]:
    """The configs of a dataset, first the user's in `folder`, then the shipped one below it."""
    return list(dict.fromkeys((folder / f"{dataset}.yaml", SHIPPED / f"{dataset}.yaml")))


def section(dataset: Dataset) -> str:
    """The part of a config that a dataset's settings belong to: its protocol, and its order of ties and its
    policy if they are unusual.
    """
    return section_of(dataset.protocol, dataset.ties, dataset.exclude_seen)


def section_of(protocol: str, ties: str, exclude_seen: bool) -> str:
    """The same by the fields of a dataset."""
    return split_in_words(protocol, ties, None if exclude_seen == excludes_seen(protocol) else exclude_seen)


def read(path: Path, dataset: Dataset) -> dict[str, TunedConfig]:
    """Model → what `path` says of it, by the protocol's section where that of an unusual split has nothing.

    Raises:
        InputError: the file is no YAML of that form.
    """
    return of_split(path, dataset.protocol, section(dataset))


def of_split(path: Path, protocol: str, where: str) -> dict[str, TunedConfig]:
    """The same by the names of the protocol's section and of the split's own; InputError as `read`."""
    return in_section(path, protocol) | in_section(path, where)


def in_section(path: Path, where: str) -> dict[str, TunedConfig]:
    """Model → what the section `where` of `path` says of it; InputError as `read`."""
    found = _content(path).get(where, {})
    return {model: _config(entry, f"{path}: {model}") for model, entry in found.items()}


def resolved(model: type[Retriever], paths: Sequence[Path], dataset: Dataset) -> TunedConfig:
    """Every setting of `model` by the first of `paths` that has some, or else its defaults.

    Settings tuned on other data come after those of a later path that were not.

    Raises:
        InputError: as `read`, or a setting that the model does not have.
    """
    found = [(path, config) for path in paths if (config := read(path, dataset).get(model.name))]
    on_these = [each for each in found if not _other_data(each[1].provenance, dataset)]
    path, config = next(iter(on_these or found), (None, TunedConfig()))
    made = config.provenance
    if other := _other_data(made, dataset):
        progress.warn_once(f"{path}: {model.name} was tuned on other data ({other}): tune it for this data")
        made = replace(made, other_data=True, note="")
    return TunedConfig(settings.resolve(model, config.settings, str(path)), made)


def _other_data(made: Provenance, dataset: Dataset) -> str:
    """What settings were tuned on, in words, where that is not `dataset`; "" where it is, or is not noted."""
    if not made.fingerprint:
        part = dataset.profile is not None and not dataset.profile.is_whole
        return "the dataset without filters or target" if part and made.trials else ""
    return f"fingerprint {made.fingerprint}" if made.fingerprint != dataset.fingerprint else ""


def write(path: Path, where: str, model: str, config: TunedConfig) -> None:
    """Make `config` the model's entry in the section `where`; all other entries stay.

    Where it takes the place of one that was tuned on other data, a line says so.
    """
    import yaml

    with locked(path.parent, f"another command writes into {path.parent}: waiting for it", LOCK):
        content = _content(path)
        entry = {"settings": config.settings, "provenance": config.provenance.as_dict()}
        before = content.get(where, {}).get(model, {}).get("provenance", {}).get("fingerprint", "")
        if before not in ("", config.provenance.fingerprint):
            progress.say(f"{path}: replaces the settings of {model} that were tuned on other data ({before})")
        content.setdefault(where, {})[model] = entry
        text = yaml.safe_dump(
            content, sort_keys=False, width=110, default_flow_style=None, allow_unicode=True
        )
        write_text(path, HEADER + text)


def _content(path: Path) -> dict[str, dict[str, Any]]:
    """Section → model → entry; nothing where there is no file."""
    if not path.is_file():
        return {}
    import yaml

    try:
        content = yaml.safe_load(contents(path).decode()) or {}
    except Exception as error:  # Odd dates, tags and depths are ValueErrors, AttributeErrors and more.
        raise not_yaml(path, error) from error
    if not isinstance(content, dict) or not all(isinstance(models, dict) for models in content.values()):
        raise InputError(f"{path}: it must map protocols to models")
    known = [split_in_words(*each) for each in product(PROTOCOLS, ("", *TIES_IN_WORDS), (None, *POLICIES))]
    for where in content:
        if where not in known:
            raise unknown(f"protocol in {path}", where, known)
    return content


def _config(entry: Any, where: str) -> TunedConfig:
    if not isinstance(entry, Mapping) or not all(isinstance(part, Mapping) for part in entry.values()):
        raise InputError(
            f"{where}: give it as 'settings: {{…}}' and, if you like, 'provenance: {{by: hand}}'"
        )
    for key in entry:
        if key == "chosen":
            raise InputError(f"{where}: chosen is called provenance now")
        if key not in PARTS:
            raise unknown(f"part of {where}", key, PARTS)
    made = provenance.parse(entry.get("provenance", {}), f"{where}.provenance")
    return TunedConfig(dict(entry.get("settings", {})), made)

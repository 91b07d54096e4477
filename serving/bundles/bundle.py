"""A bundle: one folder with all that answering needs: a model, and the index of its vectors if it has any."""

from __future__ import annotations

import json
import shutil
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from retrieval_leaderboard import PREFIX
from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.models import outside, saving
from retrieval_leaderboard.evaluation.models.bases import EmbeddingRetriever
from retrieval_leaderboard.evaluation.models.retriever import Retriever
from retrieval_leaderboard.evaluation.runs import named, records
from retrieval_leaderboard.evaluation.runs.record import RunRecord
from retrieval_leaderboard.serving import indexes
from retrieval_leaderboard.serving.bundles import tables, versions
from retrieval_leaderboard.serving.bundles.columns import ItemColumns
from retrieval_leaderboard.serving.bundles.encoding import Schema
from retrieval_leaderboard.serving.bundles.journal import ABOUT, Journal
from retrieval_leaderboard.serving.bundles.shared_journal import SharedJournal
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import checksums, locks, sealed, typed
from retrieval_leaderboard.support.storage.files import atomic_folder, bring_back, write_json

FORMAT = 3
"""Version of the layout; a bundle of another one is not read."""
INDEX, FEATURES, ITEMS, USERS = "index.faiss", "features.json", "items.parquet", "users.parquet"
COLUMNS = "item_columns.parquet"
"""Absent where the dataset has no item features to filter by"""
MODEL = (saving.STATE, saving.WEIGHTS)
NO_INDEX = "none"
"""The kind of a bundle whose model ranks by itself"""


@dataclass(frozen=True)
class About:
    """What `bundle.json` says."""

    format: int
    kind: str
    """of the index, or NO_INDEX"""
    parameters: dict[str, int]
    dimension: int
    items: int
    """in the catalog as trained; later items have labels from here on"""
    model: str
    model_hash: str
    """blake2b of the model's files"""
    checksums: dict[str, str]
    """file → blake2b of the other files"""
    dataset: str
    title: str
    protocol: str
    fingerprint: str
    exclude_seen: bool
    date: str


@dataclass(frozen=True)
class Bundle:
    """A bundle in memory, with its changes not yet applied."""

    about: About
    model: Retriever
    index: indexes.VectorIndex | None
    """None where the model ranks by itself"""
    item_ids: list[str]
    user_ids: list[str]
    histories: Ragged
    """the training history of each user: item codes"""
    user_schema: Schema
    item_schema: Schema
    context_schema: Schema
    columns: ItemColumns
    """of the items as trained"""
    journal: Journal
    """the changes so far, and where later ones go"""


def trained(
    run: Path, dataset: Dataset, model_class: type[Retriever] | None = None
) -> tuple[RunRecord, Retriever]:
    """The record and the model of a finished run on `dataset`.

    Args:
        run: the run's folder.
        dataset: what it was trained on.
        model_class: the model's class, for one that is not registered.

    Raises:
        InputError: no finished run, another dataset, or no weights.
    """
    record = records.read(run)
    if record is None or not record.is_done:
        raise InputError(f"{run} is no finished run: {named.instead_of(run)}")
    if record.fingerprint != dataset.fingerprint:
        raise InputError(
            f"{run} was trained on data of fingerprint {record.fingerprint}, and {dataset.name} as loaded "
            f"has {dataset.fingerprint}: its content, or how it is read, is another one; give what the run "
            "was made with"
        )
    return record, _load_model(run, record.model, model_class)


def write(
    run: Path,
    dataset: Dataset,
    out: Path,
    kind: str = "auto",
    model_class: type[Retriever] | None = None,
    replace: bool = True,
) -> About:
    """Write the bundle of a run's model, with an index if it gives vectors, whole or not at all.

    Args:
        run: the run's folder.
        dataset: what it was trained on.
        out: the bundle's folder.
        kind: one of `indexes.KINDS`, or "auto"; "auto" where the model gives no vectors.
        model_class: as in `trained`.
        replace: whether an older bundle in `out` goes, and with it the items that were added to it.

    Raises:
        InputError: as `trained`; an unknown kind; or `out` holds something else than a bundle, a bundle that
            may not be replaced, or one that a service writes to.
    """
    check_target(out, replace)
    if not out.exists():
        return _write(run, dataset, out, kind, model_class)
    instead = versions.instead_of(out)
    with locks.held(out / ABOUT, f"a service answers from {out}: give {instead}, or stop it first"):
        return _write(run, dataset, out, kind, model_class)


def check_target(out: Path, replace: bool) -> None:
    """InputError where `out` is no bundle, or a bundle that may not be replaced.

    One that a command set aside, and died, stands in its place again.
    """
    if out.is_symlink():
        raise InputError(f"{out} is a link: give the folder that it names, or {versions.instead_of(out)}")
    bring_back(out)
    if not out.exists():
        return
    if versions.held(out):
        raise InputError(f"{out} holds versions of a bundle: add one by --version, or give another --out")
    if not (out / ABOUT).is_file():
        raise InputError(f"{out} exists and is no bundle: give another --out")
    if not replace:
        instead = versions.instead_of(out)
        raise InputError(f"{out} holds a bundle already: give {instead}, or --replace to build it anew")


def hold(folder: Path, shared: bool = False) -> AbstractContextManager[None]:
    """Within, no other process writes to a bundle, but who holds it `shared`; InputError where one does."""
    read_about(folder)
    refusal = f"another service writes to {folder}: stop it, or start this one with --read-only"
    return locks.held(folder / ABOUT, refusal, shared)


def _write(run: Path, dataset: Dataset, out: Path, kind: str, model_class: type[Retriever] | None) -> About:
    record, model = trained(run, dataset, model_class)
    built, dimension = _index(model, kind)
    with atomic_folder(out) as scratch:
        for name in MODEL:
            shutil.copyfile(run / name, scratch / name)
        if built is not None:
            built.write(scratch / INDEX)
        has_columns = _write_tables(scratch, dataset)
        hashed = _hashed(built is not None, has_columns)
        about = About(
            format=FORMAT,
            kind=NO_INDEX if built is None else built.kind,
            parameters={} if built is None else built.parameters,
            dimension=dimension,
            items=dataset.train_valid.n_items,
            model=record.model,
            model_hash=model_hash(scratch),
            checksums={name: _digest(scratch / name) for name in hashed},
            dataset=dataset.name,
            title=dataset.title or dataset.name,
            protocol=dataset.protocol,
            fingerprint=dataset.fingerprint,
            exclude_seen=dataset.exclude_seen,
            date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )
        sealed.write(scratch / ABOUT, asdict(about))
    return about


def _index(model: Retriever, kind: str) -> tuple[indexes.VectorIndex | None, int]:
    """The index of a model's vectors, and how long they are; None and 0 where it gives none."""
    if not isinstance(model, EmbeddingRetriever):
        if kind != indexes.AUTO:
            raise InputError(f"{model.name} has no vectors, and ranks without an index: leave out --kind")
        return None, 0
    vectors = model.encode_items()
    index_class = indexes.choose(len(vectors)) if kind == indexes.AUTO else indexes.get(kind)
    return index_class.build(vectors), vectors.shape[1]


def read(
    folder: Path, model_class: type[Retriever] | None = None, shared: bool = False, writing: bool = False
) -> Bundle:
    """The bundle in `folder`; faiss sees the index file only after every hash holds.

    Args:
        folder: the bundle's.
        model_class: as in `trained`.
        shared: let the index lie in its file, whose pages processes share.
        writing: with `shared`, others that read it so may append changes too.

    Raises:
        InputError: no bundle, a damaged file, another model's vectors, or another layout.
    """
    about = read_about(folder)
    if model_hash(folder) != about.model_hash:
        raise InputError(f"{folder}: {' or '.join(MODEL)} is not the file that was written, but damaged, "
                         "cut or of another model: build the bundle again")  # fmt: skip
    has_index, has_columns = about.kind != NO_INDEX, COLUMNS in about.checksums
    for name in _hashed(has_index, has_columns):
        if _digest(folder / name) != about.checksums.get(name):
            raise InputError(f"{folder / name} is not the file that was written: build the bundle again")
    schemas = json.loads((folder / FEATURES).read_text(encoding="utf-8"))
    item_ids = tables.read_items(folder / ITEMS)
    user_ids, histories = tables.read_users(folder / USERS)
    journal = SharedJournal if shared and writing else Journal
    return Bundle(
        about,
        _load_model(folder, about.model, model_class),
        indexes.read(about.kind, folder / INDEX, about.parameters, shared) if has_index else None,
        item_ids,
        user_ids,
        histories,
        Schema(**schemas["users"]),
        Schema(**schemas["items"]),
        Schema(**schemas["context"]),
        tables.read_columns(folder / COLUMNS) if has_columns else ItemColumns({}),
        journal(folder, about.model_hash, about.dimension, item_ids),
    )


def read_about(folder: Path) -> About:
    """What the bundle in `folder` says of itself; InputError where there is none."""
    try:
        content = sealed.read(folder / ABOUT)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{folder} holds no bundle: make one by 'python -m {PREFIX}serving index'"
        ) from error
    except OSError as error:
        raise InputError(f"{folder / ABOUT} cannot be read: {error.strerror}") from error
    except sealed.DamagedError as error:
        raise InputError(f"{error}; build the bundle again") from error
    content.pop(sealed.CHECKSUM, None)
    try:
        about = typed.parse(About, content)
    except typed.MisfitError:
        about = None
    if about is None or about.format != FORMAT:
        raise InputError(f"{folder / ABOUT} has another layout than this version's: build the bundle again")
    return about


def model_hash(folder: Path) -> str:
    """blake2b of the model's files in `folder`, 32 hex digits; InputError where one is absent."""
    return _digest(*(folder / name for name in MODEL))


def _write_tables(folder: Path, dataset: Dataset) -> bool:
    """Write all tables; whether there are item columns among them."""
    train = dataset.train_valid
    tables.write_items(folder / ITEMS, dataset.item_ids)
    tables.write_users(folder / USERS, dataset.user_ids, train.by_user)
    schemas = {
        "users": Schema.of("user", train.user_features).to_json(),
        "items": Schema.of("item", train.item_features).to_json(),
        "context": Schema.of("context", train.context).to_json(),
    }
    write_json(folder / FEATURES, schemas)
    return tables.write_columns(folder / COLUMNS, train.item_features)


def _hashed(has_index: bool, has_columns: bool) -> list[str]:
    """The files of which `About.checksums` speaks."""
    return [*[INDEX] * has_index, ITEMS, USERS, FEATURES, *[COLUMNS] * has_columns]


def _digest(*paths: Path) -> str:
    """As `checksums.digest`, with one sentence for a file that cannot be read."""
    try:
        return checksums.digest(*paths)
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error


def _load_model(folder: Path, name: str, model_class: type[Retriever] | None) -> Retriever:
    if model_class is None:
        try:
            model_class = outside.named(name)
        except InputError as error:
            raise InputError(
                f"{error}; a class of your own is given by --model FILE.py:CLASS or MODULE:CLASS"
            ) from error
    return model_class.load(folder)

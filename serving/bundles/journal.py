"""The journal of a bundle: a line for each change of the catalog, on the disk before it is acknowledged."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.serving.bundles import tables
from retrieval_leaderboard.serving.bundles.columns import Values
from retrieval_leaderboard.serving.bundles.tables import Changes
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import durable
from retrieval_leaderboard.support.storage.files import writing

ABOUT, FOLDED, LOG = "bundle.json", "changes.parquet", "changes.log"


class ChangedError(InputError):
    """The bundle is no longer the one that was opened."""


class NotSavedError(InputError):
    """A valid change could not be written."""


@dataclass(frozen=True)
class Change:
    """An item that comes, with its vector, or goes, without one."""

    item_id: str
    vector: npt.NDArray[np.float32] | None = None
    values: Values = field(default_factory=dict)
    """raw values of the bundle's item columns"""


class Journal:
    """All changes of a bundle: those folded into `changes.parquet`, and after them those of `changes.log`.

    Each line of the log has a checksum and counts the changes before it. A last line without an end was
    torn when the process or the machine died: it was not acknowledged, and is left out. Whatever else
    does not fit is damage, and is refused.
    """

    shared: ClassVar[bool] = False
    """Whether other processes append to it too"""

    def __init__(self, folder: Path, model_hash: str, dimension: int, item_ids: Sequence[str]) -> None:
        """Read what is there.

        Args:
            folder: the bundle's.
            model_hash: of the model whose vectors are kept.
            dimension: of the vectors.
            item_ids: the catalog before all changes.

        Raises:
            InputError: a damaged file, or vectors of another model.
        """
        self.folder, self.model_hash, self._dimension = folder, model_hash, dimension
        while True:
            self._found = self._stamp()
            changes = tables.read_changes(folder / FOLDED, model_hash, dimension)
            logged, self._size = self._read()
            # A service may have folded its log in between.
            if self._stamp()[FOLDED] == self._found[FOLDED]:
                break
        self._folded = changes.count
        later = [change for number, change in logged if number >= self._folded]
        self._check_numbers([number for number, _ in logged])
        self.changes = _followed(changes, later, item_ids, dimension)
        """when it was opened"""
        self._count = self.changes.count

    @property
    def log_is_empty(self) -> bool:
        """Whether all changes are in `changes.parquet`."""
        return self._size == 0

    def turn(self) -> AbstractContextManager[None]:
        """Within, no other process appends."""
        return nullcontext()

    def is_behind(self) -> bool:
        """Whether other processes have kept changes that `news` has not told."""
        return False

    def news(self) -> Iterator[Change]:
        """Those changes, in the order of the log; they count as told once all are taken."""
        return iter(())

    def append(self, changes: Sequence[Change]) -> None:
        """Keep changes: when it returns, they are on the disk.

        Raises:
            ChangedError: another process changed the bundle, or put another one in its place.
            InputError: they cannot be written; none of them is kept.
        """
        self._check_unchanged()
        numbers = range(self._count, self._count + len(changes))
        lines = [_line(_as_json(number, each)) for number, each in zip(numbers, changes, strict=True)]
        if not self._size:
            lines.insert(0, _line({"model_hash": self.model_hash}))
        path, written = self.folder / LOG, b"".join(lines)
        try:
            with writing(path):
                _write_at(path, self._size, written)
        finally:
            self._found = self._stamp()
        self._size += len(written)
        self._count += len(changes)

    def fold(self, changes: Changes) -> None:
        """Move all changes into `changes.parquet` and empty the log; a crash in between loses none.

        Args:
            changes: all that was appended.

        Raises:
            ChangedError, InputError: as `append`; the log stays.
        """
        self._check_unchanged()
        try:
            tables.write_changes(self.folder / FOLDED, changes, self.model_hash)
            self._folded = changes.count
            (self.folder / LOG).unlink(missing_ok=True)
            self._size = 0
        finally:
            self._found = self._stamp()

    def _read(self) -> tuple[list[tuple[int, Change]], int]:
        """The numbered changes of the log, and the bytes up to the end of the last whole one."""
        path = self.folder / LOG
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        size = content.rfind(b"\n") + 1
        torn = content[size:]
        if torn and _content(torn[:-1]) is not None:
            raise _damaged(path, content.count(b"\n") + 1)
        if torn:
            progress.say(
                f"{path}: the last line is torn, of a change that was not acknowledged; it is left out"
            )
        return self._logged(content[:size]), size

    def _logged(self, whole: bytes, start: int = 0) -> list[tuple[int, Change]]:
        """The numbered changes of whole lines of the log, which begin at its byte `start`."""
        path = self.folder / LOG
        lines = list(enumerate(_contents(path, whole), start=1))
        if lines and not start and lines.pop(0)[1].get("model_hash") != self.model_hash:
            raise InputError(f"{path} holds vectors of another model: remove it, or build the bundle again")
        return [_change(path, at, line, self._dimension) for at, line in lines]

    def _check_numbers(self, numbers: Sequence[int]) -> None:
        """The log may begin within what is folded, where folding was interrupted, and has no gap."""
        start = numbers[0] if numbers else 0
        if start > self._folded or list(numbers) != list(range(start, start + len(numbers))):
            raise InputError(
                f"{self.folder / LOG} does not go on where {FOLDED} ends, after {self._folded:,} changes: "
                "bring back the file that was there, or build the bundle again"
            )

    def _check_unchanged(self) -> None:
        if self._stamp() != self._found:
            raise ChangedError(
                f"{self.folder} was changed by another process since it was opened, and nothing was written: "
                "open it again"
            )

    def _stamp(self) -> dict[str, tuple[int, int, int] | None]:
        """Identity of the current state of the files that change."""
        stamps: dict[str, tuple[int, int, int] | None] = {}
        for name in (ABOUT, FOLDED, LOG):
            try:
                found = (self.folder / name).stat()
                stamps[name] = found.st_ino, found.st_size, found.st_mtime_ns
            except OSError:
                stamps[name] = None
        return stamps


def _followed(changes: Changes, later: Sequence[Change], item_ids: Sequence[str], dimension: int) -> Changes:
    """`changes` and then those of a log, which names items by their ids."""
    if not later:
        return changes
    added, vectors, removed = list(changes.item_ids), list(changes.vectors), changes.removed.tolist()
    values = list(changes.values)
    removed_labels = set(removed)
    label = {raw: at for at, raw in enumerate([*item_ids, *added]) if at not in removed_labels}
    for each in later:
        if each.vector is None:
            removed.append(label.pop(each.item_id))
        else:
            label[each.item_id] = len(item_ids) + len(added)
            added.append(each.item_id)
            vectors.append(each.vector)
            values.append(each.values)
    table = np.array(vectors, dtype=np.float32).reshape(len(vectors), dimension)
    return Changes(added, table, np.array(removed, dtype=np.int64), values)


def _contents(path: Path, whole: bytes) -> Iterator[dict[str, Any]]:
    for at, line in enumerate(whole.splitlines(), start=1):
        content = _content(line)
        if content is None:
            raise _damaged(path, at)
        yield content


def _content(line: bytes) -> dict[str, Any] | None:
    """What a line holds; None where its checksum does not hold."""
    checksum, _, text = line.partition(b" ")
    return json.loads(text) if checksum == _checksum(text) else None


def _change(path: Path, at: int, content: dict[str, Any], dimension: int) -> tuple[int, Change]:
    if "vector" not in content:
        return content["n"], Change(content["remove"])
    vector = np.frombuffer(base64.b64decode(content["vector"]), dtype="<f4").astype(np.float32)
    if len(vector) != dimension:
        raise _damaged(path, at)
    return content["n"], Change(content["add"], vector, content.get("values", {}))


def _damaged(path: Path, at: int) -> InputError:
    return InputError(
        f"{path}, line {at} is not what was written: bring back the file that was there, or remove it and "
        "lose the items that were added last"
    )


def _as_json(number: int, change: Change) -> dict[str, Any]:
    if change.vector is None:
        return {"n": number, "remove": change.item_id}
    vector = base64.b64encode(change.vector.astype("<f4").tobytes()).decode()
    values = {"values": change.values} if change.values else {}
    return {"n": number, "add": change.item_id, "vector": vector} | values


def _line(content: dict[str, Any]) -> bytes:
    text = json.dumps(content).encode()
    return _checksum(text) + b" " + text + b"\n"


def _checksum(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=8).hexdigest().encode()


def _write_at(path: Path, size: int, content: bytes) -> None:
    """Make a file its first `size` bytes and then `content`, on the disk; as it was where that fails."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        os.ftruncate(handle, size)
        try:
            _write_all(handle, content, size)
            os.fsync(handle)
            if not size:
                durable.sync_folder(path.parent)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)


def _write_all(handle: int, content: bytes, at: int) -> None:
    left = memoryview(content)
    while left:
        written = os.pwrite(handle, left, at)
        left, at = left[written:], at + written

"""Files of public datasets fetched, checked, and put in place whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from retrieval_leaderboard.datasets.sources import archives
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import atomic_folder

CONNECT_SECONDS = 4.0
READ_SECONDS = 30.0
ATTEMPTS = 2
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Download:
    """Where a dataset's files are, and how they are known to be the right ones."""

    digests: dict[str, str]
    """name → "md5:…", "sha256:…" or "git:…" (a git blob id); "" where no digest is published.
    A .zip is unpacked, without the folders inside, and not kept, if `unpack`."""
    mirrors: tuple[str, ...]
    """URLs with {file} for the name, or {stem} for the name without its suffix; tried in this order.
    None where nothing can be had without a login."""
    manual: str
    """What to do where no mirror answers."""
    check: Callable[[Path], None] = lambda path: None
    """Raises InputError unless a downloaded file is right; for files without a digest."""
    unpack: bool = True


class _Rejected(Exception):
    """What a mirror sent is not the file; says why."""


class _Refused(Exception):
    """A mirror has no such file, or does not give it; says how it answered."""


class _Unreachable(Exception):
    """No connection to the host of a mirror."""


def fetch(name: str, files: Download, folder: Path) -> None:
    """Download the files of dataset `name` into `folder`, which must be new or empty.

    Every mirror is tried in turn until one gives content that passes all checks; a broken
    transfer is started again once. On failure nothing is left behind.

    Raises:
        InputError: the folder holds other files or cannot be written, or no mirror gave the dataset;
            says how to get it manually.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} lacks some of {name}'s files: complete or empty it; {files.manual}")
    if not files.mirrors:
        raise InputError(files.manual)
    failures: list[str] = []
    dead: set[str] = set()
    for mirror in files.mirrors:
        host = urlsplit(mirror).netloc
        if host in dead:
            continue
        progress.say(f"{name}: downloading from {host}")
        try:
            with atomic_folder(folder) as scratch:
                _fetch_from(mirror, files, scratch)
            return
        except _Unreachable:
            dead.add(host)
            failures.append(f"{host} cannot be reached")
        except (_Refused, _Rejected) as error:
            failures.append(f"{host}: {error}")
    raise InputError(f"{name} could not be downloaded ({'; '.join(failures)}); {files.manual}")


def _fetch_from(mirror: str, files: Download, folder: Path) -> None:
    """All files from one mirror, unpacked and checked."""
    for name, digest in files.digests.items():
        _download(mirror.format(file=name, stem=Path(name).stem), folder / name, digest)
        try:
            files.check(folder / name)
            if files.unpack and name.endswith(".zip"):
                archives.unpack(folder / name, folder)
                (folder / name).unlink()
        except InputError as error:
            raise _Rejected(str(error)) from error


def _download(url: str, target: Path, digest: str) -> None:
    """One file, started again when the transfer breaks or the content is not what it should be."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _transfer(url, target)
            _verify(target, digest)
            return
        except _Rejected:
            if attempt == ATTEMPTS:
                raise


def _transfer(url: str, target: Path) -> None:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    with _shown(target.name) as bar:
        get = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=1 << 16,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            # Compressed on the way, a file has no length to show progress against.
            headers={"Accept-Encoding": "identity"},
        )
        try:
            get(url, target, None)
        except requests.HTTPError as error:
            raise _Refused(f"{target.name}: {str(error).partition(' for url')[0]}") from error
        except (requests.ConnectionError, requests.Timeout) as error:
            if target.exists() and target.stat().st_size:
                raise _Rejected(f"{target.name}: the transfer broke off") from error
            raise _Unreachable from error
        except requests.RequestException as error:
            raise _Rejected(f"{target.name}: the transfer broke off") from error


class _PoochBar:
    """Pooch's notion of a progress bar, shown by ours; opened once the size is known."""

    def __init__(self, label: str, stack: ExitStack) -> None:
        self.label, self.stack = label, stack
        self.total = 0
        self.done = 0
        self.advance: Callable[..., None] | None = None

    def update(self, done: int) -> None:
        """Go on by `done` bytes, as far as there are any left: pooch rounds up and repeats the whole."""
        if self.advance is None:
            self.advance = self.stack.enter_context(progress.bar(self.label, self.total, "bytes"))
        step = min(done, self.total - self.done)
        self.done += step
        self.advance(step)

    def reset(self) -> None:
        """Ours is full when pooch resets it."""

    def close(self) -> None:
        """The stack closes it, after a failure too."""


@contextmanager
def _shown(label: str) -> Iterator[_PoochBar]:
    with ExitStack() as stack:
        yield _PoochBar(label, stack)


def _verify(path: Path, digest: str) -> None:
    kind, _, expected = digest.partition(":")
    if not kind:
        return
    found = _digest(path, kind)
    if found != expected:
        raise _Rejected(f"{path.name}: the content is not the published one ({kind} {found}, not {expected})")


def _digest(path: Path, kind: str) -> str:
    """Hex digest of a file; "git" is git's id of a blob: the sha1 of its kind, size and content."""
    if kind == "git":
        state = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    else:
        state = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()

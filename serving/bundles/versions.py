"""Versions of a bundle beside each other, `NAME/VERSION`, and the link `NAME/current` to one of them."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

from retrieval_leaderboard.serving.bundles.journal import ABOUT
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import writing

CURRENT = "current"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def folder(parent: Path, version: str) -> Path:
    """Where a version is written; named after the time, in UTC, where `version` is empty.

    Raises:
        InputError: no name of a folder, or `parent` is a bundle itself.
    """
    if (parent / ABOUT).exists():
        raise InputError(f"{parent} is a bundle and holds no versions: give another --out, or no --version")
    link = parent / CURRENT
    if link.exists() and not link.is_symlink():
        raise InputError(f"{link} is no link, as a copy of the folder may have: rename it, and link to it")
    version = version or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    if not _NAME.fullmatch(version) or version == CURRENT:
        raise InputError(
            f"'{version}' names no version: give at most 100 letters, digits and -._, and not '{CURRENT}'"
        )
    return parent / version


def make_current(version: Path) -> None:
    """Let the link beside a version name it, at once; InputError where it cannot be written."""
    link = version.parent / CURRENT
    scratch = link.with_name(f".{CURRENT}-{os.getpid()}")
    with writing(link):
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(version.name, target_is_directory=True)
        scratch.replace(link)


def resolve(bundle: Path) -> Path:
    """The bundle that a path names now: itself, or its current version; all links followed.

    Raises:
        InputError: links that lead back to themselves, a folder that may not be read, or one of bundles
            without a link to the current one.
    """
    named = bundle
    try:
        if not (bundle / ABOUT).exists():
            if _has_current(bundle):
                named = bundle / CURRENT
            elif some := held(bundle):
                raise InputError(
                    f"{bundle} is no bundle, but holds some: name one, such as {some[-1]}, or link to one as "
                    f"{bundle / CURRENT}"
                )
        found = named.resolve()
        if found.is_symlink():  # From Python 3.13 on a loop is no error.
            raise RuntimeError(f"{found} is a link")
        return found
    except RuntimeError as error:
        raise InputError(f"{named} leads back to itself: let it name a version, by ln -sfn") from error
    except OSError as error:
        raise InputError(f"cannot see which version {bundle} names: {error.strerror}") from error


def held(folder: Path) -> list[Path]:
    """The bundles in a folder, by name."""
    return sorted(about.parent for about in folder.glob(f"[!.]*/{ABOUT}"))


def instead_of(out: Path) -> str:
    """What to give, for a command, so that the bundle `out` stays as it is."""
    return "another --version, which services follow" if _has_current(out.parent) else "another --out"


def state(bundle: Path) -> tuple[Path, float] | None:
    """What changes when a path names another bundle, or one built anew; None where its link is absent.

    A link that is replaced by `ln -sfn` is absent for a moment. Raises as `resolve`, and OSError where the
    folder cannot be read.
    """
    if not ((bundle / ABOUT).exists() or bundle.is_symlink() or _has_current(bundle)):
        return None
    named = resolve(bundle)
    try:
        return named, (named / ABOUT).stat().st_mtime
    except OSError:
        return named, 0.0


def _has_current(bundle: Path) -> bool:
    """A link, or the folder that a copy makes of it."""
    link = bundle / CURRENT
    return link.is_symlink() or link.is_dir()

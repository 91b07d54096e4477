"""What a folder or file needs before it takes its name: the user's permissions, and to be on the disk."""

import errno
import os
import stat
from pathlib import Path

NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM}
"""How file systems, and Windows, say that they do not sync folders."""


def finalize(path: Path, mode: int) -> None:
    """Give `path` and all in it the permissions of `mode`, and wait until they are on the disk.

    Libraries write files that only their owner can read.

    Args:
        path: a file, or a folder.
        mode: what the system gave to it when it was made, under the user's umask.

    Raises:
        OSError: the disk is full, or fails.
    """
    if path.is_file():
        return _finalize_file(path, mode)
    for folder, _, files in os.walk(path, topdown=False):
        for name in files:
            _finalize_file(Path(folder, name), mode & 0o666)
        _permit(Path(folder), mode)
        sync_folder(Path(folder))


def sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk, where the system can do that.

    Raises:
        OSError: the disk is full, or fails.
    """
    try:
        _sync(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise


def _finalize_file(path: Path, mode: int) -> None:
    _permit(path, mode)
    _sync(path, os.O_RDWR)


def _permit(path: Path, mode: int) -> None:
    if stat.S_IMODE(path.stat().st_mode) != stat.S_IMODE(mode):
        path.chmod(stat.S_IMODE(mode))


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

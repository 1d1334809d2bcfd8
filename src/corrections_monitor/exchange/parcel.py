"""A case folder as one sealed thing (a zip of its files), so that what was judged is what is applied."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from corrections_monitor.cases.layout import KNOWN_FILES

FILES_BYTES_MAX = 512 * 1_048_576
"""Of all files together: a nation's roster is 150 MB; what is larger is a bomb or a mistake."""

_PIECE_BYTES = 1_048_576


class UnusableError(Exception):
    """What came is no case folder; the text says why."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """``content``: a zip of the files of a case folder; ``digest``: SHA-256 of names and contents."""

    content: bytes
    digest: bytes


def seal(files: Mapping[str, bytes]) -> Parcel:
    """The files, by name, as a parcel.  Raises UnusableError when none of a case folder is among them."""
    known = {name: files[name] for name in sorted(files) if name in KNOWN_FILES}
    if not known:
        raise UnusableError("none of the files of a case folder is in it")
    digest = hashlib.sha256()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in known.items():
            digest.update(f"{len(name)}:{name}:{len(content)}:".encode())
            digest.update(content)
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return Parcel(out.getvalue(), digest.digest())


def unpack(content: bytes, folder: Path) -> None:
    """Write the files of a parcel into a folder.  Raises OSError."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            (folder / name).write_bytes(archive.read(name))


def of_archive(body: bytes) -> dict[str, bytes]:
    """The files of a zip or tar archive (gz, xz, bz2 too), whatever folder in it they lie in, by name.

    Raises UnusableError when it is none, is cut short, holds two case folders or more than is sane.
    """
    try:
        if zipfile.is_zipfile(io.BytesIO(body)):
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                return _gathered((i.filename, archive.open(i)) for i in archive.infolist() if not i.is_dir())
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:*") as tar:
            return _gathered((m.name, found) for m in tar if m.isfile() and (found := tar.extractfile(m)))
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, RuntimeError, ValueError) as fault:
        # RuntimeError: an encrypted member; NotImplementedError is one too.
        raise UnusableError(f"no archive that can be read: {fault}") from None


def _gathered(members: Iterator[tuple[str, IO[bytes]]]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = FILES_BYTES_MAX
    for path, member in members:
        name = PurePosixPath(path.replace("\\", "/")).name
        if name not in KNOWN_FILES:
            continue
        if name in files:
            raise UnusableError(f"{name} is in it twice")
        content = bytearray()
        while piece := member.read(_PIECE_BYTES):
            content += piece
            left -= len(piece)
            if left < 0:
                raise UnusableError(f"unpacked it is larger than {FILES_BYTES_MAX} bytes")
        files[name] = bytes(content)
    return files

"""Where the roster comes from (社区矫正信息管理系统): a folder, or an HTTPS address.

What is still being written is never read.  The other system writes its files and then, last of all, a file
named ``complete``; only while that is there, is newer than (or as old as) all the others, and nothing
moves during the reading, is a folder taken.  Files over HTTPS are held to the same by its text, which is
fetched before and after them.  An archive needs no such mark: one that is cut short cannot be opened.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from corrections_monitor.cases.layout import KNOWN_FILES
from corrections_monitor.exchange.parcel import FILES_BYTES_MAX, Parcel, UnusableError, of_archive, seal

MARK = "complete"
TIMEOUT_S = 60.0


class NotNowError(Exception):
    """Nothing can be taken at this moment: unreachable, or still being written; the text says which."""


@dataclass(frozen=True, slots=True)
class Source:
    """``place``: a folder; ``…/`` over HTTPS: files below it; any other HTTPS address: an archive.

    ``ca``, ``certificate``, ``key``: PEM files; ``authorization``: the whole header.
    """

    place: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    authorization: str | None = field(default=None, repr=False)

    @property
    def is_remote(self) -> bool:
        return self.place.startswith("https://")


def take_folder(folder: Path) -> Parcel:
    """The folder's files, all of one moment.  Raises NotNowError, UnusableError."""
    try:
        before = _look(folder)
        if MARK not in before:
            raise NotNowError(f"there is no file {MARK} yet")
        if any(stamp[0] > before[MARK][0] for stamp in before.values()):
            raise NotNowError(f"there are files newer than {MARK}")
        if sum(stamp[1] for stamp in before.values()) > FILES_BYTES_MAX:
            raise UnusableError(f"it is larger than {FILES_BYTES_MAX} bytes")
        files = {name: (folder / name).read_bytes() for name in before if name != MARK}
        if _look(folder) != before:
            raise NotNowError("it changed while it was read")
    except OSError as fault:
        raise NotNowError(f"cannot be read: {fault.strerror or fault}") from None
    return seal(files)


def _look(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Modification time (ns), size and inode of the files that matter."""
    stamps = {}
    for path in folder.iterdir():
        if path.name in KNOWN_FILES or path.name == MARK:
            known = path.stat()
            stamps[path.name] = (known.st_mtime_ns, known.st_size, known.st_ino)
    return stamps


async def take_remote(source: Source) -> Parcel:
    """The archive, or the files, of an HTTPS address.  Raises NotNowError, UnusableError."""
    headers = {"Authorization": source.authorization} if source.authorization else {}
    try:
        client = httpx.AsyncClient(
            verify=_context(source), headers=headers, timeout=TIMEOUT_S, follow_redirects=False
        )
    except (OSError, ssl.SSLError) as fault:
        raise NotNowError(f"roster.ca, certificate or key cannot be used: {fault}") from None
    async with client:
        try:
            if not source.place.endswith("/"):
                body = await _fetched(client, source.place)
                if body is None:
                    raise NotNowError("status 404")
                return seal(of_archive(body))
            return seal(await _files(client, source.place))
        except httpx.HTTPError as fault:
            raise NotNowError(f"not reached: {type(fault).__name__}: {fault}") from None


async def _files(client: httpx.AsyncClient, place: str) -> dict[str, bytes]:
    mark = await _fetched(client, place + MARK)
    if mark is None:
        raise NotNowError(f"there is no file {MARK} yet")
    found = {name: await _fetched(client, place + name) for name in sorted(KNOWN_FILES)}
    if await _fetched(client, place + MARK) != mark:
        raise NotNowError("it changed while it was read")
    return {name: content for name, content in found.items() if content is not None}


async def _fetched(client: httpx.AsyncClient, url: str) -> bytes | None:
    """What the address holds; None: 404."""
    async with client.stream("GET", url) as answer:
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise NotNowError(f"status {answer.status_code}")
        content = bytearray()
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > FILES_BYTES_MAX:
                raise UnusableError(f"it is larger than {FILES_BYTES_MAX} bytes")
        return bytes(content)


def _context(source: Source) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if source.ca is None else str(source.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if source.certificate is not None:
        context.load_cert_chain(source.certificate, source.key)
    return context

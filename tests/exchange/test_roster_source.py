"""What is half written is never read; what is no case folder is said to be none."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from authority import Authority
from exchange_town import deliver, town
from https_server import Platform

from corrections_monitor.exchange.parcel import UnusableError, of_archive, unpack
from corrections_monitor.exchange.source import MARK, NotNowError, Source, take_folder, take_remote


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "roster").mkdir()
    return deliver(town(), tmp_path / "roster")


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def zipped(files: dict[str, bytes], under: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(under + name, content)
    return out.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo("export/" + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def test_a_whole_folder_is_taken_as_it_stands(folder: Path, tmp_path: Path) -> None:
    parcel = take_folder(folder)
    (tmp_path / "copy").mkdir()
    unpack(parcel.content, tmp_path / "copy")
    assert files_of(tmp_path / "copy") == {n: c for n, c in files_of(folder).items() if n != MARK}
    assert take_folder(folder).digest == parcel.digest


def test_without_the_mark_nothing_is_read(folder: Path) -> None:
    (folder / MARK).unlink()
    with pytest.raises(NotNowError, match="no file complete"):
        take_folder(folder)


def test_while_a_file_is_newer_than_the_mark_nothing_is_read(folder: Path) -> None:
    later_ns = (folder / MARK).stat().st_mtime_ns + 1
    os.utime(folder / "people.csv", ns=(later_ns, later_ns))
    with pytest.raises(NotNowError, match="newer"):
        take_folder(folder)


def test_what_changes_under_the_reading_is_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_bytes = Path.read_bytes

    def meddled(path: Path) -> bytes:
        content = read_bytes(path)
        if path.name == "zones.geojson":
            path.write_bytes(content + b" ")
            os.utime(path, ns=(1, 1))
        return content

    monkeypatch.setattr(Path, "read_bytes", meddled)
    with pytest.raises(NotNowError, match="changed while"):
        take_folder(folder)


def test_a_folder_that_is_not_there_is_looked_for_again(tmp_path: Path) -> None:
    with pytest.raises(NotNowError, match="cannot be read"):
        take_folder(tmp_path / "absent")


@pytest.mark.parametrize("wrap", [zipped, tarred, lambda files: zipped(files, "名册 2026/")])
def test_an_archive_of_any_usual_kind_is_the_same(folder: Path, wrap: object) -> None:
    files = {name: content for name, content in files_of(folder).items() if name != MARK}
    assert of_archive(wrap(files)) == files  # type: ignore[operator]


def test_what_is_no_case_folder_is_said_to_be_none(folder: Path) -> None:
    files = files_of(folder)
    whole = tarred(files)
    for body in (b"", b"<html>502</html>", whole[: len(whole) // 2], zipped(files)[:-200]):
        with pytest.raises(UnusableError):
            of_archive(body)
    with pytest.raises(UnusableError, match="twice"):
        of_archive(zipped({"a/people.csv": b"1", "b/people.csv": b"2"}))


def test_an_archive_that_swells_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corrections_monitor.exchange.parcel.FILES_BYTES_MAX", 1_000_000)
    with pytest.raises(UnusableError, match="larger"):
        of_archive(zipped({"people.csv": bytes(2_000_000)}))


def test_no_path_of_an_archive_leads_out_of_it() -> None:
    assert of_archive(zipped({"../../../etc/people.csv": b"x", "/etc/passwd": b"y"})) == {"people.csv": b"x"}


async def test_an_archive_comes_over_https(folder: Path, platform: Platform) -> None:
    platform.files["/roster.zip"] = zipped(files_of(folder))
    source = Source(f"{platform.url}/roster.zip", platform.authority.file, authorization="Bearer geheim")
    assert (await take_remote(source)).digest == take_folder(folder).digest
    assert platform.asked == [("/roster.zip", "Bearer geheim")]
    assert "geheim" not in repr(source)


async def test_files_come_over_https_between_two_looks_at_the_mark(folder: Path, platform: Platform) -> None:
    platform.files |= {f"/r/{name}": content for name, content in files_of(folder).items()}
    source = Source(f"{platform.url}/r/", platform.authority.file)
    assert (await take_remote(source)).digest == take_folder(folder).digest

    def meddle(path: str) -> None:
        if path == "/r/zones.geojson":
            platform.files["/r/complete"] = b"of another export"

    platform.on_get = meddle
    with pytest.raises(NotNowError, match="changed while"):
        await take_remote(source)
    del platform.files["/r/complete"]
    with pytest.raises(NotNowError, match="no file complete"):
        await take_remote(source)


async def test_a_server_of_another_authority_is_not_listened_to(platform: Platform, tmp_path: Path) -> None:
    platform.files["/roster.zip"] = b"x"
    for ca in (None, Authority(tmp_path / "theirs").file):
        with pytest.raises(NotNowError, match="CERTIFICATE_VERIFY_FAILED"):
            await take_remote(Source(f"{platform.url}/roster.zip", ca))
    assert platform.asked == []


async def test_an_answer_that_is_no_roster_changes_nothing(platform: Platform) -> None:
    with pytest.raises(NotNowError, match="404"):
        await take_remote(Source(f"{platform.url}/roster.zip", platform.authority.file))
    platform.files["/roster.zip"] = b"<html>login</html>"
    with pytest.raises(UnusableError):
        await take_remote(Source(f"{platform.url}/roster.zip", platform.authority.file))

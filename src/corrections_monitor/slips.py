"""Slips (接入凭条) to hand out with devices: where to connect, as whom and with which password, to be read,
or scanned as a QR code by the tool that sets the device up.  Eight to a page of A4, with lines to cut along.

The code holds one URL, ``mqtts://device_id:password@host:port``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.lib.colors import HexColor, black
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from corrections_monitor.api.evidence.fonts import chinese_font
from corrections_monitor.model.cases import CaseSet, Device, DeviceKind

KINDS = {DeviceKind.BAND: "手环", DeviceKind.PHONE: "手机", DeviceKind.TRACKER: "定位器"}
_COLUMNS, _ROWS = 2, 4
_WIDTH, _HEIGHT = A4[0] / _COLUMNS, A4[1] / _ROWS
_QUIET = 4  # modules around a code (ISO/IEC 18004)
_PAD, _CODE = 6 * mm, 44 * mm
_GREY = HexColor("#777777")


class Slip(NamedTuple):
    """One device's; the person is not named, for whoever finds the slip."""

    device_id: str
    password: str
    kind: str
    office: str


def slips_of(passwords: Sequence[tuple[str, str]], cases: CaseSet, now_ms: int) -> list[Slip]:
    """By office, then device, as they are handed out: of (device_id, password)."""
    binding: dict[str, Device] = {}
    for device in cases.devices.values():
        held = binding.get(device.device_id)
        if held is None or held.span.from_ms < device.span.from_ms <= now_ms:
            binding[device.device_id] = device
    made = []
    for device_id, password in passwords:
        device = binding[device_id]
        person = cases.people.get(device.person_id)
        office = cases.offices[person.office_id].name if person is not None else ""
        made.append(Slip(device_id, password, KINDS[device.kind], office))
    return sorted(made, key=lambda slip: (slip.office, slip.device_id))


def code_text(slip: Slip, address: str) -> str:
    """What the QR code says.  ``address``: ``mqtt://host:port`` or ``mqtts://host:port``."""
    parts = urlsplit(address)
    who = f"{quote(slip.device_id, safe='')}:{quote(slip.password, safe='')}"
    return f"{parts.scheme}://{who}@{parts.netloc}"


def slips_pdf(slips: Sequence[Slip], address: str, day: str) -> bytes:
    """All slips; ``day``: as civil date, printed on each."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=1)
    canvas.setTitle("设备接入凭条")
    for slip, (x, y) in zip(slips, _places(canvas, len(slips)), strict=True):
        _draw(canvas, x, y, slip, address, day)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _places(canvas: Canvas, count: int) -> Iterator[tuple[float, float]]:
    """The lower left corner of each; turns the page after the last of it."""
    for number in range(count):
        row, column = divmod(number % (_COLUMNS * _ROWS), _COLUMNS)
        if number and (row, column) == (0, 0):
            canvas.showPage()
        yield column * _WIDTH, A4[1] - (row + 1) * _HEIGHT


def _draw(canvas: Canvas, x: float, y: float, slip: Slip, address: str, day: str) -> None:
    canvas.setStrokeColor(_GREY)
    canvas.setDash(2, 2)
    canvas.rect(x, y, _WIDTH, _HEIGHT)
    canvas.setDash()
    font, left, top = chinese_font(), x + _PAD, y + _HEIGHT - _PAD
    _line(canvas, left, top - 10, font, 12, f"设备接入凭条　{slip.kind}")
    _line(canvas, left, top - 23, font, 8, f"{slip.office}　{day}", grey=True)
    _code(canvas, x + _WIDTH - _CODE, y + _PAD, code_text(slip, address))
    facts = (("服务器", address), ("设备编号（用户名）", slip.device_id), ("口令", slip.password))
    height = top - 40
    for name, value in facts:
        _line(canvas, left, height, font, 7, name, grey=True)
        for part in _cut(value):
            height -= 11
            _line(canvas, left, height, "Courier-Bold" if part.isascii() else font, 9, part)
        height -= 13
    _line(canvas, left, y + _PAD + 9, font, 6.5, "口令仅出现一次，系统内不留存。", grey=True)
    _line(canvas, left, y + _PAD, font, 6.5, "设备配置完成后销毁本条。", grey=True)


def _cut(text: str, width: int = 26) -> list[str]:
    """In lines that stay beside the code."""
    return [text[start : start + width] for start in range(0, len(text), width)]


def _line(
    canvas: Canvas, x: float, y: float, font: str, size: float, text: str, *, grey: bool = False
) -> None:
    canvas.setFont(font, size)
    canvas.setFillColor(_GREY if grey else black)
    canvas.drawString(x, y, text)


def _code(canvas: Canvas, x: float, y: float, text: str) -> None:
    """As one path: modules that touch leave no hairlines between them."""
    code = QrCodeWidget(text, barLevel="M").qr
    code.make()
    count = code.getModuleCount()
    unit = _CODE / (count + 2 * _QUIET)
    path = canvas.beginPath()
    for row in range(count):
        for column in range(count):
            if code.isDark(row, column):
                path.rect(x + (column + _QUIET) * unit, y + (count - 1 - row + _QUIET) * unit, unit, unit)
    canvas.setFillColor(black)
    canvas.drawPath(path, stroke=0, fill=1)

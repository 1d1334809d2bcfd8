"""The pack as PDF (A4): one section after another, page numbers and the violation's number on every page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from corrections_monitor.api.evidence.content import (
    Content,
    Facts,
    Read,
    content_of,
    decisive_times,
    mark_of,
    zones_of,
)
from corrections_monitor.api.evidence.fonts import chinese_font
from corrections_monitor.api.evidence.map import MapDrawing, Point
from corrections_monitor.store.api_evidence import Evidence

_GREY, _LINE = HexColor("#555555"), HexColor("#bbbbbb")
_TIMELINE_HEAD = ("时间", "事项", "人员", "内容")
_FIXES_HEAD = ("定位时间", "到达时间", "设备", "经度", "纬度", "精度/米", "速度 m/s", "来源", "判定")
_WIDTH = A4[0] - 36 * mm - 12  # a frame keeps 6 pt on either side


def evidence_pdf(found: Evidence, read: Read, zone: ZoneInfo) -> bytes:
    """The whole document.  CPU for some tens of milliseconds: run it in a thread."""
    font = chinese_font()
    content = content_of(found, read, zone)
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        title=f"社区矫正违规证据包 {found.episode['episode_id']}",
        author="corrections-monitor",
    )
    mark = mark_of(found.episode)
    footer = f"{mark}证据包 {found.episode['episode_id']}　{dict(content.read)['制作时间']}"
    document.build(_story(content, found, font), canvasmaker=_numbered(font, footer))
    return out.getvalue()


def _story(content: Content, found: Evidence, font: str) -> list[Any]:
    text = ParagraphStyle("text", fontName=font, fontSize=9, leading=13, wordWrap="CJK")
    head = ParagraphStyle("head", parent=text, fontSize=11.5, leading=16, spaceBefore=10, spaceAfter=4)
    kept = ParagraphStyle("kept", parent=head, keepWithNext=1)
    title = ParagraphStyle("title", parent=text, fontSize=17, leading=24)
    small = ParagraphStyle("small", parent=text, fontSize=7.5, leading=10, textColor=_GREY)
    story: list[Any] = [
        Paragraph("社区矫正违规证据包", small),
        Paragraph(escape(content.title), title),
        Spacer(1, 4),
        Paragraph(
            "本包由系统按记录自动生成，供核查、训诫、警告、提请等工作使用，认定由工作人员作出。", small
        ),
    ]
    for name, facts in (
        ("一、情形", content.violation),
        ("二、对象", content.person),
        ("三、规则", content.rule),
        ("四、电子定位决定", content.order),
    ):
        story += [Paragraph(name, head), _facts(facts, text)]
    story += [Paragraph("五、地图", kept), *_map(found, font, small)]
    story += [Paragraph("六、经过", head), _table(_TIMELINE_HEAD, content.timeline, small, (30, 25, 35, 80))]
    story.append(Paragraph("七、定位点", head))
    if content.fixes:
        widths = (24, 24, 26, 21, 20, 14, 15, 13, 13)
        story.append(_table(_FIXES_HEAD, content.fixes, small, widths))
    story += [
        Paragraph(content.fixes_note, small),
        Paragraph("八、制作与校验", head),
        _facts(content.read, text),
        Spacer(1, 4),
        _facts(content.hashes, ParagraphStyle("mono", parent=small, fontName="Courier", fontSize=7.5), text),
        Paragraph(
            "散列值为各部分规范化 JSON（键排序、无空格、UTF-8）的 SHA-256。制作本包的行为及本文件的 SHA-256 "
            "记入审计日志；用 corrections-monitor audit verify 校验日志未被改动。",
            small,
        ),
    ]
    return story


def _map(found: Evidence, font: str, small: ParagraphStyle) -> list[Any]:
    if not found.fixes:
        return [Paragraph("该时段没有定位记录。", small)]
    decided = decisive_times(found.episode)
    points = [Point(f.lon, f.lat, f.acc_m, f.t_ms in decided) for f in found.fixes]
    zones = zones_of(found.cases, found.episode["person_id"], found.episode["office_id"])
    place = found.cases.zones.get(found.episode["zone_id"])
    return [MapDrawing(points, zones, place, font)]


def _facts(facts: Facts, style: ParagraphStyle, names: ParagraphStyle | None = None) -> Table:
    rows = [
        [Paragraph(escape(name), names or style), Paragraph(escape(value), style)] for name, value in facts
    ]
    table = Table(rows, colWidths=(28 * mm, _WIDTH - 28 * mm))
    table.setStyle(_lines(head=False))
    return table


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], style: ParagraphStyle, widths_mm: Sequence[float]
) -> Table:
    cells = [[Paragraph(escape(str(cell)), style) for cell in row] for row in (heads, *rows)]
    table = Table(cells, colWidths=[w * mm for w in widths_mm], repeatRows=1)
    table.setStyle(_lines(head=True))
    return table


def _lines(*, head: bool) -> TableStyle:
    return TableStyle(
        [
            ("LINEBELOW", (0, 0), (-1, -1), 0.3, _LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            *([("BACKGROUND", (0, 0), (-1, 0), HexColor("#eeeeee"))] if head else []),
        ]
    )


def _numbered(font: str, footer: str) -> type[Canvas]:
    """A canvas that writes "page n of N" once it knows N."""

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self.setFont(font, 7.5)
                self.setFillColor(_GREY)
                self.drawString(18 * mm, 11 * mm, footer)
                self.drawRightString(A4[0] - 18 * mm, 11 * mm, f"第 {number} 页，共 {len(self._pages)} 页")
                super().showPage()
            super().save()

    return Numbered

"""The map of a pack: zones, the track and what decided, drawn to scale without any tiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from reportlab.lib.colors import Color, HexColor, white
from reportlab.platypus import Flowable

from corrections_monitor.geofence.metric import scale
from corrections_monitor.model.cases import Area, Circle, Corridor, Zone, ZoneKind

HEIGHT_PT = 300.0
LEGEND_PT = 40.0  # below the map
MARGIN_M = 150.0
_EVEN_ODD = 0
_STROKES = {ZoneKind.INCLUSION: HexColor("#1b7837"), ZoneKind.EXCLUSION: HexColor("#b2182b")}
_FILLS = {
    ZoneKind.INCLUSION: Color(0.11, 0.47, 0.22, alpha=0.12),
    ZoneKind.EXCLUSION: Color(0.7, 0.09, 0.17, alpha=0.14),
}
_TRACK, _DECIDED = HexColor("#2166ac"), HexColor("#d95f02")
_SCALES_M = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Point:
    """A fix to draw: WGS-84 degrees, its accuracy in metres, whether it decided."""

    lon: float
    lat: float
    acc_m: float
    decided: bool


class MapDrawing(Flowable):  # type: ignore[misc]
    """North is up; metres are the same in both directions.  ``zone`` is the one the violation is about."""

    def __init__(self, points: Sequence[Point], zones: Iterable[Zone], zone: Zone | None, font: str) -> None:
        super().__init__()
        self._points, self._font = points, font
        self._zones = [*(z for z in zones if z != zone), *([zone] if zone else [])]
        self.width, self.height = 0.0, HEIGHT_PT
        lat = float(np.mean([p.lat for p in points]))
        metres = scale(np.array([lat]))
        self._kx, self._ky = float(metres.kx[0]), float(metres.ky[0])
        self._lon0, self._lat0 = points[0].lon, points[0].lat
        self._box = self._extent(zone)

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """As wide as the page has room."""
        self.width = width
        return width, HEIGHT_PT

    def draw(self) -> None:
        """Frame, zones, track, legend."""
        left, low, right, high = self._box
        room = HEIGHT_PT - LEGEND_PT
        self._pt = min(self.width / (right - left), room / (high - low))
        self._dx = (self.width - (right - left) * self._pt) / 2 - left * self._pt
        self._dy = LEGEND_PT + (room - (high - low) * self._pt) / 2 - low * self._pt
        canvas = self.canv
        canvas.saveState()
        frame = canvas.beginPath()
        frame.rect(0, 0, self.width, HEIGHT_PT)
        canvas.clipPath(frame, stroke=1, fill=0)
        for zone in self._zones:
            self._zone(canvas, zone)
        self._track(canvas)
        self._legend(canvas)
        canvas.restoreState()

    def _extent(self, zone: Zone | None) -> tuple[float, float, float, float]:
        """Metres: all fixes, and the violation's zone where it is not far larger than they are."""
        places = [self._metres(p.lon, p.lat) for p in self._points]
        if zone is not None:
            corners = [self._metres(*position) for position in _positions(zone)]
            wide = max(x for x, _ in corners) - min(x for x, _ in corners)
            if wide < 20_000:
                places += corners
        xs, ys = [x for x, _ in places], [y for _, y in places]
        pad = max(MARGIN_M, 0.08 * (max(xs) - min(xs)), 0.08 * (max(ys) - min(ys)))
        return min(xs) - pad, min(ys) - pad, max(xs) + pad, max(ys) + pad

    def _metres(self, lon: float, lat: float) -> Position:
        return (lon - self._lon0) * self._kx, (lat - self._lat0) * self._ky

    def _at(self, lon: float, lat: float) -> Position:
        x, y = self._metres(lon, lat)
        return x * self._pt + self._dx, y * self._pt + self._dy

    def _zone(self, canvas: Any, zone: Zone) -> None:
        canvas.setStrokeColor(_STROKES[zone.kind])
        canvas.setFillColor(_FILLS[zone.kind])
        canvas.setLineWidth(1.2)
        match zone.shape:
            case Circle(lon, lat, radius_m):
                x, y = self._at(lon, lat)
                canvas.circle(x, y, radius_m * self._pt, stroke=1, fill=1)
            case Corridor(line, width_m):
                canvas.setStrokeColor(_FILLS[zone.kind])
                canvas.setLineWidth(max(1.0, width_m * self._pt))
                canvas.drawPath(self._path(canvas, [line], close=False), stroke=1, fill=0)
            case Area(polygons):
                for polygon in polygons:
                    path = self._path(canvas, polygon, close=True)
                    canvas.drawPath(path, stroke=1, fill=1, fillMode=_EVEN_ODD)

    def _path(self, canvas: Any, lines: Iterable[Sequence[Position]], *, close: bool) -> Any:
        path = canvas.beginPath()
        for line in lines:
            path.moveTo(*self._at(*line[0]))
            for position in line[1:]:
                path.lineTo(*self._at(*position))
            if close:
                path.close()
        return path

    def _track(self, canvas: Any) -> None:
        canvas.setStrokeColor(_TRACK)
        canvas.setLineWidth(0.8)
        canvas.drawPath(
            self._path(canvas, [[(p.lon, p.lat) for p in self._points]], close=False), stroke=1, fill=0
        )
        for point in sorted(self._points, key=lambda p: p.decided):
            x, y = self._at(point.lon, point.lat)
            if point.decided:
                canvas.setStrokeColor(_DECIDED)
                canvas.circle(x, y, max(3.0, point.acc_m * self._pt), stroke=1, fill=0)
            canvas.setFillColor(_DECIDED if point.decided else _TRACK)
            canvas.circle(x, y, 2.6 if point.decided else 1.4, stroke=0, fill=1)

    def _legend(self, canvas: Any) -> None:
        length_m = max((s for s in _SCALES_M if s * self._pt <= 120), default=_SCALES_M[0])
        canvas.setFillColor(white)
        canvas.rect(0.5, 0.5, self.width - 1, LEGEND_PT - 1, stroke=0, fill=1)
        canvas.setStrokeColor(HexColor("#222222"))
        canvas.setFillColor(HexColor("#222222"))
        canvas.setLineWidth(1.5)
        canvas.line(10, 12, 10 + length_m * self._pt, 12)
        canvas.setFont(self._font, 7.5)
        named = f"{length_m} 米" if length_m < 1_000 else f"{length_m // 1_000} 公里"
        canvas.drawString(14 + length_m * self._pt, 9, f"{named}   ↑ 北")
        x = 10.0
        for colour, text in (
            (_STROKES[ZoneKind.INCLUSION], "规定区域"),
            (_STROKES[ZoneKind.EXCLUSION], "禁止区域"),
            (_TRACK, "轨迹"),
            (_DECIDED, "判定依据"),
        ):
            canvas.setFillColor(colour)
            canvas.rect(x, 24, 8, 8, stroke=0, fill=1)
            canvas.setFillColor(HexColor("#222222"))
            canvas.drawString(x + 11, 25, text)
            x += 62


def _positions(zone: Zone) -> list[Position]:
    match zone.shape:
        case Circle(lon, lat, radius_m):
            metres = scale(np.array([lat]))
            dx, dy = radius_m / float(metres.kx[0]), radius_m / float(metres.ky[0])
            return [(lon - dx, lat - dy), (lon + dx, lat + dy)]
        case Corridor(line, _):
            return list(line)
        case Area(polygons):
            return [position for polygon in polygons for position in polygon[0]]

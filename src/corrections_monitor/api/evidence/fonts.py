"""A font with Chinese characters: one of the system's, embedded as far as it is used, or else the name of
the one that PDF readers bring themselves (STSong-Light, Adobe-GB1)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

# TrueType outlines only: those of Noto CJK cannot be embedded by the library.
_FILES = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",  # Debian: fonts-wqy-microhei
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf",
)
_BUILT_IN = "STSong-Light"


@cache
def chinese_font() -> str:
    """The name under which the font is registered."""
    for file in _FILES:
        if Path(file).is_file():
            try:
                pdfmetrics.registerFont(TTFont("chinese", file))
            except TTFError:
                continue
            return "chinese"
    pdfmetrics.registerFont(UnicodeCIDFont(_BUILT_IN))
    return _BUILT_IN

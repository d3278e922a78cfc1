"""Splits text into grapheme clusters (what a reader takes for one character), by Unicode's UAX #29.

Terraform counts and cuts strings in these. The rules are those of Unicode 15 without the Indic conjuncts of 15.1, as in
go-textseg; the properties come from Python's `unicodedata` and, where that has none, from the lists below.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_OTHER, _CR, _LF, _CONTROL, _EXTEND, _ZWJ, _REGIONAL, _PREPEND, _SPACING, _L, _V, _T, _LV, _LVT, _PICTOGRAPH = range(15)


def clusters(text: str) -> list[str]:
    """The grapheme clusters of a text, in order; joined they are the text."""
    if text.isascii() and "\r" not in text:
        return list(text)
    found: list[str] = []
    start = 0
    before = -1
    flags = 0  # an odd number of regional indicators stands before
    emoji = False  # an emoji stands before, with nothing but extensions behind it
    joined = False  # … and a joiner behind those
    for i, char in enumerate(text):
        kind = _property(char)
        if i and _breaks(before, kind, flags, joined):
            found.append(text[start:i])
            start = i
            flags = 0
            emoji = False
        joined = emoji and kind == _ZWJ
        if kind == _PICTOGRAPH:
            emoji = True
        elif kind not in (_EXTEND, _ZWJ):
            emoji = False
        flags = 1 - flags if kind == _REGIONAL else 0
        before = kind
    if text:
        found.append(text[start:])
    return found


def _breaks(before: int, kind: int, flags: int, joined: bool) -> bool:
    if before == _CR and kind == _LF:
        return False
    if before in (_CR, _LF, _CONTROL) or kind in (_CR, _LF, _CONTROL):
        return True
    if before == _L and kind in (_L, _V, _LV, _LVT):
        return False
    if before in (_LV, _V) and kind in (_V, _T):
        return False
    if before in (_LVT, _T) and kind == _T:
        return False
    if kind in (_EXTEND, _ZWJ, _SPACING) or before == _PREPEND:
        return False
    if kind == _PICTOGRAPH and joined:
        return False
    return not (before == _REGIONAL and kind == _REGIONAL and flags)


@lru_cache(maxsize=4096)
def _property(char: str) -> int:
    code = ord(char)
    if code == 0x0D:
        return _CR
    if code == 0x0A:
        return _LF
    if code == 0x200D:
        return _ZWJ
    if 0x1100 <= code <= 0xD7FB:
        hangul = _hangul(code)
        if hangul != _OTHER:
            return hangul
    if 0x1F1E6 <= code <= 0x1F1FF:
        return _REGIONAL
    if code in _EXTENDS or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:
        return _EXTEND
    if code in _PREPENDS:
        return _PREPEND
    category = unicodedata.category(char)
    if category in ("Mn", "Me"):
        return _EXTEND
    if category in ("Cc", "Cf", "Zl", "Zp"):
        return _CONTROL
    if category == "Mc":
        return _OTHER if code in _NOT_SPACING else _SPACING
    if code in (0x0E33, 0x0EB3):
        return _SPACING
    if category == "Cn" and (0xE0000 <= code <= 0xE0FFF or 0xFFF0 <= code <= 0xFFF8 or code == 0x2065):
        return _CONTROL
    return _PICTOGRAPH if _pictograph(code) else _OTHER


def _hangul(code: int) -> int:
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return _L
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return _V
    if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB:
        return _T
    if 0xAC00 <= code <= 0xD7A3:
        return _LV if (code - 0xAC00) % 28 == 0 else _LVT
    return _OTHER


def _pictograph(code: int) -> bool:
    if code < 0xA9:
        return False
    low, high = 0, len(_PICTOGRAPHS)
    while low < high:
        middle = (low + high) // 2
        if _PICTOGRAPHS[middle][1] < code:
            low = middle + 1
        else:
            high = middle
    return low < len(_PICTOGRAPHS) and _PICTOGRAPHS[low][0] <= code


# Other_Grapheme_Extend and the like: letters of no mark category (or spacing marks) that extend a cluster.
_EXTENDS = frozenset(
    [
        0x09BE, 0x09D7, 0x0B3E, 0x0B57, 0x0BBE, 0x0BD7, 0x0CC2, 0x0CD5, 0x0CD6, 0x0D3E, 0x0D57, 0x0DCF, 0x0DDF,
        0x1B35, 0x200C, 0x302E, 0x302F, 0xFF9E, 0xFF9F, 0x1133E, 0x11357, 0x114B0, 0x114BD, 0x115AF, 0x11930,
        0x1D165, *range(0x1D16E, 0x1D173),
    ]
)  # fmt: skip

_PREPENDS = frozenset(
    [
        *range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x0D4E, 0x110BD, 0x110CD, 0x111C2, 0x111C3,
        0x1193F, 0x11941, 0x11A3A, *range(0x11A84, 0x11A8A), 0x11D46, 0x11F02,
    ]
)  # fmt: skip

# Spacing marks (category Mc) that do not join a cluster.
_NOT_SPACING = frozenset(
    [
        0x102B, 0x102C, 0x1038, *range(0x1062, 0x1065), *range(0x1067, 0x106E), 0x1083, *range(0x1087, 0x108D),
        0x108F, *range(0x109A, 0x109D), 0x1A61, 0x1A63, 0x1A64, 0xAA7B, 0xAA7D, 0x11720, 0x11721,
    ]
)  # fmt: skip

# Extended_Pictographic (emoji-data.txt), as inclusive ranges.
_PICTOGRAPHS = (
    (0xA9, 0xA9), (0xAE, 0xAE), (0x203C, 0x203C), (0x2049, 0x2049), (0x2122, 0x2122), (0x2139, 0x2139),
    (0x2194, 0x2199), (0x21A9, 0x21AA), (0x231A, 0x231B), (0x2328, 0x2328), (0x2388, 0x2388), (0x23CF, 0x23CF),
    (0x23E9, 0x23F3), (0x23F8, 0x23FA), (0x24C2, 0x24C2), (0x25AA, 0x25AB), (0x25B6, 0x25B6), (0x25C0, 0x25C0),
    (0x25FB, 0x25FE), (0x2600, 0x2605), (0x2607, 0x2612), (0x2614, 0x2685), (0x2690, 0x2705), (0x2708, 0x2712),
    (0x2714, 0x2714), (0x2716, 0x2716), (0x271D, 0x271D), (0x2721, 0x2721), (0x2728, 0x2728), (0x2733, 0x2734),
    (0x2744, 0x2744), (0x2747, 0x2747), (0x274C, 0x274C), (0x274E, 0x274E), (0x2753, 0x2755), (0x2757, 0x2757),
    (0x2763, 0x2767), (0x2795, 0x2797), (0x27A1, 0x27A1), (0x27B0, 0x27B0), (0x27BF, 0x27BF), (0x2934, 0x2935),
    (0x2B05, 0x2B07), (0x2B1B, 0x2B1C), (0x2B50, 0x2B50), (0x2B55, 0x2B55), (0x3030, 0x3030), (0x303D, 0x303D),
    (0x3297, 0x3297), (0x3299, 0x3299), (0x1F000, 0x1F0FF), (0x1F10D, 0x1F10F), (0x1F12F, 0x1F12F),
    (0x1F16C, 0x1F171), (0x1F17E, 0x1F17F), (0x1F18E, 0x1F18E), (0x1F191, 0x1F19A), (0x1F1AD, 0x1F1E5),
    (0x1F201, 0x1F20F), (0x1F21A, 0x1F21A), (0x1F22F, 0x1F22F), (0x1F232, 0x1F23A), (0x1F23C, 0x1F23F),
    (0x1F249, 0x1F3FA), (0x1F400, 0x1F53D), (0x1F546, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F774, 0x1F77F),
    (0x1F7D5, 0x1F7FF), (0x1F80C, 0x1F80F), (0x1F848, 0x1F84F), (0x1F85A, 0x1F85F), (0x1F888, 0x1F88F),
    (0x1F8AE, 0x1F8FF), (0x1F90C, 0x1F93A), (0x1F93C, 0x1F945), (0x1F947, 0x1FAFF), (0x1FC00, 0x1FFFD),
)  # fmt: skip

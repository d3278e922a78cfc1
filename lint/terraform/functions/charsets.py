"""The character sets that textencodebase64 knows, by the names of IANA's registry, and text in them."""

from __future__ import annotations

import codecs

_SETS: dict[str, str] = {
    "ascii": "US-ASCII iso-ir-6 ANSI_X3.4-1968 ANSI_X3.4-1986 ISO_646.irv:1991 ISO646-US us IBM367 cp367 csASCII",
    "iso-8859-1": "ISO_8859-1:1987 iso-ir-100 ISO_8859-1 ISO-8859-1 latin1 l1 IBM819 CP819 csISOLatin1",
    "iso-8859-2": "ISO_8859-2:1987 iso-ir-101 ISO_8859-2 ISO-8859-2 latin2 l2 csISOLatin2",
    "iso-8859-3": "ISO_8859-3:1988 iso-ir-109 ISO_8859-3 ISO-8859-3 latin3 l3 csISOLatin3",
    "iso-8859-4": "ISO_8859-4:1988 iso-ir-110 ISO_8859-4 ISO-8859-4 latin4 l4 csISOLatin4",
    "iso-8859-5": "ISO_8859-5:1988 iso-ir-144 ISO_8859-5 ISO-8859-5 cyrillic csISOLatinCyrillic",
    "iso-8859-6": "ISO_8859-6:1987 iso-ir-127 ISO_8859-6 ISO-8859-6 ECMA-114 ASMO-708 arabic csISOLatinArabic"
    " ISO_8859-6-E ISO-8859-6-E csISO88596E ISO_8859-6-I ISO-8859-6-I csISO88596I",
    "iso-8859-7": "ISO_8859-7:1987 iso-ir-126 ISO_8859-7 ISO-8859-7 ELOT_928 ECMA-118 greek greek8 csISOLatinGreek",
    "iso-8859-8": "ISO_8859-8:1988 iso-ir-138 ISO_8859-8 ISO-8859-8 hebrew csISOLatinHebrew"
    " ISO_8859-8-E ISO-8859-8-E csISO88598E ISO_8859-8-I ISO-8859-8-I csISO88598I",
    "iso-8859-9": "ISO_8859-9:1989 iso-ir-148 ISO_8859-9 ISO-8859-9 latin5 l5 csISOLatin5",
    "iso-8859-10": "ISO-8859-10 iso-ir-157 l6 ISO_8859-10:1992 csISOLatin6 latin6",
    "iso-8859-13": "ISO-8859-13 csISO885913",
    "iso-8859-14": "ISO-8859-14 iso-ir-199 ISO_8859-14:1998 ISO_8859-14 latin8 iso-celtic l8 csISO885914",
    "iso-8859-15": "ISO-8859-15 ISO_8859-15 Latin-9 csISO885915",
    "iso-8859-16": "ISO-8859-16 iso-ir-226 ISO_8859-16:2001 ISO_8859-16 latin10 l10 csISO885916",
    "koi8-r": "KOI8-R csKOI8R",
    "koi8-u": "KOI8-U csKOI8U",
    "cp037": "IBM037 cp037 ebcdic-cp-us ebcdic-cp-ca ebcdic-cp-wt ebcdic-cp-nl csIBM037",
    "cp1047": "IBM1047 IBM-1047 csIBM1047",
    "cp437": "IBM437 cp437 437 csPC8CodePage437",
    "cp850": "IBM850 cp850 850 csPC850Multilingual",
    "cp852": "IBM852 cp852 852 csPCp852",
    "cp855": "IBM855 cp855 855 csIBM855",
    "cp858": "IBM00858 CCSID00858 CP00858 PC-Multilingual-850+euro csIBM00858",
    "cp860": "IBM860 cp860 860 csIBM860",
    "cp862": "IBM862 cp862 862 csPC862LatinHebrew",
    "cp863": "IBM863 cp863 863 csIBM863",
    "cp865": "IBM865 cp865 865 csIBM865",
    "cp866": "IBM866 cp866 866 csIBM866",
    "cp1140": "IBM01140 CCSID01140 CP01140 ebcdic-us-37+euro csIBM01140",
    "cp874": "windows-874 cswindows874",
    "cp1250": "windows-1250 cswindows1250",
    "cp1251": "windows-1251 cswindows1251",
    "cp1252": "windows-1252 cswindows1252",
    "cp1253": "windows-1253 cswindows1253",
    "cp1254": "windows-1254 cswindows1254",
    "cp1255": "windows-1255 cswindows1255",
    "cp1256": "windows-1256 cswindows1256",
    "cp1257": "windows-1257 cswindows1257",
    "cp1258": "windows-1258 cswindows1258",
    "mac-roman": "macintosh mac csMacintosh",
    "gbk": "GBK CP936 MS936 windows-936 csGBK",
    "gb18030": "GB18030 csGB18030",
    "hz": "HZ-GB-2312",
    "euc-jp": "EUC-JP Extended_UNIX_Code_Packed_Format_for_Japanese csEUCPkdFmtJapanese",
    "cp932": "Shift_JIS MS_Kanji csShiftJIS",
    "iso-2022-jp": "ISO-2022-JP csISO2022JP",
    "big5": "Big5 csBig5",
    "cp949": "EUC-KR csEUCKR",
    "utf-8": "UTF-8 csUTF8",
    "utf-16": "UTF-16 csUTF16",
    "utf-16-be": "UTF-16BE csUTF16BE",
    "utf-16-le": "UTF-16LE csUTF16LE",
}

_BY_NAME = {name.lower(): codec for codec, names in _SETS.items() for name in names.split()}


# Python has no codec for IBM1047, which is IBM037 with three pairs of characters exchanged.
_IBM1047 = str.maketrans("^¬[Ý]¨", "¬^Ý[¨]")


def charset(name: str) -> str | None:
    """What `encode` and `decode` call a character set, or None where Terraform has none of that name (in any case)."""
    return _BY_NAME.get(name.lower())


def encode(text: str, codec: str) -> bytes:
    """The text in a character set. Raises UnicodeError."""
    if codec == "cp1047":
        return text.translate(_IBM1047).encode("cp037")
    if codec == "utf-16":
        # UTF-16 without an order in its name is written big end first, behind a byte order mark.
        return codecs.BOM_UTF16_BE + text.encode("utf-16-be")
    return text.encode(codec)


def decode(data: bytes, codec: str) -> str:
    """The text of bytes in a character set. Raises UnicodeError."""
    if codec == "cp1047":
        return data.decode("cp037").translate(_IBM1047)
    if codec == "utf-16" and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16-be")
    return data.decode(codec)

r"""Measures as people write them: `2 hours 30 minutes`, `5 ft 6 in`, `60 km/h` without `\text`, `12 米`, `12 шт`."""

import re
from fractions import Fraction
from itertools import pairwise

from rewards.math.reading.layout import without_text
from rewards.math.reading.notation import words_of
from rewards.math.reading.unit import parse_unit

# ruff: noqa: RUF001 - other scripts are what this table is about
_FOREIGN = {
    "millimeter": "毫米 ミリメートル 밀리미터 мм",
    "centimeter": "厘米 公分 センチメートル センチ 센티미터 см",
    "decimeter": "分米 дм",
    "meter": "米 公尺 メートル 미터 м метр метра метров",
    "kilometer": "千米 公里 キロメートル 킬로미터 км",
    "gram": "克 グラム 그램 г грамм граммов",
    "kilogram": "千克 公斤 キログラム 킬로그램 кг",
    "ton": "吨 トン 톤 т",
    "liter": "升 リットル 리터 л литр литра литров",
    "milliliter": "毫升 ミリリットル 밀리리터 мл",
    "second": "秒 秒钟 초 с сек секунд секунды",
    "minute": "分钟 分 分間 분 мин минут минуты",
    "hour": "小时 小時 时 時間 시간 ч час часа часов",
    "day": "天 日 日間 일 день дня дней",
    "week": "周 星期 週間 주 недель недели",
    "month": "个月 個月 ヶ月 か月 개월 месяцев месяца",
    "year": "年 岁 歳 年間 년 살 세 год года лет",
    "yuan": "元 块",
    "yen": "円",
    "won": "원",
    "rubles": "руб рублей рубля рубль",
    "degree": "度 도 градусов градуса градус",
    "meter^2": "平方米 平方メートル 제곱미터 м²",
    "centimeter^2": "平方厘米 平方センチメートル 제곱센티미터 см²",
    "kilometer^2": "平方千米 平方公里 平方キロメートル",
    "meter^3": "立方米 立方メートル 세제곱미터",
    "centimeter^3": "立方厘米 立方センチメートル",
    "%": "パーセント 퍼센트 процентов процента",
}
_FOREIGN_UNITS = {name: unit for unit, names in _FOREIGN.items() for name in words_of(names)}
_SCALES = {"万": 4, "萬": 4, "만": 4, "亿": 8, "億": 8, "억": 8, "千": 3, "百": 2, "млн": 6, "тыс": 3, "млрд": 9}
_SCALED = re.compile(rf"(?<![\d.])(\d+(?:\.\d+)?)\s*({'|'.join(_SCALES)})\.?(?![^\W\d_a-zA-Z]*[万萬만亿億억千百])")
# Words that only count: of pieces, people, sheets, times.
_COUNTERS = frozenset(
    words_of(
        "раз раза способа способов человек человека шт штук штуки яблок яблока つ 个 人 件 位 個 個数 倍 冊 匹 "
        "双 只 台 号 名 回 块 头 套 对 层 张 支 本 朵 条 杯 枚 棵 次 步 点 种 组 羽 辆 "
        "通 通り 间 页 颗 가지 개 권 대 마리 명 번 장 "
    )
)
_RUN = re.compile(
    r"(?<=[\d}\])%!])\s*(?:\\text\s*\{\s*)?([^\W\d_a-zA-Z](?:[^\W\d_a-zA-Z]|²|\s(?=[а-я])){0,12})\s*\}?\s*[。.]?\s*$"
)
# A blank that can be read in two places takes time that doubles with each word: blanks are never given back.
_PIECE = r"(\d+(?:\.\d+)?)\s*+(?:~|\\[,; ])*+\s*+([A-Za-z]+)\.?"
_COMPOUND = re.compile(rf"{_PIECE}(?:\s*+,?\s*+(?:and\b)?\s*+{_PIECE})+")
_ONE_PIECE = re.compile(_PIECE)
_FEET = re.compile(r"(\d+)\s*(?:'|\^\s*\{?\\prime\}?)\s*(\d+(?:\.\d+)?)\s*(?:''|\"|\^\s*\{?\\prime\\prime\}?)")
_PART_OF_UNIT = r"\{\s*(?:\\text\s*\{)?\s*([A-Za-z ]{1,20}(?:\^\d)?)\s*\}?(?:\s*\^\s*\{?(\d)\}?)?\s*\}"
_TEX_RATIO = re.compile(rf"(?<=[\d}}])\s*\\frac\s*{_PART_OF_UNIT}\s*{_PART_OF_UNIT}\s*$")
_WORD_OF_UNIT = r"(?<![A-Za-z\\])[A-Za-z]{1,12}(?:\s*\^\s*(?:-?\d|\{\s*-?\d\s*\}))?"
_TAIL = re.compile(
    r"(?<=[\d}).])(?P<blank>\s*)(?P<unit>"
    rf"{_WORD_OF_UNIT}(?:\s*(?:(?:/|\\cdot|\*)\s*)?(?:\(\s*)?{_WORD_OF_UNIT}){{0,7}}\s*\)?)$"
)
_NAMED = re.compile(r"^\s*[A-Za-z]\s*=")
# One letter is a variable more often than a unit; these are units behind a blank.
_ONE_LETTER = frozenset(words_of("m g s h L l N J W V A K C"))


def with_known_units(text: str) -> str:
    r"""`12 米` and `12个` with `\text{meter}`, `\text{unit}`; what is no unit or counter of the table stays."""
    if text.isascii():
        return text
    marked = _with_marked_counter(text)
    if marked != text:
        return marked
    scaled = _SCALED.sub(lambda match: f"{match.group(1)}\\cdot 10^{{{_SCALES[match.group(2)]}}}", text)
    return _with_marked_counter(scaled)


def _with_marked_counter(text: str) -> str:
    found = _RUN.search(text)
    if found is None:
        return text
    word = found.group(1).strip()
    unit = _FOREIGN_UNITS.get(word) or ("unit" if word in _COUNTERS else None)
    return text if unit is None else f"{text[: found.start()].rstrip()}\\text{{ {unit}}}"


def with_one_unit(text: str) -> str:
    r"""`2 hours 30 minutes` as `150\text{ minutes}`; units of one dimension, each smaller than the one before."""
    if "\\frac" in text:
        text = _TEX_RATIO.sub(_as_slashed, text)
    if not text[:1].isdigit():
        return text
    plain = " ".join(without_text(text).split())
    feet = _FEET.fullmatch(plain)
    if feet is not None:
        plain = f"{feet.group(1)} ft {feet.group(2)} in"
    if _COMPOUND.fullmatch(plain) is None:
        return text
    pieces = [(Fraction(number), name, parse_unit(name)) for number, name in _ONE_PIECE.findall(plain)]
    units = [unit for _, _, unit in pieces if unit is not None]
    if len(units) != len(pieces) or any(unit.dimension != units[0].dimension for unit in units):
        return text
    if not any(units[0].dimension) or any(a.factor <= b.factor for a, b in pairwise(units)):
        return text
    total = sum((number * unit.factor for (number, _, _), unit in zip(pieces, units, strict=True)), Fraction(0))
    amount = total / units[-1].factor
    shown = (
        str(amount.numerator) if amount.denominator == 1 else f"\\frac{{{amount.numerator}}}{{{amount.denominator}}}"
    )
    return f"{shown}\\text{{ {pieces[-1][1]}}}"


def _as_slashed(match: re.Match[str]) -> str:
    above, power, below, other = match.groups(default="")
    unit = f"{above}{'^' * bool(power)}{power}/{below}{'^' * bool(other)}{other}"
    return match.group() if parse_unit(unit) is None else f"\\text{{ {unit}}}"


def with_marked_unit(text: str, *, is_measure: bool) -> str | None:
    r"""`36 m^2` as `36\text{ m^2}`, a number with a unit from the table behind it; None where there is none.

    Args:
        text: A normalised answer.
        is_measure: Whether the other answer has a unit, so that a single letter without a blank is one too.
    """
    found = _TAIL.search(text)
    if found is None or "\\text" in text or not any(char.isdigit() for char in text[: found.start()]):
        return None
    unit = re.sub(r"\\cdot", "*", found.group("unit"))
    letters = re.findall(r"[A-Za-z]+", unit)
    amount = _NAMED.sub("", text[: found.start()])
    if re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", amount)):
        return None
    if all(len(name) == 1 for name in letters) and "/" not in unit:
        if len(letters) > 1 or letters[0] not in _ONE_LETTER:
            return None
        if not (found.group("blank") or is_measure or re.search(r"\^\s*\{?\s*[23]", unit)):
            return None
    if parse_unit(re.sub(r"[{}]", "", unit)) is None:
        return None
    return f"{text[: found.start()]}\\text{{ {re.sub(r'[{}]', '', unit)}}}"

"""The table of units: exact factors to SI base units, and every name a unit goes by.

Factors are exact rationals (times a power of π for angles) from the SI brochure, 9th edition, and
NIST Special Publication 811, appendix B. A currency is a base dimension of its own.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import NamedTuple

Dimensions = tuple[tuple[str, Fraction], ...]


class Unit(NamedTuple):
    """A unit as a multiple of base units.

    Attributes:
        factor: How many base units one of this unit is, without its power of π.
        dims: Sorted (base, exponent) pairs without zero exponents.
        pi: The power of π in the factor.
        offset: Base value of this unit's zero, for temperatures.
    """

    factor: Fraction
    dims: Dimensions = ()
    pi: int = 0
    offset: Fraction = Fraction(0)

    def times(self, other: Unit) -> Unit:
        """Multiply two units; the zero points of temperatures are dropped."""
        if self is PLAIN:
            return other
        if other is PLAIN:
            return self
        powers = dict(self.dims)
        for base, exponent in other.dims:
            powers[base] = powers.get(base, Fraction(0)) + exponent
        dims = tuple(sorted((b, x) for b, x in powers.items() if x))
        return Unit(self.factor * other.factor, dims, self.pi + other.pi)

    def power(self, exponent: int) -> Unit:
        """Raise a unit to a whole power (at most 12 in size, which the reader sees to)."""
        if exponent == 1:
            return self
        dims = tuple((b, x * exponent) for b, x in self.dims) if exponent else ()
        return Unit(self.factor**exponent, dims, self.pi * exponent)


PLAIN = Unit(Fraction(1))

# symbol | factor | base units | names. A leading "+" marks symbols that take SI prefixes, a
# leading "+" among the names marks names that take prefix words (kilo…). "^" marks the power of π.
_TABLE = """
+m|1|m|+meter +metre 米
+g|1/1000|kg|+gram +gramme 克
t|1000|kg|tonne 'metric ton' 吨
+s|1|s|+second sec secs 秒 秒钟
min|60|s|minute mins 分钟
h|3600|s|hour hr hrs 小时 时
d|86400|s|day 天 日 昼夜
wk|604800|s|week 周 星期
yr|31557600|s|year yrs 年
mo|2629800|s|month 个月
decade|315576000|s|
century|3155760000|s|centuries
fortnight|1209600|s|
+A|1|A|+ampere +amp 安培
+K|1|K|+kelvin
+mol|1|mol|+mole
+cd|1|cd|+candela
+rad|1|rad|+radian 弧度
sr|1|rad2|steradian
°|1/180^1|rad|degree deg degs 度
arcmin|1/10800^1|rad|arcminute
arcsec|1/648000^1|rad|arcsecond
rev|2^1|rad|revolution turn
grad|1/200^1|rad|gradian
rpm|1/30^1|rad s-1|
+Hz|1|s-1|+hertz 赫兹
+N|1|kg m s-2|+newton 牛顿 牛
+Pa|1|kg m-1 s-2|+pascal 帕 帕斯卡
+J|1|kg m2 s-2|+joule 焦耳 焦
+Nm|1|kg m2 s-2|
+W|1|kg m2 s-3|+watt 瓦 瓦特
+Wh|3600|kg m2 s-2|+watthour +watt-hour
+C|1|A s|+coulomb 库仑
+V|1|kg m2 s-3 A-1|+volt 伏 伏特
+F|1|kg-1 m-2 s4 A2|+farad
+Ω|1|kg m2 s-3 A-2|+ohm 欧姆
+S|1|kg-1 m-2 s3 A2|+siemens
+Wb|1|kg m2 s-2 A-1|+weber
+T|1|kg s-2 A-1|+tesla
+H|1|kg m2 s-2 A-2|+henry henries
+lm|1|cd|+lumen
+lx|1|cd m-2|+lux
+Bq|1|s-1|+becquerel
+Gy|1|m2 s-2|+gray
+Sv|1|m2 s-2|+sievert
+M|1000|mol m-3|+molar
+L|1/1000|m3|+liter +litre 升
+l|1/1000|m3|
cc|1/1000000|m3|
+eV|1602176634/10000000000000000000000000000|kg m2 s-2|+electronvolt 'electron volt'
+cal|4184/1000|kg m2 s-2|+calorie
Cal|4184|kg m2 s-2|
BTU|105505585262/100000000|kg m2 s-2|Btu
+bar|100000|kg m-1 s-2|
atm|101325|kg m-1 s-2|atmosphere
Torr|101325/760|kg m-1 s-2|torr
ftlb|13558179483314004/10000000000000000|kg m2 s-2|ft-lb ft-lbf foot-pound lb-ft
lbf|44482216152605/10000000000000|kg m s-2|
kgf|980665/100000|kg m s-2|
mmHg|101325/760|kg m-1 s-2|
psi|689475729316836/100000000000|kg m-1 s-2|
hp|7456998715822702/10000000000000|kg m2 s-3|horsepower
dyn|1/100000|kg m s-2|dyne
erg|1/10000000|kg m2 s-2|
G|1/10000|kg s-2 A-1|gauss
+Da|166053906892/100000000000000000000000000000000000000|kg|dalton amu u
Å|1/10000000000|m|angstrom ångström
micron|1/1000000|m|
in|254/10000|m|inch inches "
ft|3048/10000|m|foot feet
yd|9144/10000|m|yard
mi|1609344/1000|m|mile 英里
nmi|1852|m|'nautical mile'
ly|9460730472580800|m|lightyear light-year 'light year'
au|149597870700|m|AU 'astronomical unit'
+pc|30856775814913673|m|+parsec
furlong|201168/1000|m|
fathom|18288/10000|m|
里|500|m|
ha|10000|m2|hectare 公顷
亩|2000/3|m2|
acre|40468564224/10000000|m2|
sqft|9290304/100000000|m2|
cuft|28316846592/1000000000000|m3|
gal|3785411784/1000000000000|m3|gallon
qt|946352946/1000000000000|m3|quart
pt|473176473/1000000000000|m3|pint
cup|2365882365/10000000000000|m3|
floz|295735295625/10000000000000000|m3|'fluid ounce'
tbsp|1478676478125/100000000000000000|m3|tablespoon
tsp|492892159375/100000000000000000|m3|teaspoon
lb|45359237/100000000|kg|lbs pound 磅
oz|28349523125/1000000000000|kg|ounce
stone|635029318/100000000|kg|
ton|90718474/100000|kg|'short ton'
公斤|1|kg|
斤|1/2|kg|
公里|1000|m|
mph|44704/100000|m s-1|
kph|5/18|m s-1|kmph kmh
fps|3048/10000|m s-1|
mpg|1609344000000000/3785411784|m-2|
mps|1|m s-1|
kn|1852/3600|m s-1|knot
+B|8|bit|+byte
KiB|8192|bit|kibibyte
MiB|8388608|bit|mebibyte
GiB|8589934592|bit|gibibyte
TiB|8796093022208|bit|tebibyte
+bit|1|bit|
+bps|1|bit s-1|
%|1/100||percent percentage 'percentage points' 'per cent' pct
‰|1/1000||permille
ppm|1/1000000||'parts per million'
ppb|1/1000000000||'parts per billion'
bp|1/10000||'basis point'
dozen|12||dozens 打
hundred|100||hundreds 百
thousand|1000||thousands 千
万|10000||
lakh|100000||lakhs
million|1000000||millions
crore|10000000||crores
亿|100000000||
billion|1000000000||billions
trillion|1000000000000||trillions
quadrillion|1000000000000000||quadrillions
halves|1/2||
thirds|1/3||
fourths|1/4||
fifths|1/5||
sixths|1/6||
sevenths|1/7||
eighths|1/8||
ninths|1/9||
tenths|1/10||
elevenths|1/11||
twelfths|1/12||
sixteenths|1/16||
twentieths|1/20||
hundredths|1/100||
thousandths|1/1000||
millionths|1/1000000||
USD|1|USD|$ dollar 美元 美金 buck US$
¢|1/100|USD|cent penny pennies nickels-worth
quarter|1/4|USD|
dime|1/10|USD|
nickel|1/20|USD|
EUR|1|EUR|€ euro 欧元
eurocent|1/100|EUR|
GBP|1|GBP|£ 'pound sterling' 'pounds sterling' quid 英镑
pence|1/100|GBP|
JPY|1|JPY|yen 日元 円
CNY|1|CNY|¥ yuan RMB rmb 元 人民币 块 圆 renminbi
角|1/10|CNY|
分|1/100|CNY|
INR|1|INR|₹ rupee Rs Rs.
paise|1/100|INR|
KRW|1|KRW|₩ won
RUB|1|RUB|₽ ruble rouble
CHF|1|CHF|franc
CAD|1|CAD|C$
AUD|1|AUD|A$
peso|1|MXN|
BTC|1|BTC|bitcoin
"""

_SYMBOL_PREFIXES = {
    "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
    "d": -1, "c": -2, "m": -3, "μ": -6, "µ": -6, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18,
}  # fmt: skip
_WORD_PREFIXES = {
    "tera": 12, "giga": 9, "mega": 6, "kilo": 3, "hecto": 2, "deca": 1, "deka": 1, "deci": -1,
    "centi": -2, "milli": -3, "micro": -6, "nano": -9, "pico": -12, "femto": -15,
    "千": 3, "分": -1, "厘": -2, "毫": -3, "微": -6, "纳": -9,
}  # fmt: skip
# Prefixed symbols that read as something else.
_NOT_PREFIXED = frozenset({"ad", "cd", "min", "Pa", "das", "pt", "ft", "fT", "mas", "am", "as"})
_TEMPERATURES = (
    (Unit(Fraction(1), (("K", Fraction(1)),), 0, Fraction(27315, 100)),
     "°C celsius centigrade degC ℃ 摄氏度 degcelsius degreecelsius"),
    (Unit(Fraction(5, 9), (("K", Fraction(1)),), 0, Fraction(45967, 180)),
     "°F fahrenheit degF ℉ 华氏度 degfahrenheit degreefahrenheit"),
    (Unit(Fraction(1), (("K", Fraction(1)),)), "°K"),
)  # fmt: skip


def _read_dims(text: str) -> Dimensions:
    powers: dict[str, Fraction] = {}
    for part in text.split():
        name = part.rstrip("-0123456789")
        powers[name] = Fraction(part[len(name) :] or 1)
    return tuple(sorted(powers.items()))


def _split_names(text: str) -> list[str]:
    names: list[str] = []
    for index, piece in enumerate(text.split("'")):
        names += [piece] if index % 2 else piece.split()
    return names


def _scale(unit: Unit, exponent: int) -> Unit:
    return unit._replace(factor=unit.factor * Fraction(10) ** exponent)


@functools.cache
def load_units() -> dict[str, Unit]:
    """Build the table of all names, prefixed ones included, when a unit is first met."""
    table: dict[str, Unit] = {}
    prefixed: dict[str, Unit] = {}
    for line in _TABLE.strip().splitlines():
        head, factor, bases, names = line.split("|")
        number, _, pi = factor.partition("^")
        unit = Unit(Fraction(number), _read_dims(bases), int(pi or 0))
        symbol = head.lstrip("+")
        table[symbol] = unit
        if head != symbol:
            for prefix, exponent in _SYMBOL_PREFIXES.items():
                prefixed[prefix + symbol] = _scale(unit, exponent)
        for name in _split_names(names):
            table[name.lstrip("+")] = unit
            if name.startswith("+") or "一" <= name[0] <= "鿿":
                for prefix, exponent in _WORD_PREFIXES.items():
                    if ("一" <= prefix <= "鿿") == ("一" <= name[0] <= "鿿"):
                        prefixed[prefix + name.lstrip("+")] = _scale(unit, exponent)
    for unit, names in _TEMPERATURES:
        table.update(dict.fromkeys(names.split(), unit))
    for name, unit in prefixed.items():
        if name not in _NOT_PREFIXED:
            table.setdefault(name, unit)
    return table

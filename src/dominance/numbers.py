"""How figures are written: in tables, on pages and in sentences, the same everywhere.

An interval is a 95% interval and stands in parentheses. What was not measured is ``–``.
"""

from collections.abc import Callable

from dominance.records import Interval, Rate

UNKNOWN = "–"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "image"), plural(12, "image")
    ('1 image', '12 images')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def roughly(count: float, noun: str) -> str:
    """A large count that is an estimate, with its noun: three digits of it.

    >>> roughly(1, "image"), roughly(84_012, "image"), roughly(9_612_345, "judge call")
    ('1 image', '84,000 images', '9.61 million judge calls')
    """
    if count >= 10**6:
        return f"{count / 10**6:.3g} million {noun}s"
    digits = max(0, len(str(round(count))) - 3)
    return f"{round(count, -digits):,.0f} {noun}{'' if round(count) == 1 else 's'}"


def duration(minutes: float) -> str:
    """Minutes that are an estimate, as hours or days where they are many.

    >>> duration(0.2), duration(1.1), duration(17.3), duration(150), duration(2700), duration(9000)
    ('1 minute', '1 minute', '17 minutes', '2.5 hours', '45 hours', '6.2 days')
    """
    if minutes < 90:
        return plural(max(1, round(minutes)), "minute")
    hours = minutes / 60
    if hours < 72:
        return f"{hours:.1f} hours" if hours < 9.95 else f"{hours:.0f} hours"
    return f"{hours / 24:.1f} days"


def counted(found: Rate) -> str:
    """A count out of its total, in a sentence.

    >>> counted(Rate(7, 10, (0.397, 0.892)))
    '7 of 10'
    """
    return f"{found.count} of {found.n}"


def fraction(found: Rate) -> str:
    """A count out of its total, in a narrow cell.

    >>> fraction(Rate(7, 10, (0.397, 0.892))), fraction(Rate(0, 0, None))
    ('7/10', '–')
    """
    return f"{found.count}/{found.n}" if found.n else UNKNOWN


def rate(found: Rate | None) -> str:
    """A count out of its total, with the interval of its share.

    >>> rate(Rate(7, 10, (0.397, 0.892))), rate(Rate(0, 900, (0.0, 0.0042))), rate(Rate(0, 0, None))
    ('7 of 10 (40 to 89%)', '0 of 900 (0 to 0.4%)', '–')
    """
    if found is None or not found.n:
        return UNKNOWN
    if found.interval is None:
        return counted(found)
    low, high = map(_whole, found.interval)
    return f"{counted(found)} ({low} to {high}%)"


def _whole(share: float) -> str:
    """Whole percent, with a decimal where it would read as none or all though it is neither."""
    percent = 100 * share
    return f"{percent:.0f}" if f"{percent:.1f}" in {"0.0", "100.0"} or 1 <= percent <= 99 else f"{percent:.1f}"


def share(value: float) -> str:
    """A share that is no count, such as one of attention or of work, with two digits.

    >>> share(0.487), share(0.051), share(0.0034)
    ('49%', '5.1%', '0.34%')
    """
    percent = 100 * value
    if abs(percent) >= 9.95:
        return f"{percent:.0f}%"
    return f"{percent:.1f}%" if abs(percent) >= 0.995 else f"{percent:.2f}%"


def share_of_items(value: float | None, interval: Interval | None = None) -> str:
    """A share of items that are counted elsewhere, in whole percent as a rate.

    >>> share_of_items(0.0), share_of_items(0.074, (0.03, 0.151)), share_of_items(None)
    ('0%', '7% (3 to 15%)', '–')
    """
    if value is None:
        return UNKNOWN
    ends = "" if interval is None else f" ({_whole(interval[0])} to {_whole(interval[1])}%)"
    return f"{_whole(value)}%{ends}"


def score(value: float | None) -> str:
    """One image's DvD score, without a decimal where that is 0.

    >>> score(80.0), score(63.24)
    ('80', '63.2')
    """
    return UNKNOWN if value is None else f"{value:.1f}".removesuffix(".0")


def mean(value: float | None, interval: Interval | None = None) -> str:
    """A mean of DvD scores.

    >>> mean(32.94, (15.5, 43.86)), mean(80.0), mean(None)
    ('32.9 (15.5 to 43.9)', '80.0', '–')
    """
    return _estimate(value, interval, "{:.1f}".format)


def coefficient(value: float | None, interval: Interval | None = None) -> str:
    """A number between -1 and 1 that is no share: an AUC, κ, ρ, a probability.

    >>> coefficient(0.9, (0.7, 1.0)), coefficient(-0.256)
    ('0.90 (0.70 to 1.00)', '−0.26')
    """
    return _estimate(value, interval, "{:.2f}".format)


def thousandths(value: float | None, interval: Interval | None = None) -> str:
    """A cosine of pictures and texts, which differ in the second and third decimal.

    >>> thousandths(0.3126, (0.301, 0.3248))
    '0.313 (0.301 to 0.325)'
    """
    return _estimate(value, interval, "{:.3f}".format)


def thousandths_change(value: float | None, interval: Interval | None = None) -> str:
    """A difference of two such means.

    >>> thousandths_change(-0.012, (-0.02, 0.004))
    '−0.012 (−0.020 to +0.004)'
    """
    return _estimate(value, interval, "{:+.3f}".format)


def effect(value: float | None, interval: Interval | None = None) -> str:
    """A coefficient of which the sign says the direction.

    >>> effect(0.25, (-0.1, 0.6))
    '+0.25 (−0.10 to +0.60)'
    """
    return _estimate(value, interval, "{:+.2f}".format)


def distance(value: float | None, interval: Interval | None = None) -> str:
    """A distance to four decimals, as the paper gives them.

    >>> distance(0.30791)
    '0.3079'
    """
    return _estimate(value, interval, "{:.4f}".format)


def measure(value: float | None, interval: Interval | None = None) -> str:
    """A quantity of any size, such as a focus score, a norm or a threshold, with three digits.

    >>> measure(1.2345), measure(0.00212, (0.0, 0.003)), measure(1234.5)
    ('1.23', '0.00212 (0.0000 to 0.00300)', '1234')
    """
    return _estimate(value, interval, _three_digits)


def _three_digits(value: float) -> str:
    if abs(value) >= 999.5:
        return f"{value:.0f}"
    return f"{value:#.3g}" if abs(value) >= 0.0001 else f"{value:.4f}"


def difference(value: float | None, interval: Interval | None = None) -> str:
    """A difference of two means of DvD scores.

    >>> difference(12.04, (-3.0, 20.0))
    '+12.0 (−3.0 to +20.0)'
    """
    return _estimate(value, interval, "{:+.1f}".format)


def share_difference(value: float | None, interval: Interval | None = None) -> str:
    """A difference of two shares, in percentage points.

    >>> share_difference(-0.2, (-0.4, 0.05))
    '−20 points (−40 to +5)'
    """
    if value is None:
        return UNKNOWN
    scaled = None if interval is None else (100 * interval[0], 100 * interval[1])
    return _estimate(100 * value, scaled, "{:+.0f}".format, " points")


def _estimate(value: float | None, interval: Interval | None, write: Callable[[float], str], unit: str = "") -> str:
    if value is None:
        return UNKNOWN
    ends = "" if interval is None else f" ({write(interval[0])} to {write(interval[1])})"
    return f"{write(value)}{unit}{ends}".replace("-", "−")

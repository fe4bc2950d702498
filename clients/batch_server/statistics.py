"""The statistics of `compare` and `rising`: which differences small counts can't explain, and how large they
are. Values in, values out.

Both questions are one: of an article's clicks, a part falls in a group (a segment, or the last minutes), and
the group has a share of all clicks. Under no difference the part is binomial with that share, given the
article's clicks. So

- an exact binomial test of each article decides which differ; Holm's step-down keeps the probability that
  any article is named under no difference at most at FALSE_ALARM_RATE, whatever the number of articles;
- a ratio with a 90 % interval says by how much. An article is named because it looks different, so its true
  ratio tends to lie nearer to 1 than the estimate, more so the fewer its clicks.

Clicks are taken as independent of one another. One reader who clicks an article many times looks like many
readers: the counts do not tell them apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

FALSE_ALARM_RATE = 0.05
"""The probability that an answer names any article at all when no article differs."""

INTERVAL = 0.90
"""How often an interval holds the true ratio, over repeated samples. With under 0.2 expected clicks on a side
it may never: without a click there its end is where half a click puts it, and no end is 0 or infinite."""
_TAIL = (1 - INTERVAL) / 2
_Z = NormalDist().inv_cdf(1 - _TAIL)
HALF = 0.5
"""Added to each number of clicks (Haldane-Anscombe), so that no click at all has a logarithm too."""
FEW_CLICKS = 5
"""Below this in the group or outside, a normal interval holds the truth in as few as 73 of 100 samples."""


@dataclass(frozen=True)
class Ratio:
    """A ratio, the ends of its interval, and its z-score: log ratio over its standard deviation."""

    estimate: float
    low: float
    high: float
    z: float


def upper_tail(part: int, clicks: int, share: float) -> float:
    """P(X >= part), X binomial(clicks, share), 0 < share < 1."""
    return _tail(part, clicks, share) if part > clicks * share else 1.0


def lower_tail(part: int, clicks: int, share: float) -> float:
    """P(X <= part), X binomial(clicks, share), 0 < share < 1; 1 if part is not below the mean."""
    return _tail(clicks - part, clicks, 1.0 - share) if part < clicks * share else 1.0


def _tail(part: int, clicks: int, share: float) -> float:
    """The upper tail from a `part` above the mean, where each term is smaller than the one before."""
    term = _probability(part, clicks, share)
    total = 0.0
    odds = share / (1.0 - share)
    while part <= clicks and term > total * 1e-16:
        total += term
        term *= (clicks - part) / (part + 1) * odds
        part += 1
    return min(total, 1.0)


def _probability(part: int, clicks: int, share: float) -> float:
    return math.exp(
        math.lgamma(clicks + 1)
        - math.lgamma(part + 1)
        - math.lgamma(clicks - part + 1)
        + part * math.log(share)
        + (clicks - part) * math.log1p(-share)
    )


def two_sided(part: int, clicks: int, share: float) -> float:
    """The p-value of "neither more nor less than the share": twice the smaller tail, at most 1."""
    return min(1.0, 2.0 * min(upper_tail(part, clicks, share), lower_tail(part, clicks, share)))


def significant(p_values: Sequence[float], rate: float = FALSE_ALARM_RATE) -> list[bool]:
    """Which hypotheses Holm's step-down rejects: the probability of any false one is at most `rate`.

    S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6
    (1979).
    """
    rejected = [False] * len(p_values)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for place, index in enumerate(order):
        if p_values[index] > rate / (len(p_values) - place):
            break
        rejected[index] = True
    return rejected


def odds_ratio(part: int, part_all: int, rest: int, rest_all: int) -> Ratio:
    """How many times as much (as odds) the group of `part_all` clicks reads an article as the `rest_all`.

    Gart's logit interval: A. Agresti, "On Logit Confidence Intervals for the Odds Ratio with Small Samples",
    Biometrics 55 (1999), doi:10.1111/j.0006-341X.1999.00597.x. Where clicks are few, see _ratio.
    """
    one, other = part + HALF, rest + HALF
    one_left, other_left = part_all - part + HALF, rest_all - rest + HALF
    variance = 1 / one + 1 / one_left + 1 / other + 1 / other_left
    return _ratio(
        part, rest, math.log(one / one_left) - math.log(other / other_left), variance, one_left / other_left
    )


def relative_growth(recent: int, recent_all: int, before: int, before_all: int) -> Ratio:
    """How many times as large an article's share of all clicks is lately as it was before.

    Walter's interval for a ratio of two proportions: S. D. Walter, "The distribution of Levin's measure of
    attributable risk", Biometrika 62 (1975), doi:10.1093/biomet/62.2.371. Where clicks are few, see _ratio.
    """
    lately, earlier = recent + HALF, before + HALF
    lately_all, earlier_all = recent_all + HALF, before_all + HALF
    variance = max(1 / lately - 1 / lately_all, 0.0) + max(1 / earlier - 1 / earlier_all, 0.0)
    return _ratio(
        recent,
        before,
        math.log(lately / lately_all) - math.log(earlier / earlier_all),
        max(variance, 1e-12),
        lately_all / earlier_all,
    )


def _ratio(part: int, rest: int, log: float, variance: float, exposure: float) -> Ratio:
    """The normal interval of the log. Where clicks are few, the wider of it and the mid-p interval.

    exposure: what the part's clicks are to the rest's under no difference. The mid-p interval inverts the
    binomial test: H. O. Lancaster, "Significance Tests in Discrete Distributions", JASA 56 (1961).
    """
    deviation = math.sqrt(variance)
    low, high = _exp(log - _Z * deviation), _exp(log + _Z * deviation)
    if min(part, rest) < FEW_CLICKS:
        if part:
            low = min(low, _least_odds(part, rest) / exposure)
        if rest:
            high = max(high, 1 / _least_odds(rest, part) / exposure)
    return Ratio(_exp(log), low, high, log / deviation)


def _least_odds(part: int, rest: int) -> float:
    """The odds of a click falling in the part below which `part` of all clicks, by mid-p, are too many."""
    clicks = part + rest
    low, high = -50.0, math.log(part / (rest + HALF))
    for _ in range(40):
        middle = (low + high) / 2
        share = 1 / (1 + math.exp(-middle))
        if _tail(part, clicks, share) - _probability(part, clicks, share) / 2 < _TAIL:
            low = middle
        else:
            high = middle
    return math.exp(low)


def _exp(log: float) -> float:
    """With ends, as an interval from a fraction of a click can be wider than a float."""
    return math.exp(min(max(log, -300.0), 300.0))

"""The statistics of `compare` and `rising`: which differences small counts can't explain, and how large they
are. Values in, values out.

Both questions are one: of an article's clicks, a part falls in a group (a segment, or the last minutes), and
the group has a share of all clicks. Under no difference the part is binomial with that share, given the
article's clicks. So

- an exact binomial test of each article decides which differ; Holm's step-down keeps the probability that
  any article is named under no difference at most at FALSE_ALARM_RATE, whatever the number of articles;
- a shrunk ratio with an interval says by how much, so that few clicks never look like a large effect.

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
"""The share of a posterior between the two ends of an interval; DuMouchel (1999) ranks by its lower end."""
_Z = NormalDist().inv_cdf(0.5 + INTERVAL / 2)

PRIOR_WEIGHT = 0.1
"""The prior of weighted_log_odds weighs as a tenth of the smaller group's own clicks."""
PRIOR_CLICKS = 2.0
"""The prior of shrunk_growth weighs as two expected clicks in the recent time."""


@dataclass(frozen=True)
class Ratio:
    """A shrunk ratio, the ends of its interval, and its z-score: log ratio over its standard deviation."""

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
    term = math.exp(
        math.lgamma(clicks + 1)
        - math.lgamma(part + 1)
        - math.lgamma(clicks - part + 1)
        + part * math.log(share)
        + (clicks - part) * math.log1p(-share)
    )
    total = 0.0
    odds = share / (1.0 - share)
    while part <= clicks and term > total * 1e-16:
        total += term
        term *= (clicks - part) / (part + 1) * odds
        part += 1
    return min(total, 1.0)


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


def weighted_log_odds(part: int, part_all: int, rest: int, rest_all: int) -> Ratio:
    """How many times as much (as odds) the group of `part_all` clicks reads an article as the `rest_all`.

    Weighted log-odds with an informative Dirichlet prior: B. L. Monroe, M. P. Colaresi, K. M. Quinn,
    "Fightin' Words", Political Analysis 16 (2008), doi:10.1093/pan/mpn018. The prior is the article's share
    of all clicks, with PRIOR_WEIGHT of the smaller group's clicks: it pulls the ratio towards 1. The interval
    is the normal one of the posterior's log-odds. Needs clicks of the article and of others in all.
    """
    prior_all = PRIOR_WEIGHT * min(part_all, rest_all)
    prior = prior_all * (part + rest) / (part_all + rest_all)
    one, other = part + prior, rest + prior
    estimate = math.log(one / (part_all + prior_all - one)) - math.log(other / (rest_all + prior_all - other))
    return _ratio(estimate, math.sqrt(1 / one + 1 / other))


def shrunk_growth(recent: int, recent_all: int, before: int, before_all: int) -> Ratio:
    """How many times as many clicks an article has lately as its share before lets expect.

    Gamma-Poisson shrinkage of observed against expected, after W. DuMouchel, "Bayesian Data Mining in Large
    Frequency Tables", The American Statistician 53 (1999): (recent + prior) / (expected + prior) with a fixed
    prior of PRIOR_CLICKS around no growth. The expected number rests on counts too, so both numbers of clicks
    are Gamma-Poisson here, and the interval is the normal one of the log of their ratio, with the variances
    1/shape of the logs of both posteriors.
    """
    factor = recent_all / before_all  # of all clicks: growth is relative to it
    lately = recent + PRIOR_CLICKS
    earlier = before + PRIOR_CLICKS / factor
    return _ratio(math.log(lately / (earlier * factor)), math.sqrt(1 / lately + 1 / earlier))


def _ratio(log: float, deviation: float) -> Ratio:
    low, high = log - _Z * deviation, log + _Z * deviation
    return Ratio(_exp(log), _exp(low), _exp(high), log / deviation)


def _exp(log: float) -> float:
    """With ends, as an interval from a fraction of a click can be wider than a float."""
    return math.exp(min(max(log, -300.0), 300.0))

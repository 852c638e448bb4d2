"""Whether a row of measurements grows: the slope after Theil and Sen, with the confidence interval that Sen gives it.

Least squares would follow a single spike. The median of the slopes of all pairs does not, and its interval needs no
assumption on how the noise is spread.

It does need measurements that are independent, and memory wanders: what an allocator gave back or took it keeps for
minutes. So the interval is widened by how much each measurement says of the next (Hamed and Rao 1998, for Kendall's
test; here of the first order): without that one life of an hour in five is found to leak that does not.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

CONFIDENCE = 0.95
_MOST_ALIKE = 0.99
_Z = statistics.NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Slope:
    """Growth per unit of time; the true one lies between `least` and `most` with a probability of 95 %."""

    value: float
    least: float
    most: float

    def exceeds(self, limit: float) -> bool:
        """Whether the measurements show it: not the best guess alone, but all of the interval is above the limit."""
        return self.least > limit

    def verdict(self, limit: float) -> str:
        """What the measurements say of "at most `limit`"."""
        if self.exceeds(limit):
            return "refuted"
        return "shown" if self.most <= limit else "undecided"

    def __str__(self) -> str:
        return f"{self.value:+.2f} (95 %: {self.least:+.2f} to {self.most:+.2f})"


def slope(points: Sequence[tuple[float, float]]) -> Slope:
    """Of (time, value) pairs, at least four of them at different times."""
    n = len(points)
    if n < 4:
        raise ValueError(f"{n} points show no slope")
    slopes = sorted((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x1 != x2)
    value = statistics.median(slopes)
    wander = _wander([y - value * x for x, y in points])
    spread = _Z * math.sqrt(wander * n * (n - 1) * (2 * n + 5) / 18)
    last = len(slopes) - 1
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(last, math.ceil((len(slopes) + spread) / 2))
    return Slope(value, slopes[low], slopes[high])


def _wander(noise: Sequence[float]) -> float:
    """How many measurements say no more than one that is independent, 1 or more."""
    try:
        alike = statistics.correlation(noise[:-1], noise[1:])
    except statistics.StatisticsError:  # no noise at all
        return 1.0
    alike = min(max(alike, 0.0), _MOST_ALIKE)
    return (1 + alike) / (1 - alike)

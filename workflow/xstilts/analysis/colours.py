"""The colours of gains and losses: one scale for the figures and the page."""

import dataclasses
from collections.abc import Iterable

# Both ends are dark in grey too, so whatever is painted with them also prints the sign.
LOSS, NEUTRAL, GAIN = (170, 84, 12), (247, 247, 245), (24, 90, 150)
SHARE = 0.9  # of the differences that the scale tells apart: an outlier leaves the rest coloured
SMALLEST = 1.0  # points: smaller differences are never painted as if they were large


@dataclasses.dataclass(frozen=True)
class Scale:
    """A scale with zero in its middle; `limit` (points) and what is beyond it have full colour."""

    limit: float

    @classmethod
    def of(cls, deltas: Iterable[float | None]) -> "Scale":
        """Return the scale of some differences, in points; None and NaN are left out."""
        sizes = sorted(abs(d) for d in deltas if d is not None and d == d)
        limit = sizes[min(len(sizes) - 1, int(SHARE * len(sizes)))] if sizes else 0.0
        return cls(max(SMALLEST, float(limit)))

    def colour(self, delta: float) -> str:
        """Return the colour of a difference, as #rrggbb."""
        return "#{:02x}{:02x}{:02x}".format(*self._rgb(delta))

    def dark(self, delta: float) -> bool:
        """Return whether white text is easier to read on it than black (WCAG 2)."""
        red, green, blue = ((c / 255) ** 2.2 for c in self._rgb(delta))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.2

    def _rgb(self, delta: float) -> tuple[int, ...]:
        part, end = min(1.0, abs(delta) / self.limit), GAIN if delta > 0 else LOSS
        return tuple(round(a + (b - a) * part) for a, b in zip(NEUTRAL, end, strict=True))

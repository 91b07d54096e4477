"""Where the labels of points go, so that none lies on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FONT, MARKER = 11.0, 6.0
"""Pixels: the size of letters, and half the side of a marker"""
WIDE = 0.6
"""Width of a letter as a share of the font's size, at most on average"""
DISTANCES = (9.0, 14.0, 20.0, 28.0, 36.0, 46.0, 58.0, 72.0)
DIRECTIONS = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))
FARTHEST = 1 / 8
"""Of a label from its point, as a share of the plot's width"""
LEADER_FROM = 12.0
"""Distance from which a line leads from the point to its label"""


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether they share more than an edge."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def within(self, width: float, height: float) -> bool:
        """Whether it lies in a plot of that size."""
        return 0 <= self.left and 0 <= self.top and self.right <= width and self.bottom <= height


@dataclass(frozen=True)
class Point:
    """A marker with its vertical bar, in pixels from the upper left corner."""

    text: str
    x: float
    y: float
    low: float
    """Lower end of the bar, the larger number"""
    high: float


@dataclass(frozen=True)
class Label:
    """A placed label: its box, and whether a line should lead to it."""

    box: Box
    leader: bool

    @property
    def middle(self) -> tuple[float, float]:
        """The point its text is centered on."""
        return (self.box.left + self.box.right) / 2, (self.box.top + self.box.bottom) / 2


def place(points: Sequence[Point], width: float, height: float) -> list[Label | None]:
    """A label for each point, the topmost first to choose; None for a point whose label has no room."""
    taken = [box for point in points for box in _drawn(point)]
    labels: dict[int, Label] = {}
    for at in sorted(range(len(points)), key=lambda at: points[at].y):
        free = (
            label
            for label in _candidates(points[at], width * FARTHEST)
            if label.box.within(width, height) and not any(map(label.box.overlaps, taken))
        )
        if label := next(free, None):
            labels[at] = label
            taken.append(label.box)
    return [labels.get(at) for at in range(len(points))]


def _drawn(point: Point) -> Iterator[Box]:
    yield Box(point.x - MARKER, point.y - MARKER, point.x + MARKER, point.y + MARKER)
    yield Box(point.x - 1, point.high, point.x + 1, point.low)


def _candidates(point: Point, farthest: float) -> Iterator[Label]:
    wide, high = len(point.text) * FONT * WIDE, FONT * 1.2
    for distance in (each for each in DISTANCES if each <= farthest):
        for right, down in DIRECTIONS:
            x, y = point.x + right * (distance + wide / 2), point.y + down * (distance + high / 2)
            box = Box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
            yield Label(box, distance > LEADER_FROM)

"""Regions of interest of an image: polygons, circles, ellipses and bitmaps, each with a label.

Coordinates are integer pixels, x to the right and y down. A region is never changed: each operation gives a new one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py.errors import DataError


@dataclass(frozen=True)
class Roi:
    """A region with the id of its label; -1 is ignored."""

    label: int

    def box(self) -> tuple[int, int, int, int]:
        """The bounding box: left, top, right, bottom, the last two exclusive."""
        raise NotImplementedError

    def rescaled(self, x_ratio: float, y_ratio: float) -> Roi:
        """Every coordinate times the ratio of its axis, cut to an integer."""
        raise NotImplementedError

    def moved(self, x: int, y: int) -> Roi:
        """Moved right and down by that many pixels."""
        raise NotImplementedError

    def flipped(self, width: int, height: int, horizontal: bool, vertical: bool) -> Roi:
        """Mirrored in an image of that size."""
        raise NotImplementedError

    def rotated(self, x: int, y: int, degrees: float) -> Roi:
        """Turned clockwise, as seen on a screen, about the pixel (x, y); coordinates are rounded."""
        raise NotImplementedError

    def paint(self, labels: NDArray[np.int32], value: int, margin: int = 0) -> None:
        """Write ``value`` into the label of every pixel of the region, or of the ring of ``margin`` around it."""
        raise NotImplementedError


def cropped(rois: tuple[Roi, ...], left: int, top: int, width: int, height: int) -> tuple[Roi, ...]:
    """The regions of an image of which the part at (left, top) is kept; what lies outside entirely is left out."""
    if not rois:  # as most stimuli
        return ()
    moved = [roi.moved(-left, -top) for roi in rois]
    return tuple(roi for roi in moved if _touches(roi.box(), width, height))


def _touches(box: tuple[int, int, int, int], width: int, height: int) -> bool:
    left, top, right, bottom = box
    return left <= width and top <= height and right > 0 and bottom > 0


def _turned(px: int, py: int, x: int, y: int, degrees: float) -> tuple[int, int]:
    """A point turned clockwise about (x, y), rounded, halves away from zero."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    dx, dy = (px - x) * cosine - (py - y) * sine, (px - x) * sine + (py - y) * cosine
    return (
        x + int(math.copysign(math.floor(abs(dx) + 0.5), dx)),
        y + int(math.copysign(math.floor(abs(dy) + 0.5), dy)),
    )


@dataclass(frozen=True)
class Polygon(Roi):
    """A polygon by its corners, which belong to it. A rectangle is one of four corners."""

    points: tuple[tuple[int, int], ...] = ()

    def box(self) -> tuple[int, int, int, int]:
        xs, ys = zip(*self.points, strict=True) if self.points else ((0,), (0,))
        return min(xs), min(ys), max(xs) + 1, max(ys) + 1

    def rescaled(self, x_ratio: float, y_ratio: float) -> Roi:
        return Polygon(self.label, tuple((int(x * x_ratio), int(y * y_ratio)) for x, y in self.points))

    def moved(self, x: int, y: int) -> Roi:
        return Polygon(self.label, tuple((px + x, py + y) for px, py in self.points))

    def flipped(self, width: int, height: int, horizontal: bool, vertical: bool) -> Roi:
        return Polygon(
            self.label,
            tuple((width - 1 - x if horizontal else x, height - 1 - y if vertical else y) for x, y in self.points),
        )

    def rotated(self, x: int, y: int, degrees: float) -> Roi:
        return Polygon(self.label, tuple(_turned(px, py, x, y, degrees) for px, py in self.points))

    def paint(self, labels: NDArray[np.int32], value: int, margin: int = 0) -> None:
        import cv2

        corners: Any = np.array(self.points, np.int32).reshape(-1, 1, 2)
        if margin:
            cv2.polylines(labels, [corners], True, value, 2 * margin)
        else:
            cv2.fillPoly(labels, [corners], value)


@dataclass(frozen=True)
class Circle(Roi):
    """A disk by its centre and radius."""

    x: int = 0
    y: int = 0
    radius: int = 0

    def box(self) -> tuple[int, int, int, int]:
        return self.x - self.radius, self.y - self.radius, self.x + self.radius + 1, self.y + self.radius + 1

    def rescaled(self, x_ratio: float, y_ratio: float) -> Roi:
        """As :meth:`Roi.rescaled`; raises DataError for ratios that would make an ellipse of it."""
        if x_ratio != y_ratio:
            raise DataError(
                f"a circle cannot be rescaled by {x_ratio:g} and {y_ratio:g}",
                expected="one ratio for both axes, as KeepAspectRatio=1 gives",
                remedy="describe the region as an ellipse",
            )
        return Circle(self.label, int(self.x * x_ratio), int(self.y * y_ratio), int(self.radius * x_ratio))

    def moved(self, x: int, y: int) -> Roi:
        return replace(self, x=self.x + x, y=self.y + y)

    def flipped(self, width: int, height: int, horizontal: bool, vertical: bool) -> Roi:
        return replace(self, x=width - self.x if horizontal else self.x, y=height - self.y if vertical else self.y)

    def rotated(self, x: int, y: int, degrees: float) -> Roi:
        turned = _turned(self.x, self.y, x, y, degrees)
        return replace(self, x=turned[0], y=turned[1])

    def paint(self, labels: NDArray[np.int32], value: int, margin: int = 0) -> None:
        import cv2

        cv2.circle(labels, (self.x, self.y), self.radius + margin, value, -1)


@dataclass(frozen=True)
class Ellipse(Roi):
    """An ellipse by its centre, its half axes, and the angle (radians) of the first of them to the x axis."""

    x: int = 0
    y: int = 0
    major: int = 0
    minor: int = 0
    angle: float = 0.0

    def box(self) -> tuple[int, int, int, int]:
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        half_width = math.ceil(math.hypot(self.major * cos, self.minor * sin))
        half_height = math.ceil(math.hypot(self.major * sin, self.minor * cos))
        return self.x - half_width, self.y - half_height, self.x + half_width + 1, self.y + half_height + 1

    def rescaled(self, x_ratio: float, y_ratio: float) -> Roi:
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return Ellipse(
            self.label,
            int(self.x * x_ratio),
            int(self.y * y_ratio),
            int(self.major * math.hypot(x_ratio * cos, y_ratio * sin)),
            int(self.minor * math.hypot(x_ratio * sin, y_ratio * cos)),
            math.atan2(y_ratio * sin, x_ratio * cos),
        )

    def moved(self, x: int, y: int) -> Roi:
        return replace(self, x=self.x + x, y=self.y + y)

    def flipped(self, width: int, height: int, horizontal: bool, vertical: bool) -> Roi:
        return replace(
            self,
            x=width - self.x if horizontal else self.x,
            y=height - self.y if vertical else self.y,
            angle=self.angle if horizontal == vertical else -self.angle,
        )

    def rotated(self, x: int, y: int, degrees: float) -> Roi:
        turned = _turned(self.x, self.y, x, y, degrees)
        return replace(self, x=turned[0], y=turned[1], angle=self.angle + math.radians(degrees))

    def paint(self, labels: NDArray[np.int32], value: int, margin: int = 0) -> None:
        import cv2

        axes = (self.major + margin, self.minor + margin)
        cv2.ellipse(labels, (self.x, self.y), axes, math.degrees(self.angle), 0, 360, value, -1)


@dataclass(frozen=True, eq=False)
class Bitmap(Roi):
    """The pixels of a mask (height, width) that are not 0, the mask's corner lying at (x, y)."""

    mask: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    x: int = 0
    y: int = 0

    def box(self) -> tuple[int, int, int, int]:
        return self.x, self.y, self.x + self.mask.shape[1], self.y + self.mask.shape[0]

    def rescaled(self, x_ratio: float, y_ratio: float) -> Roi:
        height, width = max(int(self.mask.shape[0] * y_ratio), 1), max(int(self.mask.shape[1] * x_ratio), 1)
        rows = np.minimum(np.arange(height) * self.mask.shape[0] // height, self.mask.shape[0] - 1)
        columns = np.minimum(np.arange(width) * self.mask.shape[1] // width, self.mask.shape[1] - 1)
        return replace(self, mask=self.mask[rows][:, columns], x=int(self.x * x_ratio), y=int(self.y * y_ratio))

    def moved(self, x: int, y: int) -> Roi:
        return replace(self, x=self.x + x, y=self.y + y)

    def flipped(self, width: int, height: int, horizontal: bool, vertical: bool) -> Roi:
        left, top, right, bottom = self.box()
        mask = self.mask[:: -1 if vertical else 1, :: -1 if horizontal else 1]
        return replace(self, mask=mask, x=width - right if horizontal else left, y=height - bottom if vertical else top)

    def rotated(self, x: int, y: int, degrees: float) -> Roi:
        left, top, right, bottom = self.box()
        corners = Polygon(self.label, ((left, top), (right - 1, top), (right - 1, bottom - 1), (left, bottom - 1)))
        x0, y0, x1, y1 = corners.rotated(x, y, degrees).box()
        rows, columns = np.mgrid[y0:y1, x0:x1]
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        # Each pixel of the turned mask shows the one from which it comes.
        source_x = np.rint((columns - x) * cosine + (rows - y) * sine).astype(np.int64) + x - left
        source_y = np.rint((rows - y) * cosine - (columns - x) * sine).astype(np.int64) + y - top
        height, width = self.mask.shape
        inside = (source_x >= 0) & (source_x < width) & (source_y >= 0) & (source_y < height)
        mask = np.zeros(rows.shape, self.mask.dtype)
        mask[inside] = self.mask[source_y[inside], source_x[inside]]
        return replace(self, mask=mask, x=x0, y=y0)

    def paint(self, labels: NDArray[np.int32], value: int, margin: int = 0) -> None:
        canvas: NDArray[Any] = np.zeros(labels.shape, np.uint8)
        left, top, right, bottom = self.box()
        inner = (max(left, 0), max(top, 0), min(right, labels.shape[1]), min(bottom, labels.shape[0]))
        if inner[0] >= inner[2] or inner[1] >= inner[3]:
            return
        canvas[inner[1] : inner[3], inner[0] : inner[2]] = self.mask[
            inner[1] - top : inner[3] - top, inner[0] - left : inner[2] - left
        ]
        if margin:
            import cv2

            canvas = cv2.dilate(canvas, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
        labels[canvas != 0] = value


def boxes(rois: tuple[Roi, ...], width: int, height: int) -> NDArray[np.float32]:
    """The bounding boxes of labelled regions in an image of that size: (boxes, 5), x, y, width, height, label.

    A box is cut at the borders of the image; what lies outside, has no pixel or has the label -1 is left out.
    """
    rows = []
    for roi in rois:
        if roi.label < 0 or (isinstance(roi, Polygon) and not roi.points):
            continue
        left, top, right, bottom = roi.box()
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        if right > left and bottom > top:
            rows.append((left, top, right - left, bottom - top, roi.label))
    return np.array(rows, np.float32).reshape(-1, 5)


def rectangle(label: int, left: int, top: int, right: int, bottom: int) -> Polygon:
    """A rectangle from its first corner to the pixel before its second one."""
    if right <= left or bottom <= top:
        return Polygon(label, ())
    return Polygon(label, ((left, top), (right - 1, top), (right - 1, bottom - 1), (left, bottom - 1)))

"""Drawn shapes on clutter: a data set made by the program, at any size, with object masks.

One bright shape of random colour, place, size and angle on a dark ground with lines, blobs and
noise. The same scene can be drawn without its object, which is what the masks are held against.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from resnet_viz.datasets.catalogue import SHAPES_CLASSES, info
from resnet_viz.datasets.images import Images

Floats = NDArray[np.float32]

FINGERPRINT = "shapes-2"  # change it with anything that changes the pictures
_TRAIN_SEED, _TEST_SEED = 1, 2
_CHUNK_PIXELS = 1 << 20

# Lengths are in units of half the image's side; brightness is 0..1.
RADIUS = (0.38, 0.72)
OBJECT_VALUE = (0.65, 1.0)
GROUND_VALUE = (0.0, 0.3)
LINES, LINE_WIDTH, LINE_VALUE = 4, (0.03, 0.09), (0.15, 0.55)
BLOBS, BLOB_WIDTH, BLOB_VALUE = 3, (0.1, 0.3), (0.05, 0.35)
NOISE = 0.08


def _ring(count: int, radius: float = 1.0, start: float = np.pi / 2) -> Floats:
    """`count` points on a circle, the first one on top."""
    angle = start + 2 * np.pi * np.arange(count) / count
    return (radius * np.stack([np.cos(angle), np.sin(angle)], 1)).astype(np.float32)


def _points(*xy: tuple[float, float]) -> Floats:
    return np.array(xy, np.float32)


def _star() -> Floats:
    points = _ring(10)
    points[1::2] *= 0.42
    return points


def _cross(arm: float = 0.29, reach: float = 0.95) -> Floats:
    quarter = _points((arm, reach), (arm, arm), (reach, arm))
    turns = [quarter @ np.array([[c, s], [-s, c]], np.float32) for c, s in _TURNS]
    return np.concatenate(turns).astype(np.float32)


_TURNS = ((1, 0), (0, -1), (-1, 0), (0, 1))  # cosine and sine of clockwise quarter turns


def _heart() -> Floats:
    t = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return (np.stack([16 * np.sin(t) ** 3, y + 2], 1) / 18).astype(np.float32)


# Outline within the unit circle, and the outline of what is cut out of it.
_OUTLINES: dict[str, tuple[Floats, Floats | None]] = {
    "circle": (_ring(32, 0.85), None),
    "ring": (_ring(32, 0.95), _ring(32, 0.52)),
    "square": (_ring(4, start=np.pi / 4), None),
    "triangle": (_ring(3), None),
    "star": (_star(), None),
    "cross": (_cross(), None),
    "crescent": (_ring(32), _ring(32, 0.85) + np.array([0.55, 0], np.float32)),
    "heart": (_heart(), None),
    "arrow": (
        _points(
            (0, 1),
            (0.8, 0.1),
            (0.27, 0.1),
            (0.27, -0.96),
            (-0.27, -0.96),
            (-0.27, 0.1),
            (-0.8, 0.1),
        ),
        None,
    ),
    "hourglass": (_points((-0.65, 0.75), (0.65, 0.75), (-0.65, -0.75), (0.65, -0.75)), None),
}
assert tuple(_OUTLINES) == SHAPES_CLASSES


@dataclass(frozen=True)
class Scenes:
    """Drawn pictures.

    Attributes:
        images: uint8 (N, 3, S, S).
        masks: bool (N, S, S), true where the object covers at least half of the pixel.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]


def make_shapes(size: int) -> Images:
    """The data set at `size` pixels a side, as many images of every class."""
    about = info("shapes")
    parts = []
    for count, seed in ((about.train_images, _TRAIN_SEED), (about.test_images, _TEST_SEED)):
        labels = np.arange(count) % len(SHAPES_CLASSES)
        scenes = draw(labels, size, seed)
        parts.append(
            (
                torch.from_numpy(scenes.images),
                torch.from_numpy(labels.astype(np.int64)),
                torch.from_numpy(scenes.masks),
            )
        )
    train, test = parts
    return Images(*train[:2], *test[:2], SHAPES_CLASSES, train[2], test[2])


def draw(labels: NDArray[np.int64], size: int, seed: int, *, objects: bool = True) -> Scenes:
    """One picture for each label; without `objects` the same scenes, empty, and empty masks.

    Args:
        labels: (N,), positions in `SHAPES_CLASSES`.
        size: side of the pictures in pixels.
    """
    rng = np.random.default_rng(seed)
    scene = _Scene(rng, len(labels))
    images = np.empty((len(labels), 3, size, size), np.uint8)
    masks = np.zeros((len(labels), size, size), np.bool_)
    per_chunk = max(1, _CHUNK_PIXELS // size**2)
    for start in range(0, len(labels), per_chunk):
        which = np.arange(start, min(start + per_chunk, len(labels)))
        picture = scene.ground(which, size)
        noise = rng.standard_normal(picture.shape, np.float32) * NOISE
        if objects:
            coverage = scene.coverage(which, labels[which], size)
            masks[which] = coverage >= 0.5
            alpha = coverage[:, None]
            picture = picture * (1 - alpha) + scene.colour[which, :, None, None] * alpha
        images[which] = np.rint(np.clip(picture + noise, 0, 1) * 255)
    return Scenes(images, masks)


class _Scene:
    """What was drawn by lot for each of `count` pictures, and how to paint it."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        def between(low_high: tuple[float, float], *shape: int) -> Floats:
            low, high = low_high
            return (low + (high - low) * rng.random((count, *shape))).astype(np.float32)

        self.radius = between(RADIUS)
        self.centre = between((-1, 1), 2) * (1 - self.radius[:, None])
        self.angle = between((0, 2 * np.pi))
        self.colour = between((0.35, 1), 3)
        self.colour *= between(OBJECT_VALUE, 1) / self.colour.max(1, keepdims=True)
        self.ground_colour = between((0, 1), 3) * between(GROUND_VALUE, 1)
        self.line_angle, self.line_offset = between((0, np.pi), LINES), between((-1, 1), LINES)
        self.line_width = between(LINE_WIDTH, LINES)
        self.line_colour = between((0.3, 1), LINES, 3) * between(LINE_VALUE, LINES, 1)
        self.blob_centre, self.blob_width = between((-1, 1), BLOBS, 2), between(BLOB_WIDTH, BLOBS)
        self.blob_colour = between((0.3, 1), BLOBS, 3) * between(BLOB_VALUE, BLOBS, 1)

    def ground(self, which: NDArray[np.int64], size: int) -> Floats:
        """(n, 3, S, S), 0..1: ground colour, blobs added to it, lines over both."""
        x, y = _grid(size)
        picture = np.zeros((len(which), 3, size, size), np.float32)
        picture += self.ground_colour[which, :, None, None]
        for k in range(BLOBS):
            cx, cy = (self.blob_centre[which, k, axis, None, None] for axis in (0, 1))
            width = self.blob_width[which, k, None, None]
            bump = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width**2))
            picture += bump[:, None] * self.blob_colour[which, k, :, None, None]
        for k in range(LINES):
            angle = self.line_angle[which, k, None, None]
            offset = self.line_offset[which, k, None, None]
            distance = np.abs(np.cos(angle) * x + np.sin(angle) * y - offset)
            alpha = _edge(distance - self.line_width[which, k, None, None], size)[:, None]
            picture = picture * (1 - alpha) + self.line_colour[which, k, :, None, None] * alpha
        return picture

    def coverage(self, which: NDArray[np.int64], labels: NDArray[np.int64], size: int) -> Floats:
        """(n, S, S): how much of each pixel the object covers, 0..1."""
        x, y = _grid(size)
        coverage = np.empty((len(which), size, size), np.float32)
        for label, name in enumerate(SHAPES_CLASSES):
            here = np.flatnonzero(labels == label)
            radius = self.radius[which[here], None, None]
            cx, cy = (self.centre[which[here], axis, None, None] for axis in (0, 1))
            cos, sin = (f(self.angle[which[here], None, None]) for f in (np.cos, np.sin))
            u = (cos * (x - cx) + sin * (y - cy)) / radius
            v = (cos * (y - cy) - sin * (x - cx)) / radius
            outline, hole = _OUTLINES[name]
            distance = _distance(u, v, outline)
            if hole is not None:
                distance = np.maximum(distance, -_distance(u, v, hole))
            coverage[here] = _edge(distance * radius, size)
        return coverage


def _grid(size: int) -> tuple[Floats, Floats]:
    """x (1, S) rightwards and y (S, 1) upwards of the pixels' centres, -1..1."""
    centres = ((2 * np.arange(size) + 1) / size - 1).astype(np.float32)
    return centres[None, :], -centres[:, None]


def _edge(distance: Floats, size: int) -> Floats:
    """Coverage of a pixel whose centre is this far outside an edge: a ramp one pixel wide."""
    return np.clip(0.5 - distance * (size / 2), 0, 1)


def _distance(x: Floats, y: Floats, outline: Floats) -> Floats:
    """Distance of points to a polygon's outline, negative inside (even-odd rule).

    Args:
        x, y: coordinates, of any one shape.
        outline: (V, 2) corners in order.
    """
    nearest = np.full(x.shape, np.inf, np.float32)
    inside = np.zeros(x.shape, np.bool_)
    for (ax, ay), (bx, by) in zip(outline, np.roll(outline, 1, axis=0), strict=True):
        ex, ey, wx, wy = bx - ax, by - ay, x - ax, y - ay
        along = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (wx - ex * along) ** 2 + (wy - ey * along) ** 2)
        if ay != by:  # a ray to the right crosses this side
            crosses = (y >= ay) != (y >= by)
            inside ^= crosses & (x < ax + (y - ay) * (ex / ey))
    return np.where(inside, -1, 1) * np.sqrt(nearest)

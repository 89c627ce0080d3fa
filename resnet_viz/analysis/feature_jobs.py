"""What to ask about the feature maps of an image. No torch.

The answers are `feature_answers`. Several checkpoints of a run are several sources. The page has
asked `opened:measure_card` first, so that it has the `NetCard`.
"""

from __future__ import annotations

from collections.abc import Sequence

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.pace import check_forward
from resnet_viz.analysis.question import Question, single
from resnet_viz.i18n import _
from resnet_viz.layers import all_layers, blocks_of
from resnet_viz.points import find_point, points_of
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import SHORTCUT_FAMILIES, NetSpec, SpecError

MOST_BYTES = 2**24  # of the values at one point, which go to the server and into a picture

_ANSWERS = "resnet_viz.analysis.feature_answers"


def overview_question(source: Source, image: str, card: NetCard | None = None) -> Question:
    """Ask for the prediction and the way to it; the answer is an `inside.Overview`.

    Args:
        image: `picture_text` of the square that the net sees.
        card: of the net, where it is known: then memory is estimated before asking.

    Raises:
        SpecError: there is too little memory.
    """
    if card is not None:
        check_forward(card)
    return _question("measure_overview", source, image)


def maps_question(source: Source, card: NetCard, image: str, point: str) -> Question:
    """Ask for every channel at one point; the answer is an `inside.FeatureMaps`.

    Raises:
        SpecError: the net has no such point, its values are too many, or there is too little
            memory.
    """
    find_point(card.net, point)
    _check_size(card, [point])
    check_forward(card)
    return _question("measure_maps", source, image, point=point)


def block_question(source: Source, card: NetCard, image: str, block: str) -> Question:
    """Ask for x, shortcut, F(x) and sum of a block; the answer is an `inside.BlockMaps`.

    Args:
        block: name of the point of its output, "stage2.block3".

    Raises:
        SpecError: as `maps_question`; also for a plain net, and where `block` is not a block.
    """
    if card.net.family not in SHORTCUT_FAMILIES:
        text = _(
            "{net} has no shortcuts, so its blocks are no sums that could be taken apart; "
            "choose family {families}."
        )
        families = ", ".join(SHORTCUT_FAMILIES)
        raise SpecError(text.format(net=card.net.name, families=families))
    _check_block(card.net, block)
    _check_size(card, [f"{block}.input", block])
    check_forward(card)
    return _question("measure_block", source, image, block=block)


def point_shapes(net: NetSpec, image_size: int) -> dict[str, tuple[int, int, int]]:
    """(channels, height, width) at every point of a net for square images, by the point's name."""
    layers = {layer.module: layer for layer in all_layers(net, image_size=image_size)}
    first = blocks_of(net, image_size=image_size)[0]
    shapes: dict[str, tuple[int, int, int]] = {}
    for point in points_of(net):  # norms, ReLUs and sums have the shape of what came before
        if point.module in layers:
            layer = layers[point.module]
            shape = (layer.c_out, layer.side, layer.side)
        elif point.kind == "pool":
            shape = (shape[0], first.side, first.side)
        shapes[point.name] = shape
    return shapes


def _question(function: str, source: Source, image: str, **names: str) -> Question:
    arguments = {"net": source.to_dict(), "image": image, **names}
    return single(Job(f"{_ANSWERS}:{function}", arguments))


def _check_block(net: NetSpec, name: str) -> None:
    point = find_point(net, name)
    if point.kind == "output":
        return
    if point.stage == 0:
        text = _("{name} is not in a block; the first block is {block}.")
        raise SpecError(text.format(name=name, block="stage1.block1"))
    text = _("{name} is not a block; its block is {block}.")
    raise SpecError(text.format(name=name, block=f"stage{point.stage}.block{point.block}"))


def _check_size(card: NetCard, points: Sequence[str]) -> None:
    """Refuse points with more values than a picture can show and a browser can take."""
    shapes = point_shapes(card.net, card.image_size)
    fitting = [name for name in shapes if 4 * _values(shapes[name]) <= MOST_BYTES]
    for point in points:
        if point in fitting:
            continue
        names = list(shapes)
        later = [name for name in fitting if names.index(name) > names.index(point)]
        text = _(
            "{point} of {net} has {n} maps of {h}×{w} values, {size:.0f} MB, and at most "
            "{most:.0f} MB can be shown at once; the next point that is small enough: {near}."
        )
        n, h, w = shapes[point]
        size, most = 4 * n * h * w / 1e6, MOST_BYTES / 1e6
        near = later[0] if later else _("none")
        raise SpecError(
            text.format(point=point, net=card.title, n=n, h=h, w=w, size=size, most=most, near=near)
        )


def _values(shape: tuple[int, int, int]) -> int:
    return shape[0] * shape[1] * shape[2]

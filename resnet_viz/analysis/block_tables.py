"""What was measured of blocks as flat rows, for tables and files. No torch."""

from __future__ import annotations

from typing import Any

from resnet_viz.blockwise import PathLengths, Responses
from resnet_viz.construction import Constructed
from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.lesions import Randoms, Singles, block_name
from resnet_viz.reuse import Reuse

Row = dict[str, Any]


def single_rows(label: str, found: Singles) -> list[Row]:
    """A row for the net as it is, and one for each block; no error where the block cannot go."""
    about = {"net": label, "images": found.images, "draw": None}
    rows: list[Row] = [{**about, "removed": 0, "block": None, "test_error": found.error}]
    for block, error in zip(blocks_of(found.net), found.without, strict=True):
        rows.append({**about, "removed": 1, "block": block_name(block), "test_error": error})
    return rows


def random_rows(label: str, found: Randoms) -> list[Row]:
    """A row for each draw of blocks."""
    return [
        {
            "net": label,
            "images": found.images,
            "draw": draw,
            "removed": count,
            "block": None,
            "test_error": error,
        }
        for count, errors in zip(found.counts, found.errors, strict=True)
        for draw, error in enumerate(errors, 1)
    ]


def constructed_rows(label: str, found: Constructed) -> list[Row]:
    """A row for the net before, and one for it with inserted blocks."""
    rows: list[Row] = []
    for when, net, errors in (
        ("before", found.net, found.before),
        ("after", found.deeper, found.after),
    ):
        rows.append(
            {
                "net": label,
                "when": when,
                "family": net.family,
                "depth": net.depth,
                "blocks": " ".join(map(str, net.stage_blocks)),
                "train_error": errors.train,
                "test_error": errors.test,
                "train_error_in_training_mode": errors.train_mode,
                "train_images": found.train_images,
                "test_images": found.test_images,
                "largest_logit_difference": found.difference,
                "largest_logit_difference_in_training_mode": found.train_mode_difference,
            }
        )
    return rows


def path_rows(label: str, found: PathLengths) -> list[Row]:
    """A row for each length of path."""
    columns = (found.layers, found.counts, found.path_shares, found.means, found.gradient_shares)
    return [
        {
            "net": label,
            "step": found.step,
            "images": found.images,
            "branches": length,
            "weighted_layers": layers,
            "paths": str(count),  # larger than what a table's whole numbers hold
            "share_of_paths": share,
            "sampled": len(found.norms[length]),
            "mean_gradient_norm": mean,
            "share_of_gradient": gradient,
        }
        for length, (layers, count, share, mean, gradient) in enumerate(zip(*columns, strict=True))
    ]


def reuse_rows(label: str, found: Reuse) -> list[Row]:
    """A row for each connection; source 0 is what came into the stage, the last target its end."""
    return [
        {
            "net": label,
            "step": found.step,
            "stage": stage.stage,
            "target": target,
            "source": source,
            "mean_absolute_weight": weight,
            "over_mean_of_target": relative,
        }
        for stage in found.stages
        for target, (row, over) in enumerate(zip(stage.weights, stage.relative, strict=True), 1)
        for source, (weight, relative) in enumerate(zip(row, over, strict=True))
        if weight is not None
    ]


def response_rows(label: str, found: Responses) -> list[Row]:
    """A row for each weighted layer but the head, then one for each block with a shortcut."""
    about = {"net": label, "step": found.step, "images": found.images}
    rows: list[Row] = []
    layers = weighted_layers(found.net)[:-1]
    for layer, value in zip(layers, found.response_std, strict=True):
        rows.append({**about, "place": layer.module, "response_std": value})
    for block, f, x in zip(
        blocks_of(found.net), found.branch_norm, found.shortcut_norm, strict=False
    ):
        norms = {"branch_norm": f, "shortcut_norm": x}
        rows.append({**about, "place": block.module, "response_std": None, **norms})
    return rows

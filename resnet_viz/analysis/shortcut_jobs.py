"""What to ask about the gradient's way through shortcuts and branches. No torch."""

from __future__ import annotations

from pathlib import Path

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.pace import free_bytes
from resnet_viz.analysis.signal_jobs import affordable_images
from resnet_viz.datasets.catalogue import describe
from resnet_viz.i18n import _
from resnet_viz.nets.costs import count_costs
from resnet_viz.records import RunInfo
from resnet_viz.specs import SHORTCUT_FAMILIES, DataSpec, NetSpec, SpecError

FEWEST_IMAGES, MOST_IMAGES = 2, 16
# A forward and a backward pass in float64 through the net, and again through every block apart,
# take about 0.65 ns a multiply-add of the batch, measured on one core: this is 0.7 s.
BATCH_MULTIPLY_ADDS = 1.1e9

# Of the memory that a job may take: a split takes 1.1 to 1.6 times what `affordable_images` counts,
# measured on five nets.
_MEMORY_SHARE = 0.8
_ANSWERS = "resnet_viz.analysis.shortcut_answers"


def decomposition_job(
    net: NetSpec, data: DataSpec, *, images: int | None = None, seed: int = 0
) -> Job:
    """Ask for the split of a net at initialisation; the answer is a `signals.Decomposition`.

    Args:
        images: in the batch; fewer where memory does not hold them. None for `default_images`.
        seed: of the initial weights and the batch: those with which a training begins.

    Raises:
        SpecError: a plain net, or one for which there is too little memory.
        DataError: an image folder cannot be used.
    """
    _check_residual(net)
    arguments = {
        "net": net.to_dict(),
        "data": data.to_dict(),
        "images": _fitting_images(net, data, images),
        "seed": seed,
    }
    return Job(f"{_ANSWERS}:decompose_initial", arguments)


def run_decomposition_job(
    run: RunInfo, checkpoint: Path, *, images: int | None = None, seed: int = 0
) -> Job:
    """Ask for the split of a trained net; the answer is a `signals.Decomposition`.

    Args:
        run: one with a checkpoint.
        checkpoint: file of its newest checkpoint (`RunStore.checkpoint_path`).
        images: training images in the batch; fewer where memory does not hold them. None for
            `default_images`.
        seed: of the batch.

    Raises:
        SpecError: a plain net, no checkpoint yet, or too little memory for the net.
        DataError: an image folder cannot be used.
    """
    _check_residual(run.spec.net)
    if run.checkpoint_step is None:
        raise SpecError(
            _("This run has no checkpoint yet; the first comes after some seconds of training.")
        )
    arguments = {
        "checkpoint": str(checkpoint),
        "step": run.checkpoint_step,
        "spec": run.spec.to_dict(),
        "images": _fitting_images(run.spec.net, run.spec.data, images),
        "seed": seed,
    }
    return Job(f"{_ANSWERS}:decompose_checkpoint", arguments)


def default_images(net: NetSpec, image_size: int) -> int:
    """As many images as take about 0.7 s: 16 for resnet-20 at 32 pixels, 4 for resnet-110.

    Never less than two, since batch norm compares images; so the widest and deepest nets take
    longer.
    """
    costs = count_costs(net, image_size=image_size)
    images = MOST_IMAGES
    while images > FEWEST_IMAGES and images * costs.multiply_adds > BATCH_MULTIPLY_ADDS:
        images //= 2
    return images


def _fitting_images(net: NetSpec, data: DataSpec, images: int | None) -> int:
    size = describe(data).image_size
    memory = int(_MEMORY_SHARE * free_bytes())
    return min(images or default_images(net, size), affordable_images(net, size, memory))


def _check_residual(net: NetSpec) -> None:
    if net.family not in SHORTCUT_FAMILIES:
        raise SpecError(
            _(
                "{net} has no shortcuts, so its gradient has nothing to be split into; "
                "choose family {families}."
            ).format(net=net.name, families=", ".join(SHORTCUT_FAMILIES))
        )

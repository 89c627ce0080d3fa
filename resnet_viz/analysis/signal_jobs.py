"""What to ask about signal and gradient at initialisation. No torch.

The answers are `signal_answers`, each a `signals.Signal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.pace import free_bytes
from resnet_viz.checks import check_integer
from resnet_viz.datasets.catalogue import describe
from resnet_viz.i18n import _
from resnet_viz.nets.costs import count_costs, training_bytes
from resnet_viz.specs import DataSpec, NetSpec, SpecError, TrainSpec, depth_beside

BATCHES = 8
IMAGES = 16
RATIO_DEPTHS = (8, 20, 32, 56, 110)
FEWEST_IMAGES = 2  # one image has no batch statistics
MOST_IMAGES = 4096

_ANSWER = "resnet_viz.analysis.signal_answers:measure_signal"
# Multiply-adds of one job's forward pass. With its backward pass they take 0.4 s of one core in
# float32, measured: plain-110 with 16 images of 32x32 pixels at width 16.
_JOB_MULTIPLY_ADDS = 5e9
_FLOAT64_COST = 4  # times that of float32, measured


def signal_jobs(
    nets: Sequence[NetSpec],
    data: DataSpec,
    batches: int = BATCHES,
    images: int | None = None,
    seed: int = 0,
) -> list[Job]:
    """Every net with the first batch, then every net with the next.

    Each batch has other images and other initial weights: batch b those of seed + b. Nets of
    one depth get one number of images, so that what differs between them is the net.

    Args:
        nets: each once; a net that comes twice is measured once.
        batches: how many, 1 to 100.
        images: in a batch; fewer where memory does not hold them. None for `quick_images`.
        seed: the first.

    Raises:
        SpecError: a number that is out of range, or a net for which there is too little memory.
        DataError: an image folder cannot be used.
    """
    check_integer("batches", batches, 1, 100)
    check_integer("seed", seed, 0, 2**31 - 1 - batches)
    if images is not None:
        check_integer("images", images, FEWEST_IMAGES, MOST_IMAGES)
    nets = list(dict.fromkeys(nets))
    size = data.image_size or describe(data).image_size
    memory = free_bytes()
    counts: dict[int, int] = {}  # by depth
    for net in nets:
        wanted = quick_images(net, size) if images is None else images
        count = min(wanted, affordable_images(net, size, memory))
        counts[net.depth] = min(count, counts.get(net.depth, count))
    return [
        Job(
            _ANSWER,
            {
                "net": net.to_dict(),
                "data": data.to_dict(),
                "images": counts[net.depth],
                "seed": number,
            },
        )
        for number in range(seed, seed + batches)
        for net in nets
    ]


def ratio_nets(nets: Iterable[NetSpec], depths: Iterable[int] = RATIO_DEPTHS) -> list[NetSpec]:
    """The same nets, in equal stages, at other depths: for the ratio first/last against depth."""
    nets = list(nets)
    fields = [net.to_dict() for net in nets]
    fields = [{k: v for k, v in each.items() if k != "blocks"} for each in fields]
    return [
        NetSpec.from_dict({**each, "depth": depth_beside(depth, each["family"], net.block)})
        for depth in depths
        for net, each in zip(nets, fields, strict=True)
    ]


def in_float64(net: NetSpec) -> bool:
    """Whether signal or gradient of this net at initialisation may leave the range of float32.

    Deep plain nets do (`probes.signal`), and weights whose scale does not keep the response's
    where no norm corrects it, or so small that batch norm's epsilon (1e-5, beside a variance)
    outweighs the response.
    """
    any_scale = net.norm == "none" and net.init in ("normal", "xavier")
    any_scale = any_scale or (net.init == "normal" and net.init_std < 1e-3)
    return net.depth > 200 or any_scale


def quick_images(net: NetSpec, image_size: int) -> int:
    """As many images as make a job of under half a second: a power of two, `IMAGES` at most.

    16 for plain-110 at 32 pixels and width 16, 2 for plain-1202 (which takes
    longer all the same).
    """
    work = count_costs(net, image_size=image_size).multiply_adds
    if in_float64(net):
        work *= _FLOAT64_COST
    images = IMAGES
    while images > FEWEST_IMAGES and images * work > _JOB_MULTIPLY_ADDS:
        images //= 2
    return images


def affordable_images(net: NetSpec, image_size: int, memory_bytes: int) -> int:
    """The largest power of two of images whose passes fit into the memory.

    Raises:
        SpecError: not even two do.
    """
    costs = count_costs(net, image_size=image_size)
    size = 2 if in_float64(net) else 1
    images = MOST_IMAGES
    while size * training_bytes(costs, TrainSpec(batch_size=images)) > memory_bytes:
        images //= 2
        if images < FEWEST_IMAGES:
            need = size * training_bytes(costs, TrainSpec(batch_size=FEWEST_IMAGES))
            text = _(
                "{net} at {size}×{size} pixels needs {need:.1f} GB of memory for two images, and "
                "{free:.1f} GB can be used; choose a smaller depth, width or image size."
            )
            free = memory_bytes / 1e9
            raise SpecError(text.format(net=net.name, size=image_size, need=need / 1e9, free=free))
    return images

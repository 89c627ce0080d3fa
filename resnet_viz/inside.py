"""What was found inside a net that looked at one image, as pages and figures take it.

Arrays are numpy float32 unless said otherwise; feature maps are (channels, height, width). An
image is the exact square that the net sees: uint8 (height, width, 3). No torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resnet_viz.specs import NetSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]
else:
    Floats = Any  # numpy is not needed to say what these are


@dataclass(frozen=True)
class Prediction:
    """What a net says of an image.

    Attributes:
        probabilities: (classes,), softmax of the logits.
        logits: (classes,).
    """

    probabilities: Floats
    logits: Floats

    def top(self, count: int = 5) -> list[int]:
        """The most probable classes, the first one first."""
        order = sorted(range(len(self.probabilities)), key=lambda i: -float(self.probabilities[i]))
        return order[:count]


@dataclass(frozen=True)
class Strongest:
    """The channels of one point with the highest mean activation (absolute value).

    Attributes:
        point: its name (`points.Point.name`).
        shape: (channels, height, width) of the whole point.
        channels: numbers of the strongest channels, the strongest first.
        maps: (len(channels), height, width).
        strength: (channels,) of every channel: mean of the absolute activation.
    """

    point: str
    shape: tuple[int, int, int]
    channels: tuple[int, ...]
    maps: Floats
    strength: Floats


@dataclass(frozen=True)
class Overview:
    """One image through one net, from the stem to the prediction.

    Attributes:
        prediction: of the image.
        strip: the output of the stem and of the last block of every stage.
        branch_norm, shortcut_norm, sum_norm: a block; L2 norm of F(x), of what the shortcut gives,
            and of their sum. For a plain net only `branch_norm` (the branch is all there is); the
            others are empty.
        output_norm: a block; L2 norm of its output.
    """

    prediction: Prediction
    strip: tuple[Strongest, ...]
    branch_norm: tuple[float, ...]
    shortcut_norm: tuple[float, ...]
    sum_norm: tuple[float, ...]
    output_norm: tuple[float, ...]


@dataclass(frozen=True)
class FeatureMaps:
    """Every channel at one point.

    Attributes:
        point: its name.
        values: (channels, height, width).
        filters: (channels, input channels, kernel, kernel), weights of the convolution whose
            output this is where that looks at the image itself (the stem's); else None.
    """

    point: str
    values: Floats
    filters: Floats | None = None


@dataclass(frozen=True)
class BlockMaps:
    """One residual block's sum and its parts.

    Attributes:
        block: name of the point of its output ("stage2.block3").
        x: its input; may have another shape than the rest.
        shortcut, branch, total: what the shortcut gives, F(x), and their sum before any ReLU.
    """

    block: str
    x: Floats
    shortcut: Floats
    branch: Floats
    total: Floats


@dataclass(frozen=True)
class LinearProbes:
    """A linear classifier on every block's pooled output (Alain & Bengio 2016, arXiv:1610.01644).

    Attributes:
        net: the net.
        step: training steps behind it; None where not known.
        points: name of the stem's output and of every block's.
        train_error, test_error: a point; fractions.
        train_images, test_images: with which the probes were fitted and tested.
        net_error: of the net itself on the same test images.
        classes: names.
        data: what the images are, in words.
        weights, bias: a point; (classes, channels) and (classes,), on the pooled outputs as they
            are (standardisation is folded in).
    """

    net: NetSpec
    step: int | None
    points: tuple[str, ...]
    train_error: tuple[float, ...]
    test_error: tuple[float, ...]
    train_images: int
    test_images: int
    net_error: float
    classes: tuple[str, ...]
    data: str
    weights: tuple[Floats, ...]
    bias: tuple[Floats, ...]


@dataclass(frozen=True)
class Attribution:
    """Which pixels decided, by one method.

    Attributes:
        method: its name in `methods`.
        values: (channels, height, width) at the size of the image that the net sees, as the
            method gives them, or (1, height, width) where it gives one value a pixel. Maps of a
            layer (Grad-CAM, HiResCAM) are enlarged to the image bilinearly; the map itself is in
            `coarse`.
        target: class whose logit was explained.
        target_logit, target_probability: of the image.
        delta: completeness: sum of the values less (logit of the image less logit of the
            baseline); None where the method does not promise completeness.
        expected: logit of the image less logit of the baseline, which the sum should be; None as
            for `delta`.
        coarse: (height, width) of a layer's map; None for other methods.
        seconds: of computing, all parts together.
    """

    method: str
    values: Floats
    target: int
    target_logit: float
    target_probability: float
    delta: float | None = None
    expected: float | None = None
    coarse: Floats | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Curve:
    """Probability of the target while pixels go or come in the order of an attribution
    (Petsiuk et al. 2018, arXiv:1806.07421).

    Attributes:
        kind: "deletion" or "insertion".
        share: of the pixels changed so far, 0..1.
        probability: of the target, as long.
        area: under the curve, by the trapezoidal rule, 0..1.
    """

    kind: str
    share: tuple[float, ...]
    probability: tuple[float, ...]
    area: float


@dataclass(frozen=True)
class Localisation:
    """How well one method finds the object over many images whose object mask is known.

    Attributes:
        net: title of the net.
        method: its name in `methods`.
        inside: an image; share of the absolute attribution that lies inside the mask.
        hits: an image; whether the strongest pixel lies inside the mask (pointing game, Zhang et
            al. 2016, arXiv:1608.00507).
        mask_share: an image; share of the pixels that the mask covers: what chance would give.
        correct: an image; whether the net names its class.
    """

    net: str
    method: str
    inside: tuple[float, ...]
    hits: tuple[bool, ...]
    mask_share: tuple[float, ...]
    correct: tuple[bool, ...]


@dataclass(frozen=True)
class Evaluation:
    """Errors of a net on labelled images.

    Attributes:
        net: title of the net.
        data, split: what the images are.
        images: how many.
        error: fraction.
        classes: names.
        class_images, class_errors: a class; how many images, and fraction wrong (NaN for none).
        confusion: int64 (classes, classes); rows are the truth, columns the prediction.
        seconds: of computing.
    """

    net: str
    data: str
    split: str
    images: int
    error: float
    classes: tuple[str, ...]
    class_images: tuple[int, ...]
    class_errors: tuple[float, ...]
    confusion: Floats
    seconds: float

"""The attribution methods by name: what each asks, its paper, its parameters. No torch."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resnet_viz.checks import SpecError, check_choice, check_integer, check_number
from resnet_viz.i18n import _
from resnet_viz.points import points_of
from resnet_viz.specs import NetSpec

BASELINES = ("mean", "black", "white", "blurred")
SEGMENTS = ("superpixels", "grid")


@dataclass(frozen=True)
class Parameter:
    """A setting of a method.

    Attributes:
        name: in links, command lines and jobs.
        title: for a person.
        default: for the net and the image size that `method` was asked about.
        low, high: of a number; None for a choice.
        choices: of a choice; () for a number.
        help: one sentence.
        of_net: of the net, what the default depends on; "" if that is the same for all.
    """

    name: str
    title: str
    default: int | float | str
    low: int | float | None = None
    high: int | float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    of_net: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What tells its control apart: a net with another default gets a control of its own."""
        return (self.name, self.of_net) if self.of_net else (self.name,)

    def check(self, value: Any) -> int | float | str:
        """The value, if it can be used.

        Raises:
            SpecError: it cannot; the message says what can.
        """
        if self.choices:
            check_choice(self.name, value, self.choices)
        elif isinstance(self.default, int):
            check_integer(self.name, value, int(self.low or 0), int(self.high or 0))
        else:
            check_number(self.name, value, float(self.low or 0), float(self.high or 0))
            value = float(value)
        return value


@dataclass(frozen=True)
class Method:
    """An attribution method.

    Attributes:
        name: "integrated-gradients".
        title: "Integrated Gradients".
        asks: the question that it answers, one line.
        paper: authors, year, place.
        parameters: in the order of the controls.
        completeness: its values should add up to the logit's difference from a baseline.
        signed: its values have a sign (for and against the target).
        coarse: it is computed at a layer and enlarged.
    """

    name: str
    title: str
    asks: str
    paper: str
    parameters: tuple[Parameter, ...] = ()
    completeness: bool = False
    signed: bool = True
    coarse: bool = False

    def fill(self, given: Mapping[str, Any] | None = None) -> dict[str, int | float | str]:
        """Every parameter, those that are not given at their default.

        Raises:
            SpecError: an unknown parameter, or a value that cannot be used, or not with the others.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given or {}:
            if name not in known:
                text = _("{method} has no parameter {name!r}; it has: {known}")
                names = ", ".join(known) or _("none")
                raise SpecError(text.format(method=self.title, name=name, known=names))
        values = {name: parameter.default for name, parameter in known.items()} | dict(given or {})
        values = {name: known[name].check(value) for name, value in values.items()}
        if "stride" in values and values["stride"] > values["window"]:
            text = _(
                "a stride of {stride} leaves gaps between patches of {window}; use 1 to {window}"
            )
            raise SpecError(text.format(**values))
        return values


NAMES = (
    *("saliency", "input-x-gradient", "integrated-gradients", "smoothgrad", "vargrad"),
    *("guided-backprop", "deconvolution", "deeplift", "gradient-shap"),
    *("occlusion", "feature-ablation", "grad-cam", "guided-grad-cam", "hirescam"),
)


def method(name: str, net: NetSpec, image_size: int) -> Method:
    """The method of that name, with parameters that suit the net and its images.

    Raises:
        SpecError: there is none; the message names the nearest.
    """
    if name not in NAMES:
        close = difflib.get_close_matches(name, NAMES, n=3, cutoff=0.3) or NAMES
        text = _("there is no method {name!r}; nearest: {near}")
        raise SpecError(text.format(name=name, near=", ".join(close)))
    return {found.name: found for found in methods(net, image_size)}[name]


# Signed gradients: by how much the logit changes with a pixel's value. All other maps say what a
# pixel adds, or, without a sign, how much it matters.
LOCAL = ("smoothgrad", "guided-backprop", "deconvolution", "guided-grad-cam")


def methods(net: NetSpec, image_size: int) -> list[Method]:
    """Every method, in the order of `NAMES`."""
    baseline = _baseline()
    point = _point(net)
    window = max(2, image_size // 8)
    stride = max(1, image_size // 16)
    size = str(image_size)
    return [
        Method(
            "saliency",
            _("Saliency"),
            _("How strongly does the logit react to a small change of this pixel?"),
            "Simonyan et al. 2013, arXiv:1312.6034",
            signed=False,
        ),
        Method(
            "input-x-gradient",
            _("Input × Gradient"),
            _("How much does this pixel's own value count, to first order?"),
            "Shrikumar et al. 2016, arXiv:1605.01713",
        ),
        Method(
            "integrated-gradients",
            _("Integrated Gradients"),
            _("How much did this pixel add on the way from a baseline to the image?"),
            "Sundararajan et al. 2017, arXiv:1703.01365",
            (
                Parameter("steps", _("Steps"), 50, 8, 300, help=_("Of the path's integral.")),
                baseline,
            ),
            completeness=True,
        ),
        Method(
            "smoothgrad",
            _("SmoothGrad"),
            _("What does the gradient say on average over noisy copies of the image?"),
            "Smilkov et al. 2017, arXiv:1706.03825",
            _noise_parameters(),
        ),
        Method(
            "vargrad",
            _("VarGrad"),
            _("Where does the gradient vary most over noisy copies of the image?"),
            "Adebayo et al. 2018, arXiv:1810.03307",
            _noise_parameters(),
            signed=False,
        ),
        Method(
            "guided-backprop",
            _("Guided Backprop"),
            _("Which pixels excite units that speak for the target, at every ReLU?"),
            "Springenberg et al. 2014, arXiv:1412.6806",
        ),
        Method(
            "deconvolution",
            _("Deconvolution"),
            _("Which pattern does the target call for, sent back through the net?"),
            "Zeiler & Fergus 2013, arXiv:1311.2901",
        ),
        Method(
            "deeplift",
            _("DeepLift"),
            _("How much of the difference from a baseline does this pixel explain?"),
            "Shrikumar et al. 2017, arXiv:1704.02685",
            (baseline,),
            completeness=True,
        ),
        Method(
            "gradient-shap",
            _("GradientSHAP"),
            _("What does this pixel add, at random points between a baseline and noisy copies?"),
            "Lundberg & Lee 2017, arXiv:1705.07874",
            (*_noise_parameters(), baseline),
            completeness=True,
        ),
        Method(
            "occlusion",
            _("Occlusion"),
            _("How far does the logit fall when a patch is covered?"),
            "Zeiler & Fergus 2013, arXiv:1311.2901",
            (
                Parameter("window", _("Patch, pixels"), window, 1, image_size, of_net=size),
                Parameter("stride", _("Stride, pixels"), stride, 1, image_size, of_net=size),
                baseline,
            ),
        ),
        Method(
            "feature-ablation",
            _("Feature Ablation"),
            _("How far does the logit fall when one region is taken away?"),
            _("captum's Feature Ablation; superpixels: Achanta et al. 2012 (SLIC)"),
            (
                Parameter("segments", _("Regions"), SEGMENTS[0], choices=SEGMENTS),
                Parameter("count", _("Number of regions"), 49, 4, 400),
                baseline,
            ),
        ),
        Method(
            "grad-cam",
            _("Grad-CAM"),
            _("Which places of this block's maps speak for the target?"),
            "Selvaraju et al. 2016, arXiv:1610.02391",
            (point,),
            signed=False,
            coarse=True,
        ),
        Method(
            "guided-grad-cam",
            _("Guided Grad-CAM"),
            _("Which fine detail lies where Grad-CAM looks?"),
            "Selvaraju et al. 2016, arXiv:1610.02391",
            (point,),
        ),
        Method(
            "hirescam",
            _("HiResCAM (layer gradient × activation)"),
            _("How much does each place of this block's maps add, to first order?"),
            "Draelos & Carin 2020, arXiv:2011.08891",
            (point,),
            coarse=True,
        ),
    ]


def _baseline() -> Parameter:
    return Parameter(
        "baseline",
        _("Baseline"),
        BASELINES[0],
        choices=BASELINES,
        help=_("What stands for “nothing there”: the training images' mean colour, black, …"),
    )


def _noise_parameters() -> tuple[Parameter, ...]:
    return (
        Parameter("samples", _("Samples"), 25, 2, 200),
        Parameter(
            "noise",
            _("Noise"),
            0.15,
            0.0,
            1.0,
            help=_("Standard deviation, as a share of the image's range of values."),
        ),
        Parameter("seed", _("Seed"), 0, 0, 2**31 - 1),
    )


def _point(net: NetSpec) -> Parameter:
    outputs = tuple(point.name for point in points_of(net) if point.kind == "output")
    return Parameter(
        "point",
        _("Block"),
        outputs[-1],
        choices=outputs,
        of_net=outputs[-1],
        help=_("Deeper blocks look coarser and at more meaning."),
    )

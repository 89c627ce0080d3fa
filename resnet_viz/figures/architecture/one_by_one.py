"""What a 1×1 convolution saves: one block as basic and as bottleneck, in weights and arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.architecture.words import short
from resnet_viz.figures.palette import LOOKS
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _

_SHADES = {1: LOOKS["preact"].shades[1], 3: LOOKS["resnet"].shades[1]}


@dataclass(frozen=True)
class Convolution:
    """A convolution of stride 1 that keeps the image size.

    Attributes:
        kernel: side in pixels.
        c_in, c_out: channels.
        side: of its output in pixels.
    """

    kernel: int
    c_in: int
    c_out: int
    side: int

    @property
    def parameters(self) -> int:
        """Weights; it has no bias."""
        return self.kernel**2 * self.c_in * self.c_out

    @property
    def multiply_adds(self) -> int:
        """Of one image."""
        return self.parameters * self.side**2

    @property
    def title(self) -> str:
        """ "3×3, 256→64"."""
        return f"{self.kernel}×{self.kernel}, {self.c_in}→{self.c_out}"

    @property
    def arithmetic(self) -> str:
        """ "3·3·256·64"."""
        return f"{self.kernel}·{self.kernel}·{self.c_in}·{self.c_out}"


Convolutions = Sequence[Convolution]


def basic_block(channels: int, side: int) -> list[Convolution]:
    """Two 3×3 convolutions (He et al. 2015, Fig. 5, left)."""
    return [Convolution(3, channels, channels, side)] * 2


def bottleneck_block(channels: int, width: int, side: int) -> list[Convolution]:
    """1×1 to `width` channels, 3×3, 1×1 back (He et al. 2015, Fig. 5, right)."""
    return [
        Convolution(1, channels, width, side),
        Convolution(3, width, width, side),
        Convolution(1, width, channels, side),
    ]


def parameters_of(block: Convolutions) -> int:
    """Weights of a block's convolutions."""
    return sum(conv.parameters for conv in block)


def multiply_adds_of(block: Convolutions) -> int:
    """Multiply-adds of a block's convolutions, of one image."""
    return sum(conv.multiply_adds for conv in block)


def block_costs(basic: Convolutions, bottleneck: Convolutions) -> go.Figure:
    """Weights on the left, multiply-adds on the right: a bar a block, a piece a convolution."""
    names = [_("basic"), _("bottleneck")]
    figure = go.Figure(layout=layout("", _("parameters")))
    for number, block in enumerate((basic, bottleneck)):
        for place, conv in enumerate(block):
            for axis, value in (("", conv.parameters), ("2", conv.multiply_adds)):
                figure.add_trace(_piece(conv, names[number], (number, place), axis, value))
    figure.update_layout(
        barmode="stack",
        showlegend=False,
        margin={"b": 40},
        bargap=0.25,
        uniformtext={"minsize": 11, "mode": "hide"},  # thin pieces say it to the pointer only
        xaxis={"domain": [0, 0.44], "ticklabelstandoff": 6},
        xaxis2={"domain": [0.56, 1], "anchor": "y2", "ticklabelstandoff": 6},
        yaxis={"tickformat": "~s"},
        yaxis2={
            "anchor": "x2",
            "title": {"text": _("multiply-adds of one image")},
            "gridcolor": figure.layout.template.layout.yaxis.gridcolor,
            "tickformat": "~s",
        },
        annotations=[
            _total(name, axis, value)
            for name, block in zip(names, (basic, bottleneck), strict=True)
            for axis, value in (("", parameters_of(block)), ("2", multiply_adds_of(block)))
        ],
    )
    return figure


def _total(name: str, axis: str, value: int) -> dict[str, Any]:
    return {
        "x": name,
        "y": value,
        "xref": f"x{axis}",
        "yref": f"y{axis}",
        "text": f"<b>{short(value)}</b>",
        "showarrow": False,
        "yanchor": "bottom",
        "font": {"size": 14},
    }


def _piece(
    conv: Convolution, name: str, at: tuple[int, int], axis: str, value: int
) -> dict[str, Any]:
    return {
        "type": "bar",
        "uid": identifier(f"block-{at[0]}-{at[1]}-{axis}"),
        "x": [name],
        "y": [value],
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "marker": {"color": _SHADES[conv.kernel], "line": {"width": 1, "color": "#ffffff"}},
        "text": [f"{conv.title}: {short(value)}"],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "insidetextfont": {"color": "#ffffff"},
        "hovertemplate": f"{conv.title}<br>{value:,}<extra></extra>",
    }


def saving_caption(basic: Convolutions, bottleneck: Convolutions) -> str:
    """The arithmetic in words."""
    first, _middle, last = bottleneck
    ours, theirs = parameters_of(basic), parameters_of(bottleneck)
    ratio = ours / theirs
    lines = [
        _("**basic**: {sum} = **{n:,}** weights; on {side}×{side} pixels {work} multiply-adds."),
        _("**bottleneck**: {sum} = **{n:,}** weights, {work} multiply-adds."),
    ]
    texts = [
        line.format(
            sum=" + ".join(conv.arithmetic for conv in block),
            n=parameters_of(block),
            side=block[0].side,
            work=short(multiply_adds_of(block)),
        )
        for line, block in zip(lines, (basic, bottleneck), strict=True)
    ]
    if ratio >= 1:
        verdict = _("The bottleneck needs {ratio:.3g} times fewer of both")
    else:
        verdict, ratio = _("The bottleneck needs {ratio:.3g} times more of both"), 1 / ratio
    why = _(
        "its two 1×1 convolutions cost {ones:,} weights, and between them the 3×3 works on {width} "
        "channels instead of {channels}: {small:,} weights instead of {large:,}."
    ).format(
        ones=first.parameters + last.parameters,
        width=first.c_out,
        channels=basic[0].c_in,
        small=bottleneck[1].parameters,
        large=ours,
    )
    return "\n\n".join([*texts, f"{verdict.format(ratio=ratio)}: {why}"])


def paper_caption() -> str:
    """The pair of He et al. 2015, Fig. 5, counted."""
    text = _(
        "He et al. 2015, Fig. 5, sets a basic block of {a} channels ({n:,} weights) beside a "
        "bottleneck of {b} ({m:,}): about the same cost for four times the channels. Batch norm, "
        "biases and projections are not counted here; stride 1 throughout."
    )
    return text.format(
        a=64,
        b=256,
        n=parameters_of(basic_block(64, 56)),
        m=parameters_of(bottleneck_block(256, 64, 56)),
    )

"""The profiles of a sweep as one HTML page that needs no network."""

from __future__ import annotations

from resnet_viz.figures.page import html_page
from resnet_viz.figures.profiles.captions import profile_caption, ratio_caption
from resnet_viz.figures.profiles.data import ProfiledRun, ProfiledRuns
from resnet_viz.figures.profiles.heat import depth_multiples, layer_heat
from resnet_viz.figures.profiles.lines import profile_at
from resnet_viz.figures.ratios import ratio_vs_depth, ratios_at

_ALSO = ("update_ratio", "response_std")  # beside the gradient


def profiles_page(runs: ProfiledRuns, title: str) -> str:
    """A whole HTML document: the deepest nets side by side, all depths, ratio, and captions.

    Args:
        runs: with profiles in order of step; of several seeds and learning rates, those of the
            first run are shown side by side, and all of them in the ratio.
        title: of the document.
    """
    pair = _deepest(runs)
    column = "gradient_norm"
    ratios = ratios_at(runs)
    figures = [
        layer_heat(pair, column),
        profile_at(pair, column),
        ratio_vs_depth(ratios),
        *(depth_multiples(runs, name) for name in (column, *_ALSO)),
    ]
    return html_page(title, figures, [profile_caption(pair, column), ratio_caption(ratios)])


def _deepest(runs: ProfiledRuns) -> list[ProfiledRun]:
    """The deepest nets of every family, with the seed and learning rate of the first run."""
    if not runs:
        return []
    recipe = (runs[0][0].spec.train.seed, runs[0][0].spec.train.lr)
    alike = [r for r in runs if (r[0].spec.train.seed, r[0].spec.train.lr) == recipe]
    depth = max(info.spec.net.depth for info, _profiles in alike)
    return [run for run in alike if run[0].spec.net.depth == depth]

"""Charts and captions of how far to trust maps say what was measured."""

import math

import pytest

from resnet_viz.analysis.tables import rows_csv
from resnet_viz.figures.attributions.captions import (
    colours_caption,
    completeness_caption,
    curves_caption,
    infidelity_caption,
    localisation_caption,
    randomised_caption,
    sensitivity_caption,
)
from resnet_viz.figures.attributions.curves import deletion_and_insertion
from resnet_viz.figures.attributions.lines import Curves, Localised, card_labels
from resnet_viz.figures.attributions.localisation import localisation, wilson
from resnet_viz.figures.attributions.rows import curve_rows, localisation_rows, trust_rows
from resnet_viz.figures.palette import LOOKS
from resnet_viz.inside import Attribution, Curve, Localisation
from resnet_viz.methods import methods
from resnet_viz.sources import NetCard
from resnet_viz.specs import NetSpec
from resnet_viz.trust import Infidelity, Sensitivity

CLASSES = tuple("ab")
NAN = math.nan


def curve(kind, *probability, area):
    share = tuple(i / (len(probability) - 1) for i in range(len(probability)))
    return Curve(kind, share, probability, area)


def curves(label="Saliency", family="resnet", deletion=0.25, insertion=0.75, by_lot=None):
    return Curves(
        label,
        family,
        curve("deletion", 1.0, 0.5, 0.1, area=deletion),
        curve("insertion", 0.2, 0.9, 1.0, area=insertion),
        by_lot,
    )


BY_LOT = curve("deletion", 1.0, 0.8, 0.1, area=0.5), curve("insertion", 0.2, 0.6, 1.0, area=0.6)


def card(family="resnet", depth=8, step=None):
    net = NetSpec(family, depth)
    return NetCard(net.name, net, CLASSES, 32, 3, (0.5,) * 3, (0.5,) * 3, 1, step)


def localised(method="saliency", inside=(0.5, 0.3), hits=(True, True), **of_card):
    found = Localisation(
        "net", method, tuple(inside), tuple(hits), (0.1,) * len(inside), (True,) * len(inside)
    )
    return Localised(card(**of_card), found)


def test_both_curves_in_per_cent_with_areas_and_chance():
    figure = deletion_and_insertion([curves(by_lot=BY_LOT)])
    lot, lot_in, own, own_in = figure.data
    assert list(own.y) == [100, 50, 10]
    assert list(own.x) == [0, 50, 100]
    assert list(own_in.y) == [20, 90, 100]
    assert (own.xaxis, own_in.xaxis) == ("x", "x2")
    assert "0.25 and 0.75" in own.name
    assert "0.50 and 0.60" in lot.name
    assert lot.line.color == lot_in.line.color == own.line.color == LOOKS["resnet"].shades[-1]
    assert [t.showlegend for t in figure.data] == [True, False, True, False]


def test_maps_of_one_net_differ_in_marker_and_shade_nets_in_their_family():
    figure = deletion_and_insertion([curves("A"), curves("B"), curves("C", "plain")])
    a, b, c = figure.data[::2]
    assert len({t.line.color for t in (a, b, c)}) == 3
    assert a.marker.symbol == LOOKS["resnet"].symbol
    assert b.marker.symbol not in (a.marker.symbol, LOOKS["plain"].symbol)
    assert (c.line.color, c.marker.symbol) == (LOOKS["plain"].shades[-1], LOOKS["plain"].symbol)


def test_the_caption_of_curves_names_the_best_and_those_no_better_than_chance():
    both = [curves("A", by_lot=BY_LOT), curves("B", "resnet", 0.5, 0.9, BY_LOT)]
    text = curves_caption(both)
    assert "under deletion: A, 0.25" in text
    assert "under insertion: B, 0.90" in text
    assert "No better than that under deletion: B." in text
    assert "No better than that under insertion" not in text
    assert "10 %" in text
    assert "20 %" in text
    assert "Smallest" not in curves_caption([curves(by_lot=BY_LOT)])
    assert curves_caption([]) == "Nothing has been measured yet."


def test_every_net_is_held_against_pixels_by_lot_of_its_own():
    other = curve("deletion", 1.0, 0.1, 0.0, area=0.2), curve("insertion", 0.0, 0.1, 1.0, area=0.3)
    nets = [curves("resnet-8", by_lot=other), curves("plain-8", "plain", by_lot=BY_LOT)]
    figure = deletion_and_insertion(nets)
    by_lot, own = figure.data[0], figure.data[2]
    assert list(by_lot.y) == [100, 10, 0]
    assert by_lot.line.color == own.line.color
    assert by_lot.line.dash != own.line.dash
    assert "resnet-8, pixels by lot: areas 0.20 and 0.30" in by_lot.name
    text = curves_caption(nets)
    assert "areas of 0.20, 0.50 under deletion and 0.30, 0.60 under insertion" in text
    assert "No better than that under deletion: resnet-8." in text
    assert "No better than that under insertion" not in text
    assert {row["map"] for row in curve_rows(nets)} >= {"resnet-8, by lot", "plain-8, by lot"}


def test_localisation_shows_every_image_the_hits_and_chance():
    measured = [localised(inside=(0.5, NAN, 0.2), hits=(True, False, True))]
    measured.append(localised(inside=(0.4, 0.4, 0.4), hits=(False,) * 3, family="plain"))
    figure = localisation(measured)
    box, bar, plain_box, plain_bar = figure.data
    assert list(box.x) == [50, 20]
    assert set(box.y) == {"Saliency"}
    assert bar.x[0] == pytest.approx(200 / 3)
    assert list(plain_bar.x) == [0]
    assert bar.x[0] - bar.error_x.arrayminus[0] == pytest.approx(100 * wilson(2, 3)[0])
    assert plain_box.marker.color == LOOKS["plain"].shades[-1]
    assert bar.marker.pattern.shape != plain_bar.marker.pattern.shape
    assert [shape.x0 for shape in figure.layout.shapes] == pytest.approx([10, 10])
    assert "no dot for 1 of 6 maps" in figure.layout.xaxis.title.text
    assert "NaN" not in figure.to_json()


def test_a_method_that_was_not_measured_on_every_net_has_its_place():
    figure = localisation([localised("saliency"), localised("grad-cam", family="plain")])
    assert list(figure.layout.yaxis.categoryarray) == ["Saliency", "Grad-CAM"]
    assert figure.layout.yaxis.range == (1.5, -0.5)  # from the top
    assert set(figure.data[2].y) == {"Grad-CAM"}
    more = localisation([localised("saliency"), localised("saliency", family="plain")])
    assert more.layout.height < figure.layout.height


def test_localisation_without_measurements_says_so():
    assert "no measurements yet" in localisation([]).layout.xaxis.title.text
    assert localisation_caption([]) == "Nothing has been measured yet."


def test_the_caption_of_localisation_names_the_best_and_what_chance_would_do_as_well():
    hits = (True,) * 40
    measured = [
        localised(inside=(0.2,) * 40, hits=(False,) * 36 + (True,) * 4),
        localised("grad-cam", inside=(0.6,) * 40, hits=hits),
    ]
    text = localisation_caption(measured)
    assert "covers 10 %" in text
    assert "resnet-8: Grad-CAM has most on the object, 60 % on average." in text
    assert "names 40 of the 40" in text
    assert "no more surely than chance: Saliency (resnet-8)." in text


def test_wilsons_interval_ends_where_the_normal_test_of_a_share_does():
    for end in wilson(8, 10):
        assert abs(0.8 - end) == pytest.approx(1.96 * math.sqrt(end * (1 - end) / 10))
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)


def test_checkpoints_of_one_net_are_told_apart():
    early, late, twin = card(step=10), card(step=3000), card("plain")
    assert card_labels([early, late, twin, early]) == {
        early: "resnet-8 @ 10",
        late: "resnet-8 @ 3,000",
        twin: "plain-8",
    }


def test_captions_of_numbers():
    assert "25 % (infidelity 4)" in infidelity_caption({"A": Infidelity(4.0, 0.5, 2.0, 64)})
    assert "no square changed it" in infidelity_caption({"A": Infidelity(4.0, 0.0, 0.0, 64)})
    text = sensitivity_caption({"A": Sensitivity((0.1, 0.3), 5), "B": Sensitivity((2.0, 1.0), 5)})
    assert "A 30 %; B 200 %" in text
    assert "5 grey levels" in text
    assert "by −0.10" in randomised_caption("stage2", -0.1)
    assert "one value" in randomised_caption("stage2", NAN)


def test_the_caption_of_completeness():
    found = Attribution("deeplift", None, 0, 3.0, 0.9, delta=-0.5, expected=2.5)
    assert "adds up to 2.00" in completeness_caption(found)
    assert "0.5 is missing or too much (20 % of it)" in completeness_caption(found)
    assert completeness_caption(Attribution("saliency", None, 0, 3.0, 0.9)) == ""


def test_rows_to_take_away():
    points = curve_rows([curves(by_lot=BY_LOT)])
    assert [len(points), points[0]["probability"], points[-1]["map"]] == [
        12,
        1.0,
        "Saliency, by lot",
    ]
    (row,) = trust_rows({"A": Infidelity(4.0, 0.0, 0.0, 64)}, {})
    assert (row["infidelity"], row["share_untold"], row["max_sensitivity"]) == (4.0, None, None)
    rows = localisation_rows([localised(inside=(0.5, NAN))])
    assert [r["share_on_object"] for r in rows] == [0.5, None]
    assert rows_csv(rows).splitlines()[2].split(",")[4] == ""


def test_the_colours_are_said_of_the_methods_that_are_shown():
    offered = {m.name: m for m in methods(NetSpec("resnet", 8), 32)}

    def said(*names, view="heat"):
        return colours_caption([offered[name] for name in names], view)

    assert said("saliency").startswith("Saliency: the brighter, the stronger.")
    assert "red" not in said("saliency", "grad-cam")
    assert "Integrated Gradients: red speaks for the class" in said("integrated-gradients")
    both = said("deeplift", "smoothgrad")
    assert "DeepLift: red speaks for the class" in both
    assert "SmoothGrad: where a pixel's value should rise to raise the logit (red)" in both
    assert "brighter" not in both
    assert "red" not in said("deeplift", view="mask")

"""The page "Attributions": methods side by side, how far to trust them, which finds the object."""

import csv
import io
import json

import numpy as np
import pytest
import torch

from resnet_viz.figures.maps.pictures import image_png
from resnet_viz.methods import methods
from tests.pages.inside import (
    PLAIN,
    RESIDUAL,
    as_seen,
    is_there,
    numbers,
    opened,
    opened_png,
    png,
    seen_pixels,
)
from tests.pages.waiting import said, texts, until

PAGE = "attributions"
ALONE = {"beside_what": "none"}
ONE = {"net": RESIDUAL, **ALONE}
ENDED = is_there("attributions.png")


def gradient_times_input(name, target=None):
    """The sum of Input×Gradient by autograd alone, the class and its logit."""
    net = opened(name)
    image = as_seen(net).requires_grad_()
    logits = net.net(image)[0]
    target = int(logits.argmax()) if target is None else target
    (gradient,) = torch.autograd.grad(logits[target], image)
    total = (gradient * image).sum().item()
    return total, net.card.classes[target], logits[target].item()


# Methods side by side


def test_the_first_visit_compares_methods_for_a_net_and_its_twin(app, files):
    page = until(app(PAGE, net=RESIDUAL), ENDED)
    table = numbers(page, "logit")
    assert set(table["net"]) == {RESIDUAL, PLAIN}
    assert len(table) == 2 * len(page.multiselect(key="methods").value)
    assert (table["seconds"] > 0).all()
    # One class, the one that the first net predicts, is explained for both.
    assert len(set(table["target"])) == 1
    asked = [m for m in methods(opened(RESIDUAL).card.net, 32) if m.name in set(table["method"])]
    for method in asked:
        assert f"**{method.title}**" in texts(page.markdown)
        assert method.asks in texts(page.caption)
    assert not page.warning
    rows = list(csv.DictReader(io.StringIO(files["attributions.csv"]())))
    assert [row["method"] for row in rows] == list(table["method"])
    assert {row["parameter_steps"] for row in rows} == {"", "50"}  # most methods have none


def test_the_maps_are_the_gradients_that_autograd_gives(app, files):
    page = until(app(PAGE, net=RESIDUAL, methods="input-x-gradient"), ENDED)
    table = numbers(page, "logit").set_index("net")
    total, name, logit = gradient_times_input(RESIDUAL)
    assert table["target"][RESIDUAL] == name
    assert table["sum"][RESIDUAL] == pytest.approx(total, rel=1e-3, abs=1e-5)
    assert table["logit"][RESIDUAL] == pytest.approx(logit, rel=1e-4, abs=1e-4)
    number = opened(PLAIN).card.classes.index(name)
    total, _name, logit = gradient_times_input(PLAIN, number)
    assert table["sum"][PLAIN] == pytest.approx(total, rel=1e-3, abs=1e-5)
    rows = json.loads(files["attributions.json"]())
    assert [row["sum"] for row in rows] == list(table["sum"])
    assert len(files["attributions.csv"]().splitlines()) == 3
    # The image that the nets saw stands above the maps, and no title above nothing.
    drawn = np.array(opened_png(files["attributions.png"]()).convert("RGB"))
    image = np.array(opened_png(image_png(seen_pixels(32))).convert("RGB"))
    side = len(image)
    here = [
        y
        for y in range(len(drawn) - side)
        if np.array_equal(drawn[y : y + side, 16 : 16 + side], image)
    ]
    assert len(here) == 1
    assert here[0] < 45  # its own title stands above it, and no other line


def test_a_link_restores_methods_parameters_class_and_drawing(app):
    card = opened(RESIDUAL).card
    query = {
        "methods": ["integrated-gradients", "grad-cam"],
        "p_integrated-gradients_steps": "9",
        "drawn": "over",
        "opacity": "0.5",
        "one_scale": "true",
        "target": card.classes[2],
    }
    page = until(app(PAGE, **ONE, **query), ENDED)
    table = numbers(page, "logit")
    assert list(table["method"]) == ["integrated-gradients", "grad-cam"]
    assert table["parameter_steps"][0] == 9
    assert set(table["target"]) == {card.classes[2]}
    assert page.selectbox(key="drawn").value == "over"
    assert page.slider(key="opacity").value == 0.5
    assert page.toggle(key="one_scale").value is True
    (code,) = page.code
    assert "--method integrated-gradients" in code.value
    assert "--set steps=9" in code.value


def test_no_method_at_all_is_answered_and_the_page_goes_on(app):
    page = app(PAGE, **ONE, methods="saliency")
    page.multiselect(key="methods").set_value([]).run()
    assert "Choose at least one method" in texts(page.warning)
    page.multiselect(key="methods").set_value(["saliency"]).run()
    until(page, ENDED)
    assert not page.warning


def test_classes_stand_side_by_side(app):
    page = until(app(PAGE, net=RESIDUAL, methods="saliency", by_2="targets"), ENDED)
    assert f"{PLAIN} is left out" in texts(page.caption)
    table = numbers(page, "logit")
    assert len(table) == 2
    assert list(table["logit"]) == sorted(table["logit"], reverse=True)  # the two most probable
    classes = opened(RESIDUAL).card.classes
    page.multiselect(key=f"targets_{RESIDUAL}").set_value([classes[i] for i in (4, 0, 1)]).run()
    until(page, lambda p: ENDED(p) and len(numbers(p, "logit")) == 3)
    assert list(numbers(page, "logit")["target"]) == [classes[4], classes[0], classes[1]]


def test_checkpoints_of_a_run_stand_side_by_side(app, store, swept):
    run = swept["resnet-8"]
    query = {"net_from": "run", "net_run": str(run.id), "by_3": "checkpoints", **ALONE}
    page = until(app(PAGE, methods="saliency", **query), ENDED)
    kept = [kept.step for kept in store.kept_checkpoints(run.id)]
    names = list(numbers(page, "logit")["net"])
    assert names == [f"run:{run.id}@{step}" for step in kept]


def test_every_method_answers(app):
    card = opened(RESIDUAL).card
    names = [method.name for method in methods(card.net, card.image_size)]
    page = until(app(PAGE, **ONE, methods=names), ENDED)
    table = numbers(page, "logit")
    assert set(table["method"]) == set(names)
    assert np.isfinite(table["sum"]).all()
    assert not page.error
    promised = table[table["method"] == "integrated-gradients"].iloc[0]
    assert np.isfinite(promised["expected_sum"])


def test_stopped_maps_go_on_where_they_were(app):
    steps = {"p_integrated-gradients_steps": "300", "p_occlusion_stride_32": "1"}
    page = app(PAGE, net=RESIDUAL, methods=["integrated-gradients", "occlusion"], **steps)
    page.button(key="compare_stop").click().run()
    until(page, lambda p: any(b.key == "compare_on" for b in p.button))
    ((_key, inquiry),) = page.session_state["inquiries"].values()
    assert inquiry.cancelled
    assert not inquiry.done
    until(page, lambda p: "Stopped after" in " ".join(bar_texts(p)), seconds=5)
    page.button(key="compare_on").click().run()
    until(page, ENDED)
    assert len(numbers(page, "logit")) == 4


def bar_texts(page):
    return [bar.proto.text for bar in page.get("progress")]


def test_the_picture_of_one_page_is_the_picture_of_the_other(app):
    page = app("feature_maps", picture="upload", **ONE)
    uploader = page.file_uploader(key="picture_file")
    uploader.set_value(("green.png", png(40, 40, "green"), "image/png")).run()
    until(page, is_there("feature_strip.png"))
    probabilities = numbers(page, "probability")
    page.switch_page("pages/attributions.py").run()
    page.selectbox(key="net").set_value(RESIDUAL).run()
    page.selectbox(key="beside_what").set_value("none").run()
    page.multiselect(key="methods").set_value(["saliency"]).run()
    until(page, ENDED)
    assert "green" in texts(page.caption)
    assert numbers(page, "logit")["probability"][0] == pytest.approx(
        probabilities["probability"].max(), rel=1e-4
    )


# How far to trust a map


def test_a_map_is_measured_in_every_way(app, files):
    query = {"maps": "trust", "method": "integrated-gradients", "t_integrated-gradients_steps": "8"}
    page = until(app(PAGE, **ONE, **query), is_there("trust.png"))
    for part in ("Pixels by lot", "random squares", "max-sensitivity"):
        assert part in texts(page.markdown)
    pictures = " ".join(html.proto.body for html in page.html)
    for part in ("as trained", "fresh: head to stem", "rank correlation", "The map adds up to"):
        assert part in pictures
    found = json.loads(files["trust.json"]())
    assert found["measures"]
    curves = found["curves"]
    assert {row["curve"] for row in curves} == {"deletion", "insertion"}
    assert all(0 <= row["probability"] <= 1 for row in curves)
    assert len(files["trust.csv"]().splitlines()) == 1 + len(curves)
    assert opened_png(files["trust.png"]()).width > 200


def test_a_plain_and_a_residual_net_are_trusted_side_by_side(app):
    page = until(app(PAGE, net=RESIDUAL, maps="trust", method="saliency"), is_there("trust.png"))
    for name in (RESIDUAL, PLAIN):
        assert f"**{name}**" in texts(page.markdown)
    assert "Smallest area under deletion" in texts(page.markdown)


# Which method finds the object


def test_methods_are_held_against_the_masks_of_the_shapes(app, files):
    finders = ["saliency", "grad-cam"]
    page = app(PAGE, maps="localise", finders=finders, images="16")
    until(page, is_there("localisation.csv"))
    assert page.select_slider(key="images").value == 16
    rows = json.loads(files["localisation.json"]())
    assert {row["method"] for row in rows} == set(finders)
    assert {row["net"] for row in rows} == {RESIDUAL, PLAIN}
    assert len(rows) == 2 * 2 * 16
    assert len(files["localisation.csv"]().splitlines()) == 1 + len(rows)
    assert "<html" in files["localisation.html"]()
    (program,) = page.code
    assert "localisation_question" in program.value


def test_a_net_of_other_images_cannot_be_held_against_masks(app, swept):
    run = swept["resnet-8"]
    query = {"finder_from": "run", "finder_run": str(run.id), "finder_beside_what": "none"}
    page = app(PAGE, maps="localise", **query)
    assert "trained on something else" in texts(page.warning)
    page.selectbox(key="finder_from").set_value("bundled").run()
    assert not page.warning
    until(page, said(RESIDUAL))


# Nets that are not there


def test_without_weights_of_imagenet_an_included_net_is_explained(app, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    page = app(PAGE, net_from="imagenet", methods="saliency", **ALONE)
    assert "ResNet-50" in page.button(key="net_download").label
    until(page, ENDED)
    assert set(numbers(page, "logit")["net"]) == {"resnet-56"}


def test_a_file_cut_short_is_refused_and_the_page_goes_on(app, home):
    file = io.BytesIO()
    torch.save(opened(RESIDUAL).net.state_dict(), file)
    page = app(PAGE, net_from="file", methods="saliency", **ALONE)
    uploader = page.file_uploader(key="net_file")
    uploader.set_value(("cut.pt", file.getvalue()[:-2000], "application/octet-stream")).run()
    until(page, lambda p: "cut.pt" in texts(p.error))
    page.selectbox(key="net_from").set_value("bundled").run()
    until(page, ENDED)

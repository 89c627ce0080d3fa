"""The page "Feature maps": four views on every kind of net, its links and its refusals."""

import io
import json
import os
import pickle
import re

import numpy as np
import pytest
import torch

from resnet_viz.nets.imagenet_files import NETS, weights_home
from resnet_viz.points import find_point, points_of
from resnet_viz.ui.inquiries import AnswerError
from resnet_viz.ui.inside import own_file
from tests.nets.usual import UsualResNet
from tests.pages.inside import PLAIN, RESIDUAL, as_seen, is_there, numbers, opened, opened_png, png
from tests.pages.waiting import said, texts, until, warned

PAGE = "feature_maps"
ALONE = {"beside_what": "none"}
ONE = {"net": RESIDUAL, **ALONE}


def hooked(net, point, image):
    """What a plain forward hook sees at a point."""
    place, seen = find_point(net.card.net, point), []
    module = net.net.get_submodule(place.module)

    def hook(_module, args, output):
        seen.append((args[0] if place.takes_input else output)[0].clone())

    handle = module.register_forward_hook(hook)
    with torch.no_grad():
        net.net(image)
    handle.remove()
    return seen[0].numpy()


def pictures(page):
    return " ".join(html.proto.body for html in page.html)


# Through the depth


def test_the_first_visit_shows_a_residual_net_beside_its_plain_twin(app):
    page = until(app(PAGE), is_there("feature_strip.png"))
    assert page.selectbox(key="net").value == "resnet-56"
    assert page.selectbox(key="photo").value == "cat"
    for name in ("resnet-56", "plain-56"):
        assert f"{name} says" in texts(page.markdown)
    assert not page.warning
    assert not page.error


def test_the_strip_names_what_the_nets_say_and_gives_it_away(app, files):
    page = until(app(PAGE, net=RESIDUAL), is_there("feature_strip.png"))
    table = numbers(page, "probability")
    for name in (RESIDUAL, PLAIN):
        net = opened(name)
        with torch.no_grad():
            logits = net.net(as_seen(net))[0]
        rows = table[table["net"] == net.card.title]
        assert list(rows["class"]) == list(net.card.classes)
        np.testing.assert_allclose(rows["logit"], logits, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(rows["probability"], logits.softmax(0), rtol=1e-3, atol=1e-6)
        assert f"{net.card.title} says" in texts(page.markdown)
    assert json.loads(files["feature_strip.json"]()) == table.to_dict("records")
    assert len(files["feature_strip.csv"]().splitlines()) == 1 + len(table)
    assert opened_png(files["feature_strip.png"]()).width > 200


def test_another_photograph_gets_another_answer_and_stands_in_the_link(app):
    page = until(app(PAGE, **ONE), is_there("feature_strip.png"))
    before = numbers(page, "probability")
    page.selectbox(key="photo").set_value("rocket").run()
    until(page, lambda p: not numbers(p, "probability").equals(before))
    assert page.query_params["photo"] == "rocket"


# Every channel of a point


def test_a_link_opens_a_point_and_its_maps_are_those_of_a_forward_hook(app, files):
    place = {"maps": "place", "stage": "2", "block_2_3": "2", "order": "index", "scale": "own"}
    page = app(PAGE, **ONE, **place)
    until(page, is_there("feature_maps.npy"))
    assert page.selectbox(key="block_2_3").value == "2"
    assert page.segmented_control(key="order").value == "index"
    assert "scale of its own" in texts(page.caption)
    net = opened(RESIDUAL)
    expected = hooked(net, "stage2.block2", as_seen(net))
    found = np.load(io.BytesIO(files["feature_maps.npy"]()))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    table = numbers(page, "zeros")
    np.testing.assert_allclose(table["mean"], expected.mean((1, 2)), rtol=1e-3, atol=1e-5)
    assert list(table["channel"]) == list(range(len(expected)))
    assert "exactly zero" in texts(page.markdown)
    assert min(opened_png(files["feature_maps.png"]()).size) > 50


def test_a_plain_net_without_the_point_says_why_in_words(app):
    place = {"maps": "place", "stage": "2"}
    page = app(PAGE, net=RESIDUAL, **place)
    page.selectbox(key=f"point_{'_'.join(kinds(RESIDUAL, 'stage2.block3'))}").set_value("sum")
    until(page.run(), is_there("feature_maps.png"))
    (told,) = [c.value for c in page.caption if PLAIN in c.value and "block" in c.value]
    assert "a plain block has no shortcut" in told
    assert told.count(PLAIN) == 1
    assert "stage2.block3" not in told


def kinds(name, block):
    points = points_of(opened(name).card.net)
    return [p.kind for p in points if p.name == block or p.name.startswith(f"{block}.")]


@pytest.mark.parametrize(("linked", "shown"), [("7", 7), ("99", 0), ("-1", 0), ("x", 0)])
def test_a_link_chooses_a_channel_that_there_is(app, linked, shown):
    page = app(PAGE, **ONE, maps="place", order="index", channel_1=linked)
    until(page, is_there("feature_maps.npy"))
    assert f"**Channel {shown}**" in [m.value for m in page.markdown]


@pytest.mark.parametrize("kind", ["branch", "shortcut", "sum", "conv1", "norm2"])
def test_every_point_of_a_block_can_be_opened(app, files, kind):
    page = app(PAGE, **ONE, maps="place", stage="3", block_3_3="1")
    (key,) = (s.key for s in page.selectbox if s.key.startswith("point_"))
    page.selectbox(key=key).set_value(kind).run()
    until(page, is_there("feature_maps.npy"))
    assert numbers(page, "zeros")["point"][0] == f"stage3.block1.{kind}"
    net = opened(RESIDUAL)
    expected = hooked(net, f"stage3.block1.{kind}", as_seen(net))
    found = np.load(io.BytesIO(files["feature_maps.npy"]()))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("place", "has"), [({"stage": "0"}, True), ({"stage": "1"}, False)])
def test_the_stem_shows_its_filters_and_no_later_layer_does(app, place, has):
    page = until(app(PAGE, **ONE, maps="place", **place), is_there("feature_maps.npy"))
    assert "over the image" in pictures(page)
    assert ("its filter" in pictures(page)) is has


def test_a_point_that_only_one_of_two_nets_has_is_shown_of_that_one(app):
    page = app(PAGE, net=RESIDUAL, maps="place", stage="1")
    (key,) = (s.key for s in page.selectbox if s.key.startswith("point_"))
    page.selectbox(key=key).set_value("shortcut").run()
    until(page, is_there("feature_maps.npy"))
    assert set(numbers(page, "zeros")["net"]) == {RESIDUAL}
    assert PLAIN in texts(page.caption)


# x, F(x) and their sum


def test_x_and_the_branch_add_up_in_the_residual_net_only(app, files):
    page = until(app(PAGE, net=RESIDUAL, maps="block"), is_there("residual_block.png"))
    table = numbers(page, "branch_norm")
    assert set(table["net"]) == {RESIDUAL}
    net = opened(RESIDUAL)
    image = as_seen(net)
    for row in table.to_dict("records"):
        branch, shortcut = (
            hooked(net, f"{row['block']}.{part}", image) for part in ("branch", "shortcut")
        )
        norms = [np.linalg.norm(part) for part in (branch, shortcut, branch + shortcut)]
        found = [row["branch_norm"], row["shortcut_norm"], row["sum_norm"]]
        np.testing.assert_allclose(found, norms, rtol=1e-3)
    assert f"{PLAIN} has no shortcuts" in texts(page.markdown)
    assert opened_png(files["residual_block.png"]()).width > 200
    assert len(files["residual_block.csv"]().splitlines()) == 1 + len(table)


def test_a_plain_net_alone_has_no_sum_and_the_page_says_what_to_choose(app):
    page = app(PAGE, net=PLAIN, maps="block", **ALONE)
    assert "Choose a residual net, or put one beside" in texts(page.warning)
    page.selectbox(key="beside_what").set_value("twin").run()
    until(page, is_there("residual_block.png"))
    assert not page.warning


# A run of the store


def test_without_runs_the_page_says_how_to_have_some_and_goes_on(app, store):
    if store.runs():
        pytest.skip("another test of this file has trained nets by now")
    page = until(app(PAGE, **ONE), is_there("feature_strip.png"))
    page.selectbox(key="net_from").set_value("run").run()
    assert "No run has kept a net yet" in texts(page.caption)
    until(page, is_there("feature_strip.png"))
    assert set(numbers(page, "probability")["net"]) == {RESIDUAL}  # as before
    assert not page.warning


def test_a_link_to_a_run_that_is_gone_says_so(app, swept):
    page = app(PAGE, net_from="run", net_run="987654", **ALONE)
    assert "There is no run '987654'" in texts(page.warning)
    until(page, is_there("feature_strip.png"))
    assert "There is no run '987654'" in texts(page.run().warning)


def test_a_run_is_shown_at_every_step_that_it_has_kept(app, store, swept):
    run = swept["resnet-8"]
    kept = [checkpoint.step for checkpoint in store.kept_checkpoints(run.id)]
    assert len(kept) > 2
    page = app(PAGE, net_from="run", net_run=str(run.id))
    until(page, said(f"resnet-8, step {kept[-1]} says"))
    until(page, said(f"plain-8, step {kept[-1]} says"))  # its twin, at the same step
    slider = page.select_slider(key=f"net_step_{run.id}")
    assert [option.replace(",", "") for option in slider.options] == [str(step) for step in kept]
    for step in kept[:2]:
        page.select_slider(key=f"net_step_{run.id}").set_value(step).run()
        until(page, said(f"resnet-8, step {step} says"))
        until(page, said(f"plain-8, step {step} says"))


def test_a_link_to_a_step_of_a_run_opens_that_step(app, store, swept):
    run = swept["plain-8"]
    first, *_others = (kept.step for kept in store.kept_checkpoints(run.id))
    steps = {f"net_step_{run.id}": str(first)}
    page = app(PAGE, net_from="run", net_run=str(run.id), **ALONE, **steps)
    until(page, said(f"plain-8, step {first} says"))


def test_probes_of_a_run_are_fitted_and_say_where_the_image_falls(app, swept, files):
    run = swept["resnet-8"]
    page = app(PAGE, net_from="run", net_run=str(run.id), maps="meaning", **ALONE)
    until(page, is_there("linear_probes.csv"))
    table = numbers(page, "probe_test_error")
    assert len(table) == 4  # the stem and three blocks
    assert "a linear probe errs on" in texts(page.markdown)
    assert "And this image?" in texts(page.subheader)
    assert len(json.loads(files["linear_probes.json"]())) == len(table)
    assert "<html" in files["linear_probes.html"]()


# ImageNet's nets


def test_without_its_weights_an_imagenet_net_says_which_file_goes_where(app, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    page = app(PAGE, net_from="imagenet", net_imagenet="resnet18")
    assert "ResNet-18" in page.button(key="net_download").label
    told = texts(page.markdown)
    assert NETS["resnet18"].files[0].url in told
    assert str(weights_home() / NETS["resnet18"].files[0].name) in told
    assert "until then the page shows resnet-56" in texts(page.caption)
    until(page, said("resnet-56 says"))


# A file of one's own


def weights(depth_blocks=(1, 1, 1)):
    net = UsualResNet(depth_blocks, 8, "shortcut", "linear")
    file = io.BytesIO()
    torch.save({"state_dict": {f"module.{k}": v for k, v in net.state_dict().items()}}, file)
    return file.getvalue()


class Runs:
    """A pickle that makes a folder when it is opened."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def bring(page, name, data):
    uploader = page.file_uploader(key="net_file")
    return uploader.set_value((name, data, "application/octet-stream")).run()


def test_a_state_dict_of_ones_own_opens_and_has_no_probes(app):
    page = app(PAGE, net_from="file", **ALONE)
    assert "Bring a file with the weights" in texts(page.caption)
    bring(page, "peer.pt", weights())
    until(page, is_there("feature_strip.png"))
    assert not page.warning
    titles = set(numbers(page, "probability")["net"])
    assert len(titles) == 1
    page.segmented_control(key="maps").set_value("meaning").run()
    until(page, warned("it is not known on which ones"))
    page.selectbox(key="net_statistics").set_value("half").run()
    page.segmented_control(key="maps").set_value("strip").run()
    until(page, is_there("feature_strip.png"))


def test_a_pickle_that_would_run_code_is_refused_with_that_reason(app, home, tmp_path):
    made = tmp_path / "made"
    page = app(PAGE, net_from="file", **ALONE)
    bring(page, "evil.pt", pickle.dumps(Runs(made), protocol=2))
    until(page, refused("pickle that would run code"))
    assert not made.exists()
    bring(page, "good.pt", weights((1, 1, 2)))
    until(page, is_there("feature_strip.png"))
    assert not page.warning


def test_a_file_that_is_no_net_is_refused_by_its_name_and_not_kept(app, home):
    page = until(app(PAGE, **ONE), is_there("feature_strip.png"))
    page.selectbox(key="net_from").set_value("file").run()
    before = kept_names(home)
    bring(page, "notes.pt", b"no weights at all")
    until(page, refused("notes.pt"))
    assert not re.search("[0-9a-f]-notes", texts(page.error))
    assert kept_names(home) == before
    assert not [button for button in page.button if button.key == "ask_again"]
    # The net that was there before stays on the page, whose picture can still be chosen.
    assert [button for button in page.get("button_group") if button.key == "picture"]
    until(page, is_there("feature_strip.png"))
    page.file_uploader(key="net_file").set_value(None).run()
    assert not page.error


def test_a_new_file_is_kept_where_the_trouble_is_not_its_own(app, home, monkeypatch):
    page = app(PAGE, net_from="file", **ALONE)

    def dies(_backend, _source):
        raise AnswerError("the analysis process has ended", None)

    with monkeypatch.context() as patch:
        patch.setattr(own_file, "open_card", dies)
        bring(page, "whole.pt", weights((1, 2, 1)))
        assert "the analysis process has ended" in texts(page.warning)
    assert any("whole.pt" in name for name in kept_names(home))
    page.button(key="ask_again").click().run()
    until(page, is_there("feature_strip.png"))


def test_a_file_that_was_kept_can_be_deleted(app, home):
    page = app(PAGE, net_from="file", **ALONE)
    bring(page, "mine.pt", weights((2, 1, 1)))
    until(page, is_there("feature_strip.png"))
    assert any("mine.pt" in name for name in kept_names(home))
    page.button(key="net_delete").click()
    page.file_uploader(key="net_file").set_value(None).run()
    assert not any("mine.pt" in name for name in kept_names(home))


def kept_names(home):
    folder = home / "nets" / "own"
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def refused(text):
    return lambda page: text in texts(page.error)


# The picture


def test_a_picture_of_ones_own_is_seen_and_survives_a_broken_one(app):
    page = app(PAGE, picture="upload", **ONE)
    until(page, is_there("feature_strip.png"))
    assert "only its owner has" in texts(page.info)
    assert "not in the link" in texts(page.caption)
    cat = numbers(page, "probability")
    uploader = page.file_uploader(key="picture_file")
    uploader.set_value(("red.png", png(50, 40), "image/png")).run()
    until(page, lambda p: not numbers(p, "probability").equals(cat))
    red = numbers(page, "probability")
    assert not page.info
    uploader = page.file_uploader(key="picture_file")
    uploader.set_value(("broken.png", png(50, 40)[:60], "image/png")).run()
    assert "broken" in texts(page.error)
    assert "still red" in texts(page.caption)
    until(page, is_there("feature_strip.png"))
    assert numbers(page, "probability").equals(red)


def test_an_image_of_a_data_set_is_seen_whole(app):
    page = app(PAGE, picture="data", picture_data="digits", picture_image="3", **ONE)
    until(page, is_there("feature_strip.png"))
    assert "“3”, is none of the 10 classes" in texts(page.caption)
    page = app(PAGE, picture="data", picture_data="shapes", picture_image="3", **ONE)
    until(page, is_there("feature_strip.png"))
    assert "none of the" not in texts(page.caption)
    assert "exactly as the net sees" in pictures(page)
    assert not page.warning

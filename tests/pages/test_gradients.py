"""The page "Gradients": four views, each with real answers, links and refusals."""

import time
from dataclasses import replace

import pytest

from resnet_viz.specs import DataSpec, TrainSpec
from resnet_viz.sweeps import PRESETS
from tests.pages.waiting import said, texts, until

PAGE = "gradients"
SMALL = replace(
    PRESETS["quick"],
    depths=(8, 14),
    width=4,
    data=DataSpec("digits", image_size=8),
    train=TrainSpec(steps=40, batch_size=16),
)


@pytest.fixture(scope="module")
def trained(module_home):
    """A finished sweep in the store of this file's pages."""

    def train(store, **options):
        sweep_id = store.create_sweep(SMALL, name="small", **options)
        deadline = time.monotonic() + 90
        while store.sweep(sweep_id).status != "done":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        return sweep_id

    return train


def test_before_any_run_a_labelled_reference_is_shown(app):
    page = app(PAGE)
    assert "Reference sweep, not yours" in texts(page.info)
    assert "plain-56" in texts(page.markdown)
    assert "first convolution" in texts(page.markdown)


def test_a_finished_sweep_says_what_its_profiles_say(app, store, trained):
    sweep_id = trained(store)
    page = app(PAGE, sweep=sweep_id)
    assert page.selectbox(key="profiles_of").value == sweep_id
    assert not page.info
    assert "plain-14" in texts(page.markdown)
    for column in ("weight_norm", "update_ratio", "response_std", "branch_share"):
        page.selectbox(key="of").set_value(column).run()
        assert not page.exception
    page.segmented_control(key="depth_of").set_value("all").run()
    assert not page.exception
    page.slider(key="step_0").set_value(1).run()
    assert not page.exception
    assert "step 1" in texts(page.markdown)


def test_nets_trained_without_profiles_say_how_to_have_them(app, store, trained):
    page = app(PAGE, sweep=trained(store, probe_every=0))
    assert "without looking at their layers" in texts(page.warning)


def test_a_link_to_no_sweep_is_answered(app, store):
    page = app(PAGE, sweep="nothing")
    assert "There is no sweep 'nothing'" in texts(page.warning)


def test_at_initialisation_answers_come_from_the_analysis_process(app):
    page = app(PAGE, view="start", depth="8", net_width="4", net_size="16", net_data="digits")
    until(page, said("first convolution over that at the last: plain-8"))
    until(page, lambda p: "resnet-8" in texts(p.markdown))
    page.select_slider(key="depth").set_value(14).run()
    until(page, said("plain-14"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"net_init": "fixup"}, "norm 'none'"),
        ({"net_init": "zero_gamma", "net_norm": "none"}, "zero_gamma needs"),
    ],
)
def test_an_initialisation_that_no_net_can_have_says_what_to_choose(app, values, message):
    page = app(PAGE, view="start", **values)
    assert not page.exception
    assert message in texts(page.warning).replace("\\", "")  # which keep Markdown from names


def test_zero_gamma_leaves_the_plain_net_out_and_says_so(app):
    query = {"net_init": "zero_gamma", "net_width": "4", "net_size": "8", "net_data": "digits"}
    page = app(PAGE, view="start", depth="8", **query)
    assert "Left out: plain" in texts(page.caption)
    until(page, said("exactly zero"))


def test_the_shortcut_view_splits_the_gradient_of_a_fresh_and_of_a_trained_net(app, store, trained):
    query = {"split_width": "4", "split_size": "16", "split_data": "digits"}
    page = app(PAGE, view="shortcut", split_depth="8", **query)
    until(page, said("add up to autograd's gradient"))
    assert "resnet-8" in texts(page.markdown)
    trained(store)
    page.selectbox(key="split_of").set_value("run").run()
    until(page, said("resnet-14"))
    assert "step 40" in texts(page.caption)


def test_shattered_gradients_are_compared_with_noise(app):
    query = {"line_width": "4", "line_size": "8", "line_data": "digits", "line_seeds": "1"}
    page = app(PAGE, view="shattered", line_depths="8", **query)
    until(page, lambda p: "plain-8" in texts(p.markdown) and "resnet-8" in texts(p.markdown))
    assert "white noise" in texts(page.markdown)


@pytest.mark.parametrize("leave", ["view", "page"])
def test_nothing_is_measured_for_somebody_who_has_left(app, leave):
    page = app(PAGE, view="shattered", line_depths="110", line_seeds="10")
    ((_key, inquiry),) = page.session_state["inquiries"].values()
    assert not inquiry.ended
    if leave == "view":
        page.segmented_control(key="view").set_value("training").run()
    else:
        page.switch_page("pages/start.py").run()
    assert inquiry.cancelled
    assert not page.session_state["inquiries"]


def test_the_ratio_is_drawn_for_all_families_and_the_layers_for_those_chosen(app):
    page = app(PAGE, view="start", depth="8", **{"net_width": "4", "net_size": "8"})
    until(page, said("preact from"))
    over_layers = next(m.value for m in page.markdown if "at the last: plain-8" in m.value)
    assert "preact" not in over_layers


def test_a_link_to_a_very_deep_net_shows_it(app):
    query = {"depth_1202": "true", "depth_deep": "302", "net_width": "4", "net_size": "8"}
    page = app(PAGE, view="start", **query)
    assert page.select_slider(key="depth_deep").value == 302
    (nets, _data), _jobs = page.session_state["start_jobs"]
    assert {net.depth for net in nets} == {302}

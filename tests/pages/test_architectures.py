"""The page Architectures as Streamlit runs it."""

import json

import pytest

from resnet_viz.architectures import NAMED
from resnet_viz.specs import DataSpec, TrainSpec
from resnet_viz.sweeps import SweepSpec
from tests.pages.waiting import said, texts, until
from tests.runs.making import evaluation_record, make_queue

PAGE = "architectures"


def table(page):
    (frame,) = [f.value for f in page.dataframe]
    return frame


def drawn(page):
    return bool(page.dataframe)


def test_a_net_is_drawn_and_counted_at_first(app):
    page = until(app(PAGE), said("ResNet-50**: 25.6 M parameters"))
    rows = table(page)
    assert list(rows["part"])[:2] == ["stem", "stage 1"]
    assert "[1×1, 64 · 3×3, 64 · 1×1, 256] × 3" in list(rows["blocks"])
    assert list(rows["parameters"])[-1] == "25.6 M"


@pytest.mark.parametrize("name", list(NAMED))
def test_every_net_of_the_lists_can_be_linked_to(app, name):
    old = NAMED[name].family == "history"
    query = {"nets": "history", "old_net": name} if old else {"net": name}
    page = until(app(PAGE, **query), said(f"**{NAMED[name].title}**"))
    assert NAMED[name].source.split(",")[0] in texts(page.caption)


def test_a_batch_changes_the_memory_and_nothing_else(app):
    page = until(app(PAGE, nets="history"), said("LeNet-5"))
    before = table(page)
    page.select_slider(key="batch").set_value(256).run()
    after = table(page)
    assert list(before["kept_bytes"]) != list(after["kept_bytes"])
    assert before.drop(columns="kept_bytes").equals(after.drop(columns="kept_bytes"))


def test_two_nets_are_set_beside_each_other_with_their_differences_marked(app):
    query = {"nets": "cifar", "family": "resnet", "with": "same:plain"}
    page = until(app(PAGE, **query), said("**plain-20**"))
    rows = table(page)
    assert set(rows["net"]) == {"resnet-20", "plain-20"}
    assert not any("≠" in value for value in rows.to_numpy().ravel())  # option A adds nothing
    assert "as many parameters" in texts(page.markdown)
    page.selectbox(key="with").set_value("same:preact").run()
    until(page, said("**preact-20**"))
    marked = [value for value in table(page)["parameters"] if "≠" in value]
    assert marked  # its norms come before the convolutions


def test_the_depth_and_the_shortcut_change_the_net(app):
    page = until(app(PAGE, nets="cifar", depth="8"), said("**resnet-8**"))
    assert "zero-padding" in texts(page.markdown)
    page.selectbox(key="shortcut").set_value("B").run()
    until(page, said("2 projections"))
    page.select_slider(key="depth").set_value(110).run()
    until(page, said("**resnet-110 (shortcut B)**: 1.73 M parameters"))


def test_a_densenet_has_its_own_controls(app):
    page = until(app(PAGE, nets="cifar", family="densenet"), said("**densenet-40**: 1.02 M"))
    assert not [box for box in page.selectbox if box.key in ("shortcut", "order")]
    page.toggle(key="dense_bc").set_value(True).run()
    until(page, said("**densenet-100 (BC)**: 769 k parameters"))
    page.select_slider(key="growth").set_value(24).run()
    until(page, said("**densenet-100 (BC, k = 24)**: 3.02 M parameters"))


@pytest.mark.parametrize(
    ("family", "shortcuts", "orders"),
    [("resnet", 7, 3), ("preact", 3, 2), ("highway", None, None), ("plain", None, None)],
)
def test_only_what_a_family_has_is_offered(app, family, shortcuts, orders):
    page = until(app(PAGE, nets="cifar", family=family), said(f"**{family}-20**"))
    offered = {box.key: len(box.options) for box in page.selectbox}
    assert (offered.get("shortcut"), offered.get("order")) == (shortcuts, orders)


def test_order_and_shortcut_are_built_and_drawn(app):
    page = until(app(PAGE, nets="cifar", order="relu_before_sum", at="stage1.block1"), drawn)
    assert not page.warning
    page.selectbox(key="shortcut").set_value("exclusive_gate").run()
    assert not [box for box in page.selectbox if box.key == "order"]
    page.query_params.pop("at", None)
    until(page, said("**resnet-20 (shortcut exclusive_gate)**"))
    assert "Shortcuts: 9 gated." in texts(page.markdown)
    assert not page.warning


def test_any_other_cifar_net_can_stand_beside(app):
    query = {"nets": "cifar", "with": "cifar", "other_family": "densenet", "other_dense_bc": "true"}
    page = until(app(PAGE, **query), said("**densenet-100 (BC)**"))
    assert set(table(page)["net"]) == {"resnet-20", "densenet-100 (BC)"}


@pytest.mark.parametrize("place", ["stage3.block30.branch.conv2", "<script>", "stage99"])
def test_a_link_to_a_place_that_the_net_lacks_shows_what_is_nearest(app, place):
    page = until(app(PAGE, net="resnet50", at=place), lambda p: bool(p.dataframe))
    assert not page.exception
    assert not page.warning


def test_a_link_to_no_net_shows_the_first(app):
    page = until(app(PAGE, net="resnet51"), said("**ResNet-50**"))
    assert not page.exception


def test_code_drawing_and_numbers_can_be_taken_away(app, files):
    page = until(app(PAGE, nets="history", at="stage1.block1"), lambda p: bool(p.dataframe))
    assert not page.exception
    assert "class LeNet5" in files["LeNet-5.py"]()
    assert files["LeNet-5.svg"]().startswith("<svg")
    assert "5×5 conv, 6" in files["LeNet-5.stage1.block1.svg"]()
    assert files["LeNet-5.csv"]().startswith("part,net,output")
    assert len(json.loads(files["LeNet-5.json"]())["operations"]) > 10


def test_an_onnx_file_is_made_on_a_click_and_then_offered(app, files):
    pytest.importorskip("onnx")
    page = until(app(PAGE, nets="history"), said("LeNet-5"))
    page.button(key="make_onnx").click().run()
    until(page, lambda p: any(name.endswith(".onnx") for name in files))
    (made,) = [make for name, make in files.items() if name.endswith(".onnx")]
    assert len(made()) > 4 * 61_706


def test_what_a_1x1_convolution_saves_is_said_with_its_arithmetic(app):
    page = app(PAGE, view="one_by_one")
    assert "16.9 times fewer" in texts(page.markdown)
    page.select_slider(key="basic").set_value(64).run()
    assert "3·3·64·64 + 3·3·64·64 = **73,728**" in texts(page.markdown)


def test_published_errors_are_charted_with_what_they_show(app):
    page = until(app(PAGE, view="known"), said("the lowest error is that of ResNet-152"))
    assert {"validation images, 10 crops", "validation images, one crop"} <= set(
        table(page)["protocol"]
    )
    page.segmented_control(key="measure").set_value("top5").run()
    until(page, said("ResNet-152 (4.49 %"))


def test_own_cifar_runs_are_in_the_chart_with_their_badge(app, store):
    page = until(app(PAGE, view="known", errors_of="cifar10"), said("DenseNet-BC"))
    assert "Your own nets come into this chart" in texts(page.caption)
    small = SweepSpec(
        families=("resnet",),
        depths=(8,),
        width=4,
        data=DataSpec("cifar10", image_size=8),
        train=TrainSpec(steps=10, batch_size=16),
    )
    add_run(store, small, test_error=0.61)
    page = until(app(PAGE, view="known", errors_of="cifar10"), lambda p: bool(p.dataframe))
    (row,) = [r for r in table(page).to_dict("records") if r["protocol"] == "your run"]
    assert row["error (%)"] == 61.0
    assert "scaled down: differs in" in row["note"]


def add_run(store, sweep, test_error):
    """A finished run of a sweep with this test error, as a worker would write it."""
    store.create_sweep(sweep, name="cifar", device="cuda")  # which no worker of this store has
    queue = make_queue(store, device="cuda")
    (claim,) = queue.claim()
    queue.begin(claim, dtype="float32", version="test")
    queue.append([(claim, [evaluation_record(10, test_error)])])
    queue.finish(claim, "done")
    queue.leave()  # it was this process, which is not to end with the store's workers

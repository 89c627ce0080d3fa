"""Specs refuse what cannot be built, say what could, and survive the trip through JSON."""

import json
from dataclasses import replace

import pytest

from resnet_viz.checks import parse_numbers
from resnet_viz.papers import protocol_differences, published_test_error
from resnet_viz.specs import (
    DataSpec,
    NetSpec,
    RunSpec,
    SpecError,
    TrainSpec,
    valid_depths,
)
from resnet_viz.sweeps import PRESETS, SweepSpec

RUN = RunSpec(NetSpec("resnet", 20, width=8), DataSpec("digits", image_size=16), TrainSpec(steps=5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NetSpec("resnet", 21), "depth 21 is not 6n+2; nearest: 20, 26"),
        (lambda: NetSpec("resnet", 3), "nearest: 8"),
        (lambda: NetSpec("resnet", 1203), "nearest: 1202"),
        (lambda: NetSpec("resnet", 21, block="bottleneck"), "not 9n\\+2; nearest: 20, 29"),
        (lambda: NetSpec("densenet", 41), "depth 41 is not 3n\\+4; nearest: 40, 43"),
        (lambda: NetSpec("densenet", 99, "bottleneck"), "not 6n\\+4; nearest: 94, 100"),
        (lambda: NetSpec("highway", 21), "not 3n\\+2; nearest: 20, 23"),
        (lambda: NetSpec("resnet", 20, growth_rate=24), "does not use growth_rate; leave it at 12"),
        (lambda: NetSpec("plain", 20, survival=0.5), "does not use survival"),
        (lambda: NetSpec("resnet", 20, gate_bias=-6), "does not use gate_bias"),
        (lambda: NetSpec("preact", 20, shortcut="scaled"), "belongs to family 'resnet'"),
        (lambda: NetSpec("preact", 20, order="norm_after_sum"), "relu_only"),
        (lambda: NetSpec("resnet", 20, order="relu_only"), "relu_before_sum"),
        (lambda: NetSpec("resnet", 20, survival=0), "survival 0 is out of range"),
        (lambda: NetSpec("resnet", 20, width=0), "width 0 is out of range; use 1 to 1024, nearest"),
        (lambda: NetSpec("resnet", True), "not a whole number"),
        (lambda: NetSpec("resnet", 20.0), "not a whole number"),
        (lambda: NetSpec("resnt", 20), "did you mean 'resnet'"),
        (lambda: NetSpec("resnet", 20, shortcut="D"), "choose one of: A, B, C"),
        (lambda: NetSpec("plain", 20, shortcut="B"), "no shortcuts"),
        (lambda: NetSpec("plain", 20, init="zero_gamma"), "residual branch"),
        (
            lambda: NetSpec("plain", 20, norm="none", init="fixup"),
            "family 'resnet' with norm 'none'",
        ),
        (lambda: NetSpec("resnet", 20, init="fixup"), "init 'he' for this net, or family 'resnet'"),
        (lambda: NetSpec("resnet", 20, init="xavir"), "did you mean 'xavier'"),
        (
            lambda: NetSpec("resnet", 20, init_std=0.1),
            "'he' does not use init_std; leave it at 0.01",
        ),
        (lambda: NetSpec("plain", 20, init="normal", init_std=0.0), "out of range.*nearest: 1e-06"),
        (lambda: NetSpec("plain", 20, init="normal", init_std=11), "out of range.*nearest: 10"),
        (lambda: NetSpec("plain", 20, init="normal", init_std="1"), "init_std '1' is not a number"),
        (lambda: NetSpec("resnet", 20, blocks=(3, 4, 3)), "make depth 22, not 20"),
        (lambda: DataSpec("digits", flip=True), "mirrored digit"),
        (lambda: DataSpec("folder"), "name a folder"),
        (lambda: DataSpec("digits", folder="x"), "name a folder"),
        (lambda: DataSpec("digits", image_size=4), "nearest: 8"),
        (lambda: TrainSpec(lr="abc"), "lr 'abc' is not a number"),
        (lambda: TrainSpec(lr=float("nan")), "not a number"),
        (lambda: TrainSpec(lr=-1.0), "out of range"),
        (lambda: TrainSpec(steps=0), "steps 0 is out of range"),
        (lambda: TrainSpec(optimizer="sdg"), "did you mean 'sgd'"),
        (lambda: SweepSpec((), (8,), RUN.data, RUN.train), "at least one family"),
        (lambda: SweepSpec(("resnet",), (8, 8), RUN.data, RUN.train), "twice"),
        (lambda: SweepSpec(("resnet",), (8,), RUN.data, RUN.train, seeds=999), "at most 200"),
        (lambda: SweepSpec(("resnet",), (9,), RUN.data, RUN.train), "nearest: 8, 14"),
        (lambda: replace(RUN, start="../../etc/passwd"), "64 hexadecimal digits of its SHA-256"),
        (lambda: replace(RUN, start="A" * 64), "64 hexadecimal digits"),
        (lambda: replace(RUN, start="a" * 64 + "\n"), "64 hexadecimal digits"),
        (lambda: replace(RUN, start=5), "64 hexadecimal digits"),
        (lambda: parse_numbers("8, x"), "whole numbers"),
        (lambda: parse_numbers(" , "), "empty"),
    ],
)
def test_a_bad_value_is_refused_with_what_would_do(make, message):
    with pytest.raises(SpecError, match=message.replace("6n+2", "6n\\+2")):
        make()


def test_depths_are_those_of_the_papers():
    assert {8, 14, 20, 32, 44, 56, 110} <= set(valid_depths())
    assert {29, 110, 164, 1001} <= set(valid_depths("bottleneck", high=1202))
    assert NetSpec("resnet", 20, block="bottleneck").stage_blocks == (2, 2, 2)
    assert NetSpec("resnet", 56).stage_blocks == (9, 9, 9)
    assert NetSpec("resnet", 50, block="bottleneck", blocks=(3, 4, 6, 3)).stage_blocks[2] == 6


INITIALISED = [
    RunSpec(replace(RUN.net, **changes), RUN.data, RUN.train)
    for changes in (
        {"init": "xavier"},
        {"init": "normal"},
        {"init": "normal", "init_std": 0.1},
        {"init": "zero_gamma"},
        {"init": "fixup", "norm": "none"},
    )
]


STARTED = replace(RUN, start="0123456789abcdef" * 4)


@pytest.mark.parametrize(
    "run", [RUN, STARTED, *INITIALISED, *(r for s in PRESETS.values() for r in s.runs()[:3])]
)
def test_a_run_survives_json(run):
    assert RunSpec.from_json(run.to_json()) == run
    assert RunSpec.from_dict(run.to_dict(full=True)) == run
    assert RunSpec.from_json(run.to_json()).key == run.key


def test_keys_do_not_change_between_versions():
    # Written down once: a new field with a default must leave them as they are.
    assert RUN.key == "2937d4f80ebfce6f"
    assert "start" not in json.loads(RUN.to_json())
    assert STARTED.key == replace(RUN, start=STARTED.start).key != RUN.key
    assert json.loads(RUN.to_json())["net"] == {"family": "resnet", "depth": 20, "width": 8}
    assert [run.key for run in INITIALISED] == [
        "121274642f09504e",
        "a5f580567e1af40f",
        "648e8aa0b9195042",
        "7910d7751e94e05a",
        "cc1ba20dc54611c2",
    ]


def test_a_net_has_one_key_however_its_standard_deviation_is_written():
    nets = [NetSpec("plain", 8, init="normal", init_std=std) for std in (1, 1.0)]
    texts = {RunSpec(net, RUN.data, RUN.train).to_json() for net in nets}
    assert len(set(nets)) == len(texts) == 1
    assert NetSpec("plain", 8, init="normal", init_std=0.01) == NetSpec("plain", 8, init="normal")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"net": 3, "data": {}, "train": {}}',
        '{"net": {"family": "resnet"}, "data": {"name": "digits"}, "train": {}}',
        '{"net": {"family": "resnet", "depth": [20]}, "data": {"name": "digits"}, "train": {}}',
        '{"net": {"family": ["a"], "depth": 20}, "data": {"name": "digits"}, "train": {}}',
        '{"net": {"family": "resnet", "depth": 20, "dpth": 1}, "data": {"name": "digits"}}',
        '{"schema": 99, "net": {}, "data": {}, "train": {}}',
        "[" * 100_000,
        '{"net": {"family": "resnet", "depth": 1e999}, "data": {"name": "digits"}, "train": {}}',
    ],
)
def test_text_that_is_no_run_is_refused(text):
    with pytest.raises(SpecError):
        RunSpec.from_json(text)


@pytest.mark.parametrize(
    "values",
    [None, {}, {"families": ["plain"]}, {**PRESETS["quick"].to_dict(), "depths": 5},
     {**PRESETS["quick"].to_dict(), "depths": [[8]]}, {**PRESETS["quick"].to_dict(), "x": 5}],
)  # fmt: skip
def test_values_that_are_no_sweep_are_refused(values):
    with pytest.raises(SpecError):
        SweepSpec.from_dict(values)


@pytest.mark.parametrize("name", PRESETS)
def test_a_sweep_survives_json(name):
    sweep = PRESETS[name]
    assert SweepSpec.from_dict(json.loads(json.dumps(sweep.to_dict()))) == sweep


def test_a_sweep_of_given_runs_survives_json_and_keeps_to_its_data():
    runs = (STARTED, replace(RUN, net=NetSpec("resnet", 24, width=8, blocks=(5, 3, 3))))
    sweep = SweepSpec(("resnet",), (20, 24), RUN.data, RUN.train, given=runs)
    assert sweep.runs() == list(runs)
    assert SweepSpec.from_dict(json.loads(json.dumps(sweep.to_dict()))) == sweep
    assert "given" not in PRESETS["quick"].to_dict()
    with pytest.raises(SpecError, match="on the sweep's data"):
        replace(sweep, data=DataSpec("folder", folder="/etc"))
    with pytest.raises(SpecError):
        SweepSpec.from_dict({**sweep.to_dict(), "given": 5})


def test_a_sweep_is_the_whole_grid_with_shallow_nets_first():
    sweep = PRESETS["rates"]
    runs = sweep.runs()
    assert len({r.key for r in runs}) == len(runs) == 2 * 4 * 3
    assert [r.net.depth for r in runs[:8]] == [8, 8, 20, 20, 32, 32, 56, 56]


def test_every_family_of_a_sweep_has_what_it_uses_and_its_own_depth():
    sweep = replace(
        PRESETS["quick"],
        families=("plain", "resnet", "preact", "highway", "densenet"),
        depths=(20,),
        shortcut="B",
        survival=0.5,
        gate_bias=-3,
        aux_heads=1,
        growth_rates=(8,),
    )
    common = {"width": 8}
    assert [run.net for run in sweep.runs()] == [
        NetSpec("plain", 20, aux_heads=1, **common),
        NetSpec("resnet", 20, shortcut="B", survival=0.5, **common),
        NetSpec("preact", 20, shortcut="B", survival=0.5, **common),
        NetSpec("highway", 20, gate_bias=-3, **common),
        NetSpec("densenet", 19, growth_rate=8, **common),
    ]
    (dense,) = replace(sweep, families=("densenet",), dense_bc=True).runs()
    bc = NetSpec("densenet", 22, "bottleneck", width=16, growth_rate=8, compression=0.5)
    assert dense.net == bc


def test_a_residual_net_is_trained_with_every_shortcut_and_order_of_a_sweep():
    sweep = replace(
        PRESETS["quick"],
        families=("plain", "resnet", "preact"),
        depths=(8,),
        shortcuts=("A", "exclusive_gate"),
        orders=("standard", "norm_after_sum", "relu_only"),
    )
    assert [(r.net.family, r.net.shortcut, r.net.order) for r in sweep.runs()] == [
        ("plain", "A", "standard"),
        ("resnet", "A", "standard"),
        ("resnet", "A", "norm_after_sum"),
        ("resnet", "exclusive_gate", "standard"),
        ("preact", "A", "standard"),
        ("preact", "A", "relu_only"),
    ]
    assert SweepSpec.from_dict(json.loads(json.dumps(sweep.to_dict()))) == sweep
    with pytest.raises(SpecError, match="preact"):
        replace(sweep, families=("preact",), shortcuts=("dropout", "scaled"))
    with pytest.raises(SpecError, match="growth rate"):
        replace(sweep, growth_rates=(8, 12))


def test_the_paper_preset_is_the_protocol_of_the_paper():
    runs = {r.net.name: r for r in PRESETS["paper"].runs()}
    assert all(protocol_differences(run) == [] for run in runs.values())
    # He et al. 2015, 4.2: only the 110-layer net warms up, until the error is below 80 %.
    assert runs["resnet-110"].train.warmup_error == 0.8
    assert runs["resnet-56"].train.warmup_error is None
    assert published_test_error(runs["resnet-110"]).test_error == 0.0643
    assert "Fig. 6" in published_test_error(runs["plain-56"]).source


def test_a_published_error_belongs_to_the_paper_s_net_alone():
    paper = PRESETS["paper"]

    def published(**options):
        return published_test_error(
            RunSpec(NetSpec("resnet", 56, **options), paper.data, paper.train)
        )

    assert published().test_error == 0.0697
    assert published(shortcut="dropout") is None
    assert published(order="norm_after_sum") is None
    assert published(survival=0.5) is None


def test_a_scaled_down_run_says_in_what():
    differences = protocol_differences(PRESETS["quick"].runs()[0])
    assert {"width", "data", "steps", "batch_size", "schedule"} <= set(differences)
    assert published_test_error(PRESETS["quick"].runs()[0]) is None
    bottleneck = RunSpec(
        NetSpec("resnet", 29, block="bottleneck"), DataSpec("cifar10"), TrainSpec()
    )
    assert "blocks" in protocol_differences(bottleneck)

"""A net without blocks is what a hand-written forward pass without them says."""

import pytest
import torch

from resnet_viz.lesions import (
    Lesion,
    intact,
    plan_of,
    random_counts,
    random_plans,
    removable,
    single_plans,
    swappable,
    why_some_stay,
)
from resnet_viz.nets.build import build_net
from resnet_viz.probes.fused import fused
from resnet_viz.probes.lesions import count_wrong, lesioned_logits
from resnet_viz.specs import NetSpec, SpecError

NETS = [
    NetSpec("plain", 20, width=4),
    NetSpec("resnet", 20, width=4),
    NetSpec("resnet", 20, width=4, shortcut="B"),
    NetSpec("resnet", 14, width=4, norm="none", init="fixup"),
    NetSpec("preact", 20, width=4),
    NetSpec("preact", 20, "bottleneck", "B", width=4),
    NetSpec("highway", 8, width=4),
    NetSpec("resnet", 14, shortcut="shortcut_gate", width=4),
    NetSpec("resnet", 14, order="norm_after_sum", width=4),
]


def trained_like(spec, seed=0):
    """A net whose norms have seen images, so that they are no identity."""
    torch.manual_seed(seed)
    net = build_net(spec, num_classes=5)
    for _ in range(3):
        net(torch.randn(32, 3, 16, 16))
    return net.eval()


def by_hand(net, spec, images, gone):
    """A forward pass that passes a block's shortcut, or nothing, where it is gone."""
    x, number = net.stem(images), 0
    for stage in net.stages:
        for block in stage:
            if number not in gone:
                x = block(x)
            elif spec.gated:
                x = (1 - block.transform_gate(x)) * block.shortcut(x)
                x = x if spec.family == "highway" else torch.relu(x)
            elif spec.order == "norm_after_sum":
                x = torch.relu(block.norm(block.shortcut(x)))
            elif spec.family == "resnet":
                x = torch.relu(block.shortcut(x))
            elif spec.family == "preact":
                x = block.shortcut(block.fork(x))
            number += 1
    return net.head(x)


@pytest.mark.parametrize("spec", NETS, ids=str)
def test_every_lesion_is_a_forward_pass_without_those_blocks(spec):
    net, images = trained_like(spec), torch.randn(7, 3, 16, 16)
    plans = [*single_plans(spec), *random_plans(spec, 3, draws=4, seed=1)]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.no_grad():
        for plan, logits in zip(plans, lesioned_logits(net, images, plans), strict=True):
            gone = [i for i, number in enumerate(plan) if number is None]
            torch.testing.assert_close(logits, by_hand(net, spec, images, gone))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_the_bench_of_single_deletions_is_one_evaluation_after_another():
    spec = NetSpec("resnet", 20, width=4)
    net, images = trained_like(spec), 3 * torch.randn(90, 3, 2, 2).repeat(1, 1, 8, 8)
    with torch.no_grad():
        labels = net(images).argmax(1)
    plans = single_plans(spec)
    together = count_wrong(fused(net), images, labels, plans)
    with torch.no_grad():
        gone = [[], *([i] for i in range(9))]
        alone = [int((by_hand(net, spec, images, g).argmax(1) != labels).sum()) for g in gone]
    assert list(together) == alone
    assert len(set(alone)) > 3  # the lesions differ, so that an exchange of two would be seen


@pytest.mark.parametrize("family", ["plain", "resnet", "preact"])
def test_a_swap_is_a_net_with_exchanged_weights(family):
    spec = NetSpec(family, 20, width=4)
    net, images = trained_like(spec), torch.randn(5, 3, 16, 16)
    (logits,) = lesioned_logits(net, images, [plan_of(spec, Lesion(swapped=("2.2", "2.3")))])
    exchanged = trained_like(spec)
    a, b = (dict(net.stages[1][i].state_dict()) for i in (1, 2))
    exchanged.stages[1][1].load_state_dict(b)
    exchanged.stages[1][2].load_state_dict(a)
    with torch.no_grad():
        torch.testing.assert_close(logits, exchanged(images))
        assert not torch.allclose(logits, net(images))


@pytest.mark.parametrize("spec", NETS, ids=str)
def test_a_fused_net_says_the_same_and_leaves_the_net_alone(spec):
    net, images = trained_like(spec), torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        expected = net(images)
        torch.testing.assert_close(fused(net)(images), expected, rtol=1e-4, atol=1e-4)
        assert torch.equal(net(images), expected)


def test_what_can_go_and_what_can_change_places():
    plain, residual = NetSpec("plain", 20, width=4), NetSpec("resnet", 20, width=4)
    assert removable(residual) == (True,) * 9
    assert removable(plain) == (True, True, True, False, True, True, False, True, True)
    assert "2.1, 3.1 cannot go" in why_some_stay(plain)
    assert why_some_stay(residual) == ""
    assert swappable(plain, "1.1") == ["1.2", "1.3"]
    assert swappable(plain, "2.1") == []  # no other block changes 4 channels to 8
    assert intact(residual) == tuple(range(9))
    assert plan_of(residual, Lesion(("1.2",), ("1.2", "1.3"))) == (0, 2, None, 3, 4, 5, 6, 7, 8)
    assert random_plans(plain, 3, 4, seed=0) == random_plans(plain, 3, 4, seed=0)
    assert all(plan.count(None) == 3 for plan in random_plans(plain, 3, 4, seed=0))
    assert random_counts(plain)[0] == 1
    assert random_counts(plain)[-1] == 6


@pytest.mark.parametrize(
    ("family", "lesion", "message"),
    [
        ("plain", Lesion(("2.1",)), "no shortcut that would do it"),
        ("resnet", Lesion(("4.1",)), "no block 4.1; its last one is 3.3"),
        ("resnet", Lesion((), ("1.1", "2.2")), "two of equal shape"),
        ("resnet", Lesion((), ("1.1",)), "two of equal shape"),
    ],
)
def test_what_cannot_be_done_is_refused(family, lesion, message):
    with pytest.raises(SpecError, match=message):
        plan_of(NetSpec(family, 20, width=4), lesion)

"""Other people's weights in nets of our own: the same logits, or a message that says why not."""

from pathlib import Path

import pytest
import torch
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from resnet_viz.nets.build import build_net
from resnet_viz.nets.foreign import make_net
from resnet_viz.nets.weights_file import WeightsError, read_weights
from resnet_viz.specs import NetSpec
from tests.nets.usual import UsualResNet, stir

PEERS = Path(__file__).parents[3] / "shared" / "data" / "peer-resnets"


def images(side=32, channels=3):
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(1))


def same_logits(theirs, ours, x):
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-4, atol=1e-5)


USUAL = {
    "akamaster": ((2, 2, 2), 8, "padding", "linear"),
    "akamaster, uneven stages": ((1, 3, 2), 4, "padding", "linear"),
    "chenyaofo": ((2, 2, 2), 8, "downsample", "fc"),
    "kuangliu": ((2, 2, 2, 2), 8, "shortcut", "linear"),
    "kuangliu bottleneck": ((1, 2, 1, 1), 4, "shortcut", "linear", 3),
    "bottleneck padded": ((1, 2), 4, "padding", "linear", 3),
}


@pytest.mark.parametrize("scheme", USUAL)
def test_usual_cifar_nets_keep_their_logits(scheme):
    blocks, width, shortcut, *rest = USUAL[scheme]
    theirs = UsualResNet(blocks, width, shortcut, *rest)
    found = make_net(theirs.state_dict(), "net.pt")
    spec = found.net.spec
    assert (spec.family, spec.stage_blocks, spec.width, spec.stem) == (
        "resnet",
        blocks,
        width,
        "cifar",
    )
    assert spec.block == ("bottleneck" if 3 in rest else "basic")
    assert spec.shortcut == ("A" if shortcut == "padding" else "B")
    assert (found.classes, found.channels) == (10, 3)
    same_logits(theirs, found.net, images())
    assumed = " ".join(found.notes)
    assert ("Assumed to be residual" in assumed) == (shortcut == "padding")
    assert ("renumbered" in assumed) == (shortcut == "padding")


def test_three_equal_stages_are_named_by_their_depth():
    found = make_net(UsualResNet((3, 3, 3), 4, "padding", "fc").state_dict(), "net.pt")
    assert found.net.spec == NetSpec("resnet", 20, width=4)


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_torchvisions_nets_keep_their_logits(block):
    theirs = ResNet(block, [1, 2, 1, 1], num_classes=7)
    stir(theirs)
    found = make_net(theirs.state_dict(), "net.pt")
    spec = found.net.spec
    assert (spec.stem, spec.shortcut, spec.stage_blocks) == ("imagenet", "B", (1, 2, 1, 1))
    assert found.classes == 7
    same_logits(theirs, found.net, images(64))


OWN = [
    NetSpec("resnet", 14, width=4),
    NetSpec("resnet", 14, width=4, shortcut="B"),
    NetSpec("resnet", 14, width=4, shortcut="C"),
    NetSpec("preact", 14, width=4),
    NetSpec("preact", 14, width=4, shortcut="B"),
    NetSpec("resnet", 14, width=4, norm="none"),
    NetSpec("resnet", 14, width=4, norm="none", init="fixup"),
    NetSpec("preact", 20, block="bottleneck", width=4, shortcut="C"),
    NetSpec("resnet", 10, width=4, blocks=(1, 3)),
    NetSpec("resnet", 10, width=4, blocks=(1, 1, 1, 1), shortcut="B", stem="imagenet"),
]


@pytest.mark.parametrize("spec", OWN, ids=lambda s: f"{s.name}-{s.shortcut}-{s.norm}-{s.init}")
def test_our_own_nets_are_read_off_their_tensors(spec):
    ours = build_net(spec, 5, 1)
    stir(ours)
    found = make_net({f"net.{k}": v for k, v in ours.state_dict().items()}, "net.safetensors")
    assert found.net.spec == spec
    assert (found.classes, found.channels) == (5, 1)
    same_logits(ours, found.net, images(channels=1))
    assert not any("renumbered" in note for note in found.notes)


def test_a_plain_net_without_its_spec_is_taken_for_a_residual_one_and_that_is_said():
    found = make_net(build_net(NetSpec("plain", 8, width=4)).state_dict(), "net.pt")
    assert found.net.spec == NetSpec("resnet", 8, width=4)
    assert any("do not tell a residual net from a plain one" in note for note in found.notes)


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.", "module._orig_mod.", "net."])
def test_prefixes_of_wrappers_are_taken_off(prefix):
    theirs = UsualResNet((1, 1, 1), 4, "shortcut", "fc")
    tensors = {prefix + k: v for k, v in theirs.state_dict().items()}
    same_logits(theirs, make_net(tensors, "net.pt").net, images())


def test_half_precision_and_missing_batch_counters_do_no_harm():
    theirs = UsualResNet((1, 1, 1), 4, "shortcut", "fc").half().float()
    tensors = {
        k: v.half() for k, v in theirs.state_dict().items() if "num_batches_tracked" not in k
    }
    theirs.load_state_dict({**theirs.state_dict(), **{k: v.float() for k, v in tensors.items()}})
    found = make_net({**tensors, "n_averaged": torch.tensor(3)}, "net.pt")
    assert {p.dtype for p in found.net.parameters()} == {torch.float32}
    same_logits(theirs, found.net, images())


def without(state, name):
    return {k: v for k, v in state.items() if k != name}


def wide(state):
    """Stages that do not double: a Wide ResNet."""
    return {**state, "layer1.0.conv1.weight": torch.zeros(40, 4, 3, 3)}


BROKEN = {
    "other names": (lambda s: {**s, "attention.qkv": torch.ones(2)}, "attention.qkv"),
    "two names for one": (lambda s: {**s, "linear.weight": s["fc.weight"]}, "fc.weight"),
    "no head": (lambda s: without(s, "fc.weight"), "no head.linear.weight"),
    "no stem": (lambda s: without(s, "conv1.weight"), "no stem.conv.weight"),
    "a hole": (
        lambda s: {k: v for k, v in s.items() if not k.startswith("layer2")},
        "without gaps",
    ),
    "half a block": (lambda s: without(s, "layer1.0.conv2.weight"), "convolutions"),
    "no statistics": (lambda s: without(s, "bn1.running_mean"), "lacks"),
    "wide": (wide, "40×4×3×3, where resnet-8 of width 4 has 4×4×3×3"),
    "large kernel": (lambda s: {**s, "conv1.weight": torch.zeros(4, 3, 5, 5)}, "5×5 kernel"),
    "two channels": (lambda s: {**s, "conv1.weight": torch.zeros(4, 2, 3, 3)}, "2 channels"),
    "one projection": (
        lambda s: {k: v for k, v in s.items() if "layer2.0.shortcut" not in k},
        "projections",
    ),
    "too wide": (lambda s: {**s, "conv1.weight": torch.zeros(5000, 3, 3, 3)}, "5000"),
    "whole numbers": (
        lambda s: {**s, "layer1.0.bn1.weight": torch.zeros(4, dtype=torch.int64)},
        "numbers of another kind",
    ),
    "nothing": (lambda _s: {}, "stem.conv.weight"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_not_understood_is_named(fault):
    change, message = BROKEN[fault]
    state = UsualResNet((1, 1, 1), 4, "shortcut", "fc").state_dict()
    with pytest.raises(WeightsError) as caught:
        make_net(change(dict(state)), "net.pt")
    assert message in str(caught.value)
    assert "net.pt" in str(caught.value)
    assert "Known are" in str(caught.value)
    assert len(str(caught.value)) < 900


@pytest.mark.skipif(not PEERS.is_dir(), reason="the peers' checkpoints are not here")
@pytest.mark.parametrize(
    ("file", "depth"), [("resnet20-12fca82f.th", 20), ("resnet32-d509ac18.th", 32)]
)
def test_the_peers_nets_open(file, depth):
    found = make_net(read_weights(PEERS / file), file)
    assert found.net.spec == NetSpec("resnet", depth)
    assert (found.classes, found.channels) == (10, 3)

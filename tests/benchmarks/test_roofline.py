"""The bytes of a step, against a count by hand."""

from dataclasses import replace

import pytest

from benchmarks.roofline import step_bytes
from resnet_viz.specs import NetSpec

RESNET = NetSpec("resnet", 8, width=2)
SHAPE = {"image_size": 4, "in_channels": 1, "num_classes": 2}

# Channels 2, 4, 8 on 4×4, 2×2, 1×1 pixels; one image. Each convolution moves input and output
# forward; output, input and (but for the stem) input again backward.
CONVOLUTIONS = (
    (16 + 32 + 32 + 16)  # stem, 1×4×4 to 2×4×4
    + 2 * (32 + 32 + 32 + 32 + 32)  # stage 1
    + (32 + 16 + 16 + 32 + 32)  # stage 2, 2×4×4 to 4×2×2
    + (16 + 16 + 16 + 16 + 16)
    + (16 + 8 + 8 + 16 + 16)  # stage 3, 4×2×2 to 8×1×1
    + (8 + 8 + 8 + 8 + 8)
)
OUTPUTS = 3 * 32 + 2 * 16 + 2 * 8  # of all convolutions
NORMS = RELUS = 5 * OUTPUTS
ADDITIONS = 3 * (32 + 16 + 8) + 3 * (32 + 32 + 16)  # outputs forward, inputs' gradients backward
PADDING = 2 * (8 + 16) + 2 * (4 + 8)
HEAD = (8 + 8 + 8 + 8) + (8 + 2 + 2 + 8 + 8)  # pooling, then linear layer, forward and backward
WEIGHTS = 9 * (1 * 2 + 2 * 2 + 2 * 2 + 2 * 4 + 4 * 4 + 4 * 8 + 8 * 8) + 8 * 2
PARAMETERS = WEIGHTS + 2 * (3 * 2 + 2 * 4 + 2 * 8) + 2


def by_hand(size, *, batch=1, residual=True):
    image = CONVOLUTIONS + NORMS + RELUS + HEAD + 16 + (ADDITIONS + PADDING) * residual
    return size * (batch * image + 3 * WEIGHTS) + batch * 16 + 5 * 4 * PARAMETERS


def test_residual_net_by_hand():
    assert step_bytes(RESNET, batch_size=1, dtype="float32", **SHAPE) == by_hand(4)
    assert step_bytes(RESNET, batch_size=7, dtype="bfloat16", **SHAPE) == by_hand(2, batch=7)


def test_plain_net_moves_no_shortcuts():
    plain = replace(RESNET, family="plain")
    found = step_bytes(plain, batch_size=1, dtype="float32", **SHAPE)
    assert found == by_hand(4, residual=False)


@pytest.mark.parametrize("change", [{"shortcut": "B"}, {"norm": "none"}, {"family": "preact"}])
def test_nets_that_the_rules_do_not_know_are_refused(change):
    with pytest.raises(ValueError, match="not counted"):
        step_bytes(replace(RESNET, **change), batch_size=1, dtype="float32", **SHAPE)

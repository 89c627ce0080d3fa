"""The net of a script: only the blocks, norms and shortcuts that its spec has.

The modules of the text have the names, the order and therefore the random draws of
`resnet_viz.nets`: equal seeds give equal weights, and weights fit from one into the other.
"""

from __future__ import annotations

from resnet_viz.layers import STEM_CONVS, auxiliary_blocks, stem_order
from resnet_viz.scripts.block_text import (
    before_relu,
    bias,
    biased,
    block_text,
    c_out,
    conv,
    last_branch_number,
)
from resnet_viz.scripts.templates import fill
from resnet_viz.specs import NetSpec

_NET = '''
class Net(nn.Module):
    """Stem, stages of blocks, head: images (batch, channels, height, width) -> logits."""

    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Sequential(
            OrderedDict(
                $stem
            )
        )
        self.stages = nn.Sequential()
        channels = WIDTH
        $before_stages
        $stages
        $auxiliary
        self.head = nn.Sequential(
            OrderedDict(
                $head
            )
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  $source
                $draw
                $zero_bias
            $zero_gamma
        $afterwards

    def forward(self, x):
        return self.head(self.stages(self.stem(x)))

    $outputs
'''

_STAGES = """
for s, count in enumerate(BLOCKS):
    stage, width = nn.Sequential(), WIDTH * 2**s
    for b in range(count):
        stride = 2 if s > 0 and b == 0 else 1
        $survival
        stage.append(Block($arguments))
        channels = $c_out
        $end
    self.stages.append(stage)
"""

_DENSE_STAGES = """
$loop
    stage = nn.Sequential()
    for _ in range(count):
        stage.append(Block(channels))
        channels += GROWTH_RATE
    $transition
    self.stages.append(stage)
"""

_THEN_TRANSITION = """
if s < len(BLOCKS) - 1:
    fewer = $fewer
    stage.add_module("transition", transition(channels, fewer))
    channels = fewer
"""

_TRANSITION = '''
def transition(c_in, c_out):
    """What halves the sides between two stages (Huang et al. 2017, section 3)."""
    return nn.Sequential(
        OrderedDict(
            $layers
        )
    )
'''

_SURVIVAL = """
place += 1  # survival falls linearly with depth: Huang et al. 2016, eq. 4
survival = 1 - place / sum(BLOCKS) * (1 - SURVIVAL)
"""

_AUXILIARY = """
self.auxiliary = nn.ModuleList()
for c in [c for i, c in enumerate(ends) if i in AUXILIARY]:
    layers = OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    layers["linear"] = nn.Linear(c, classes)
    self.auxiliary.append(nn.Sequential(layers))
"""

_OUTPUTS = '''
def outputs(self, x):
    """The logits, then those of every auxiliary classifier."""
    x, found = self.stem(x), []
    for i, block in enumerate(block for stage in self.stages for block in stage):
        x = block(x)
        if i in AUXILIARY:
            found.append(self.auxiliary[len(found)](x))
    return [self.head(x), *found]
'''

_ZERO_GAMMA = """
if isinstance(module, Block):  # its branch starts at zero: Goyal et al. 2017, 5.1
    nn.init.zeros_(module.branch.norm{last}.weight)
"""

_GATES = """
for module in self.modules():
    if isinstance(module, Block):  # a negative bias lets x pass at first
        nn.init.constant_(module.transform_gate.conv.bias, GATE_BIAS)
"""

_FIXUP = """
# Branches and head start at zero: Fixup, Zhang et al. 2019, arXiv:1901.09321
with torch.no_grad():
    for module in self.modules():
        if isinstance(module, Block):
            $scale
            module.branch.conv$last.weight.zero_()
    self.head.linear.weight.zero_()
    self.head.linear.bias.zero_()
"""

# What is drawn, and where it is from.
_HE = (
    'nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")',
    "He et al. 2015b, arXiv:1502.01852",
)
_DRAWS = {
    "xavier": ("nn.init.xavier_normal_(module.weight)", "Glorot & Bengio 2010"),
    "normal": ("nn.init.normal_(module.weight, std=INIT_STD)", "the same for every layer"),
}


def net_text(net: NetSpec) -> str:
    """Source of `Block` and `Net`, and of the smaller modules that the net has."""
    draw, where = _DRAWS.get(net.init, _HE)
    last = last_branch_number(net)
    before_stages = ["ends = []"] * bool(net.aux_heads) + ["place = 0"] * (net.survival < 1)
    text = fill(
        _NET,
        stem="\n".join(_stem(net)),
        before_stages="\n".join(before_stages),
        stages=_stages(net),
        auxiliary=_AUXILIARY if net.aux_heads else "",
        head="\n".join(_head(net)),
        source=f"# {where}",
        draw=draw,
        zero_bias="nn.init.zeros_(module.bias)" if biased(net) else "",
        zero_gamma=_ZERO_GAMMA.format(last=last) if net.init == "zero_gamma" else "",
        afterwards=_fixup(last) if net.init == "fixup" else _GATES if net.gated else "",
        outputs=_OUTPUTS if net.aux_heads else "",
    ).rstrip()
    dense = [_transition(net)] if net.family == "densenet" and len(net.stage_blocks) > 1 else []
    return "\n\n\n".join([block_text(net), *dense, text])


def _stem(net: NetSpec) -> list[str]:
    kernel, stride = STEM_CONVS[net.stem]
    made = conv(net, "CHANNELS", "WIDTH", kernel, str(stride) if stride > 1 else "")
    lines = {
        "conv": [*bias(net, "conv"), f"conv={made},"],
        "norm": before_relu(net, "", "WIDTH"),
        "relu": ["relu=nn.ReLU(),"],
        "pool": ["pool=nn.MaxPool2d(3, 2, padding=1),"],
    }
    return [line for kind in stem_order(net) for line in lines[kind]]


def _head(net: NetSpec) -> list[str]:
    lines = []
    if net.family in ("preact", "densenet"):
        lines = before_relu(net, "", "channels") if net.order == "standard" else []
        lines = [*lines, "relu=nn.ReLU(),"]
    lines += ["pool=nn.AdaptiveAvgPool2d(1),", "flatten=nn.Flatten(),"]
    return [*lines, *bias(net, "linear"), "linear=nn.Linear(channels, classes),"]


def _stages(net: NetSpec) -> str:
    if net.family == "densenet":
        fewer = "channels" if net.compression == 1 else "max(1, int(COMPRESSION * channels))"
        if len(net.stage_blocks) == 1:
            return fill(_DENSE_STAGES, loop="for count in BLOCKS:", transition="")
        return fill(
            _DENSE_STAGES,
            loop="for s, count in enumerate(BLOCKS):",
            transition=fill(_THEN_TRANSITION, fewer=fewer),
        )
    first = ", first=s == b == 0" if net.family == "preact" and net.shortcut != "C" else ""
    survival = ", survival=survival" if net.survival < 1 else ""
    return fill(
        _STAGES,
        survival=_SURVIVAL if net.survival < 1 else "",
        arguments=f"channels, width, stride{first}{survival}",
        c_out="width" if c_out(net) == "width" else "4 * width",
        end="ends.append(channels)" if net.aux_heads else "",
    )


def _transition(net: NetSpec) -> str:
    layers = [*before_relu(net, "", "c_in"), "relu=nn.ReLU(),"]
    layers += [f"conv={conv(net, 'c_in', 'c_out', 1)},", "pool=nn.AvgPool2d(2),"]
    return fill(_TRANSITION, layers="\n".join(layers))


def _fixup(last: int) -> str:
    """What Fixup does to He weights."""
    others = range(1, last)
    power = -1 / (2 * len(others))
    lines = [f"module.branch.conv{i}.weight.mul_(sum(BLOCKS) ** {power})" for i in others]
    return fill(_FIXUP, scale="\n".join(lines), last=str(last))


def net_constants(net: NetSpec) -> list[tuple[str, object, str]]:
    """Name, value and note of the constants that the net's options need."""
    found: list[tuple[str, object, str]] = []
    if net.init == "normal":
        found.append(("INIT_STD", net.init_std, "of the first weights of convolutions"))
    if net.family == "densenet":
        found.append(("GROWTH_RATE", net.growth_rate, "channels that a dense layer adds"))
        if net.compression != 1:
            found.append(("COMPRESSION", net.compression, "channels that a transition keeps"))
    if net.gated:
        found.append(("GATE_BIAS", net.gate_bias, "of the gates T(x) at the start"))
    if net.shortcut == "scaled":
        found.append(("SHORTCUT_SCALE", net.shortcut_scale, "factor of x"))
        if net.branch_scale != 1:
            found.append(("BRANCH_SCALE", net.branch_scale, "factor of F(x)"))
    if net.shortcut == "dropout":
        found.append(("DROPOUT", net.shortcut_dropout, "share of x that is zero in training"))
    if net.survival < 1:
        found.append(("SURVIVAL", net.survival, "probability that the last branch is kept"))
    if net.aux_heads:
        places = tuple(auxiliary_blocks(net))
        found.append(("AUXILIARY", places, "blocks, from 0, with an auxiliary classifier"))
    return found

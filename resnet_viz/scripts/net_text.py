"""The net of a script: only the blocks, norms and shortcuts that its spec has.

The modules of the text have the names, the order and therefore the random draws of
`resnet_viz.nets`: equal seeds give equal weights, and weights fit from one into the other.
"""

from __future__ import annotations

from resnet_viz.layers import STEM_CONVS
from resnet_viz.scripts.templates import fill
from resnet_viz.specs import NetSpec

_SCALARS = '''
class Bias(nn.Module):
    """x plus one trainable number."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x + self.bias


class Scale(nn.Module):
    """x times one trainable number."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return x * self.scale
'''

_ZERO_PADDING = '''
class ZeroPadding(nn.Module):
    """Option A: every `stride`-th pixel, the new channels zero (He et al. 2015, 3.3)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.stride, self.new_channels = stride, c_out - c_in

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))
'''

_BLOCK = '''
class Block(nn.Module):
    """$title"""

    def __init__(self, $arguments):
        super().__init__()
        $c_out
        self.branch = nn.Sequential(
            OrderedDict(
                $branch
            )
        )
        $shortcut
        $fork

    def forward(self, x):
        $forward
'''

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
        for s, count in enumerate(BLOCKS):
            stage, width = nn.Sequential(), WIDTH * 2**s
            for b in range(count):
                stride = 2 if s > 0 and b == 0 else 1
                stage.append(Block($block_arguments))
                channels = $c_out
            self.stages.append(stage)
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
        $fixup

    def forward(self, x):
        return self.head(self.stages(self.stem(x)))
'''

_ZERO_GAMMA = """
if isinstance(module, Block):  # its branch starts at zero: Goyal et al. 2017, 5.1
    nn.init.zeros_(module.branch.norm{last}.weight)
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

_TITLES = {
    "plain": "relu(F(x)): the layers of a residual block, without its shortcut.",
    "resnet": "relu(F(x) + shortcut(x)) (He et al. 2015, Fig. {figure}).",
    "preact": "F(x) + shortcut(x), the activations before the convolutions (He et al. 2016).",
}


def net_text(net: NetSpec) -> str:
    """Source of `Block` and `Net`, and of the smaller modules that the net has."""
    preact = net.family == "preact"
    stem = [*_bias(net, "conv"), _stem_conv(net)]
    last = [*_bias(net, "linear"), "linear=nn.Linear(channels, classes),"]
    before_pool = [*_before_relu(net, "", "channels"), "relu=nn.ReLU(),"] if preact else []
    after_stem = [] if preact else [*_before_relu(net, "", "WIDTH"), "relu=nn.ReLU(),"]
    after_stem += ["pool=nn.MaxPool2d(3, 2, padding=1),"] if net.stem == "imagenet" else []
    draw, where = _DRAWS.get(net.init, _HE)
    zero_gamma = _ZERO_GAMMA.format(last=len(_shapes(net))) if net.init == "zero_gamma" else ""
    pads = net.family != "plain" and net.shortcut == "A" and _changes(net)
    first = ", first=s == b == 0" if preact and net.shortcut != "C" else ""
    text = fill(
        _NET,
        stem="\n".join([*stem, *after_stem]),
        head="\n".join(
            [*before_pool, "pool=nn.AdaptiveAvgPool2d(1),", "flatten=nn.Flatten(),", *last]
        ),
        block_arguments=f"channels, width, stride{first}",
        c_out="width" if net.block == "basic" else "4 * width",
        source=f"# {where}",
        draw=draw,
        zero_bias="nn.init.zeros_(module.bias)" if _biased(net) else "",
        zero_gamma=zero_gamma,
        fixup=_fixup(net) if net.init == "fixup" else "",
    )
    smaller = [_SCALARS] * (net.init == "fixup") + [_ZERO_PADDING] * pads
    return "\n\n\n".join([*(part.strip("\n") for part in smaller), _block(net), text])


def _block(net: NetSpec) -> str:
    preact, always_forks = net.family == "preact", net.shortcut == "C"
    shared = [*_before_relu(net, "1", "c_in"), "relu1=nn.ReLU(),"] if preact else []
    lines = [] if always_forks else shared
    for i, (c_in, c_out, kernel, stride) in enumerate(_shapes(net), 1):
        if preact and i > 1:
            lines = [*lines, *_before_relu(net, f"{i}", c_in), f"relu{i}=nn.ReLU(),"]
        conv = f"conv{i}={_conv(net, c_in, c_out, kernel, stride)},"
        lines = [*lines, *_bias(net, f"conv{i}"), conv]
        if net.init == "fixup" and i == len(_shapes(net)):
            lines += ["scale=Scale(),"]
        if not preact:
            lines += _before_relu(net, f"{i}", c_out)
            lines += [f"relu{i}=nn.ReLU(),"] if i < len(_shapes(net)) else []
    identity = net.shortcut != "C" and not _changes(net)
    total = f"self.branch(x) + {'x' if identity else 'self.shortcut(x)'}"
    forward = {
        "plain": "return F.relu(self.branch(x))",
        "resnet": f"return F.relu({total})",
        "preact": f"x = self.fork(x)\nreturn {total}",
    }
    return fill(
        _BLOCK,
        title=_TITLES[net.family].format(figure="2" if net.block == "basic" else "5"),
        arguments="c_in, width, stride" + (", first" if preact and not always_forks else ""),
        c_out="c_out = 4 * width" if net.block == "bottleneck" else "",
        branch="\n".join(lines),
        shortcut="" if net.family == "plain" or identity else _shortcut(net),
        fork=_fork(net) if preact else "",
        forward=forward[net.family],
    )


def _shapes(net: NetSpec) -> list[tuple[str, str, int, str]]:
    """Channels in and out, kernel and stride of the branch's convolutions, as source."""
    if net.block == "basic":
        return [("c_in", "width", 3, "stride"), ("width", "width", 3, "")]
    return [("c_in", "width", 1, ""), ("width", "width", 3, "stride"), ("width", "c_out", 1, "")]


def _conv(net: NetSpec, c_in: str, c_out: str, kernel: int, stride: str = "") -> str:
    arguments = [c_in, c_out, str(kernel)]
    arguments += [stride] if stride else []
    arguments += [f"padding={kernel // 2}"] if kernel > 1 else []
    arguments += [] if _biased(net) else ["bias=False"]
    return f"nn.Conv2d({', '.join(arguments)})"


def _stem_conv(net: NetSpec) -> str:
    kernel, stride = STEM_CONVS[net.stem]
    return f"conv={_conv(net, 'CHANNELS', 'WIDTH', kernel, str(stride) if stride > 1 else '')},"


def _biased(net: NetSpec) -> bool:
    """Whether its convolutions have a bias for each channel."""
    return net.norm == "none" and net.init != "fixup"


def _before_relu(net: NetSpec, number: str, channels: str) -> list[str]:
    """The norm, or Fixup's scalar bias, before the ReLU of that number."""
    if net.init == "fixup":
        return _bias(net, f"relu{number}")
    return _norm(net, f"norm{number}", channels)


def _bias(net: NetSpec, layer: str) -> list[str]:
    """Fixup's scalar bias before the layer of that name."""
    return [f"before_{layer}=Bias(),"] if net.init == "fixup" else []


def _norm(net: NetSpec, name: str, channels: str) -> list[str]:
    return [f"{name}=nn.BatchNorm2d({channels}),"] if net.norm == "batch" else []


def _fixup(net: NetSpec) -> str:
    """What Fixup does to He weights."""
    *others, last = range(1, len(_shapes(net)) + 1)
    power = -1 / (2 * len(others))
    lines = [f"module.branch.conv{i}.weight.mul_(sum(BLOCKS) ** {power})" for i in others]
    return fill(_FIXUP, scale="\n".join(lines), last=str(last))


def _changes(net: NetSpec) -> bool:
    """Whether some block's output has another shape than its input."""
    return net.block == "bottleneck" or len(net.stage_blocks) > 1


def _shortcut(net: NetSpec) -> str:
    c_out = "width" if net.block == "basic" else "c_out"
    if net.shortcut == "A":
        made = f"self.shortcut = ZeroPadding(c_in, {c_out}, stride)"
    else:
        layers = [*_bias(net, "conv"), f"conv={_conv(net, 'c_in', c_out, 1, 'stride')},"]
        if net.family != "preact":
            layers += _norm(net, "norm", c_out)
        inner = "".join(f"        {layer}\n" for layer in layers)
        made = f"self.shortcut = nn.Sequential(\n    OrderedDict(\n{inner}    )\n)"
    if net.shortcut == "C":
        return made
    return fill(
        """
self.shortcut = nn.Identity()
if c_in != $c_out or stride != 1:
    $made
""",
        c_out=c_out,
        made=made,
    )


_ALWAYS_FORK = """
# Both paths share the first activation (He et al. 2016, appendix).
self.fork = nn.Sequential($made)
"""

_FORK = """
# $where, both paths share
# the first activation (He et al. 2016, appendix).
self.fork = nn.Sequential()
if $condition:
    self.fork = nn.Sequential($moved)
    del $moved
"""


def _fork(net: NetSpec) -> str:
    """What stands before the fork of a pre-activation block into branch and shortcut."""
    first = [line.split("=", 1) for line in _before_relu(net, "1", "c_in")]  # name, module
    if net.shortcut == "C":
        made = [module.rstrip(",") for _, module in first]
        return fill(_ALWAYS_FORK, made=", ".join([*made, "nn.ReLU()"]))
    projects = net.shortcut == "B" and _changes(net)
    c_out = "width" if net.block == "basic" else "c_out"
    return fill(
        _FORK,
        where="Where the net begins or a projection stands" if projects else "Where the net begins",
        condition=f"first or c_in != {c_out} or stride != 1" if projects else "first",
        moved=", ".join(f"self.branch.{name}" for name in [*(n for n, _ in first), "relu1"]),
    )

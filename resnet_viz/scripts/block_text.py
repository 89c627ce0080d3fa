"""The blocks of a script: only the norms, shortcuts and gates that the spec of its net has."""

from __future__ import annotations

from resnet_viz.layers import after_order, branch_order, gate_kernel
from resnet_viz.scripts.templates import fill
from resnet_viz.specs import NetSpec

SCALARS = '''
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

ZERO_PADDING = '''
class ZeroPadding(nn.Module):
    """Option A: every `stride`-th pixel, the new channels zero (He et al. 2015, 3.3)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.stride, self.new_channels = stride, c_out - c_in

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))
'''

TIMES = '''
class Times(nn.Module):
    """x times a constant."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor
'''

SURVIVE = '''
class Survive(nn.Module):
    """Stochastic depth: a branch is kept for the whole batch or zero (Huang et al. 2016)."""

    def __init__(self, probability):
        super().__init__()
        self.probability = probability

    def forward(self, x):
        if not self.training:
            return x * self.probability
        return x * torch.bernoulli(x.new_full((), self.probability))
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
        $gate
        $fork

    def forward(self, x):
        $forward
'''

_TITLES = {
    "plain": "relu(F(x)): the layers of a residual block, without its shortcut.",
    "resnet": "relu(F(x) + shortcut(x)) (He et al. 2015, Fig. {figure}).",
    "preact": "F(x) + shortcut(x), the activations before the convolutions (He et al. 2016).",
    "highway": "T(x) F(x) + (1 - T(x)) x: a highway layer (Srivastava et al. 2015, eq. 3).",
    "densenet": "x, and behind it F(x): a dense layer (Huang et al. 2017).",
}
_OTHER_TITLES = {
    "norm_after_sum": "relu(norm(F(x) + shortcut(x))) (He et al. 2016, Fig. 4b).",
    "relu_before_sum": "F(x) + shortcut(x), F(x) ends with ReLU (He et al. 2016, Fig. 4c).",
    "relu_only": "F(x) + shortcut(x), F(x) begins with ReLU (He et al. 2016, Fig. 4d).",
    "scaled": "relu(F(x) + shortcut(x)), scaled by constants (He et al. 2016, 3.1).",
    "dropout": "relu(F(x) + dropout(x)) (He et al. 2016, 3.1).",
    "exclusive_gate": "relu(T(x) F(x) + (1 - T(x)) x) (He et al. 2016, 3.1).",
    "shortcut_gate": "relu(F(x) + (1 - T(x)) x) (He et al. 2016, 3.1).",
}


def block_text(net: NetSpec) -> str:
    """Source of `Block`, and before it of the smaller modules that it has."""
    pads = net.family not in ("plain", "densenet") and not net.projects and changes(net)
    scaled, survives = net.shortcut == "scaled", net.survival < 1
    smaller = [SCALARS] * (net.init == "fixup") + [ZERO_PADDING] * pads
    smaller += [TIMES] * scaled + [SURVIVE] * survives
    title = _TITLES[net.family].format(figure="2" if net.block == "basic" else "5")
    block = fill(
        _BLOCK,
        title=_OTHER_TITLES.get(net.order, _OTHER_TITLES.get(net.shortcut, title)),
        arguments=_arguments(net),
        c_out="c_out = 4 * width" if c_out(net) == "c_out" else "",
        branch="\n".join(_branch(net)),
        shortcut=_shortcut(net),
        gate=_gate(net),
        fork=_fork(net) if net.family == "preact" else "",
        forward=_forward(net),
    )
    return "\n\n\n".join([*(part.strip("\n") for part in smaller), block])


def _arguments(net: NetSpec) -> str:
    if net.family == "densenet":
        return "c_in"
    first = ", first" if net.family == "preact" and net.shortcut != "C" else ""
    return f"c_in, width, stride{first}" + (", survival" if net.survival < 1 else "")


def _branch(net: NetSpec) -> list[str]:
    order, shapes = branch_order(net), _shapes(net)
    lines: list[str] = []
    for place, name in enumerate(order):
        kind, number = name[:-1], int(name[-1])
        if net.family == "preact" and net.shortcut == "C" and place < order.index("conv1"):
            continue  # it always stands before the fork
        a, b, kernel, stride = shapes[number - 1]
        if kind == "relu":
            lines += [f"{name}=nn.ReLU(),"]
        elif kind == "norm":
            lines += before_relu(net, str(number), b if f"conv{number}" in order[:place] else a)
        else:
            lines += [*bias(net, name), f"{name}={conv(net, a, b, kernel, stride)},"]
            lines += ["scale=Scale(),"] * (net.init == "fixup" and number == len(shapes))
    lines += ["times=Times(BRANCH_SCALE),"] * (net.branch_scale != 1)
    return lines + ["survive=Survive(survival),"] * (net.survival < 1)


def _shapes(net: NetSpec) -> list[tuple[str, str, int, str]]:
    """Channels in and out, kernel and stride of the branch's convolutions, as source."""
    if net.family == "densenet":
        if net.block == "basic":
            return [("c_in", "GROWTH_RATE", 3, "")]
        inner = "4 * GROWTH_RATE"
        return [("c_in", inner, 1, ""), (inner, "GROWTH_RATE", 3, "")]
    if net.family == "highway":
        return [("c_in", "width", 3, "stride")]
    if net.block == "basic":
        return [("c_in", "width", 3, "stride"), ("width", "width", 3, "")]
    return [("c_in", "width", 1, ""), ("width", "width", 3, "stride"), ("width", "c_out", 1, "")]


def last_branch_number(net: NetSpec) -> int:
    """Number of the last convolution of a branch."""
    return len(_shapes(net))


def c_out(net: NetSpec) -> str:
    """A block's channels, as source within it."""
    return "c_out" if net.block == "bottleneck" and net.family != "densenet" else "width"


def changes(net: NetSpec) -> bool:
    """Whether some block's output has another shape than its input."""
    return net.block == "bottleneck" or len(net.stage_blocks) > 1


def conv(net: NetSpec, c_in: str, c_out: str, kernel: int, stride: str = "") -> str:
    """Source of a convolution."""
    arguments = [c_in, c_out, str(kernel)]
    arguments += [stride] if stride else []
    arguments += [f"padding={kernel // 2}"] if kernel > 1 else []
    arguments += [] if biased(net) else ["bias=False"]
    return f"nn.Conv2d({', '.join(arguments)})"


def biased(net: NetSpec) -> bool:
    """Whether its convolutions have a bias for each channel."""
    return net.norm == "none" and net.init != "fixup"


def before_relu(net: NetSpec, number: str, channels: str) -> list[str]:
    """The norm, or Fixup's scalar bias, before the ReLU of that number."""
    if net.init == "fixup":
        return bias(net, f"relu{number}")
    return _norm(net, f"norm{number}", channels)


def bias(net: NetSpec, layer: str) -> list[str]:
    """Fixup's scalar bias before the layer of that name."""
    return [f"before_{layer}=Bias(),"] if net.init == "fixup" else []


def _norm(net: NetSpec, name: str, channels: str) -> list[str]:
    return [f"{name}=nn.BatchNorm2d({channels}),"] if net.norm == "batch" else []


def _always_identity(net: NetSpec) -> bool:
    """Whether its shortcuts are x itself in every block, so that no module is needed."""
    return net.shortcut in ("A", "B") and not changes(net) and not net.gated


def _forward(net: NetSpec) -> str:
    if net.family == "densenet":
        return "return torch.cat([x, self.branch(x)], 1)"
    x = "x" if _always_identity(net) else "self.shortcut(x)"
    lines = ["x = self.fork(x)"] if net.family == "preact" else []
    total = "self.branch(x)" if net.family == "plain" else f"self.branch(x) + {x}"
    if net.gated:
        lines += ["gate = self.transform_gate(x)"]
        weight = "gate * " if net.gates_branch else ""
        total = f"{weight}self.branch(x) + (1 - gate) * {x}"
    for kind in after_order(net):
        if kind == "relu":
            total = f"F.relu({total})"
        elif net.norm == "batch":
            total = f"self.norm({total})"
    return "\n".join([*lines, f"return {total}"])


def _shortcut(net: NetSpec) -> str:
    """What makes the shortcut, and the norm after the addition where there is one."""
    after = [f"self.norm = nn.BatchNorm2d({c_out(net)})"]
    after *= "norm" in after_order(net) and net.norm == "batch"
    if net.family in ("plain", "densenet") or _always_identity(net):
        return "\n".join(after)
    if not net.projects:
        made = f"self.shortcut = ZeroPadding(c_in, {c_out(net)}, stride)"
    else:
        layers = [*bias(net, "conv"), f"conv={conv(net, 'c_in', c_out(net), 1, 'stride')},"]
        if net.family != "preact":
            layers += _norm(net, "norm", c_out(net))
        inner = "".join(f"        {layer}\n" for layer in layers)
        made = f"self.shortcut = nn.Sequential(\n    OrderedDict(\n{inner}    )\n)"
    lines = [made]
    if net.shortcut != "C":
        lines = ["self.shortcut = nn.Identity()"]
        if changes(net):
            condition = f"if c_in != {c_out(net)} or stride != 1:"
            lines += [condition, *(f"    {line}" for line in made.splitlines())]
    if net.shortcut in ("scaled", "dropout"):
        last = "Times(SHORTCUT_SCALE)" if net.shortcut == "scaled" else "nn.Dropout(DROPOUT)"
        lines += [f"self.shortcut = nn.Sequential(self.shortcut, {last})"]
    return "\n".join([*lines, *after])


def _gate(net: NetSpec) -> str:
    if not net.gated:
        return ""
    kernel = gate_kernel(net)
    arguments = ["c_in", c_out(net), str(kernel), "stride"]
    arguments += [f"padding={kernel // 2}"] if kernel > 1 else []
    layers = [f"conv=nn.Conv2d({', '.join(arguments)}),", "sigmoid=nn.Sigmoid(),"]
    inner = "".join(f"        {layer}\n" for layer in layers)
    return f"self.transform_gate = nn.Sequential(\n    OrderedDict(\n{inner}    )\n)"


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
    norm = before_relu(net, "1", "c_in") if net.order == "standard" else []
    first = [line.split("=", 1) for line in norm]  # name, module
    if net.shortcut == "C":
        made = [module.rstrip(",") for _, module in first]
        return fill(_ALWAYS_FORK, made=", ".join([*made, "nn.ReLU()"]))
    projects = net.shortcut == "B" and changes(net)
    condition = f"first or c_in != {c_out(net)} or stride != 1" if projects else "first"
    return fill(
        _FORK,
        where="Where the net begins or a projection stands" if projects else "Where the net begins",
        condition=condition,
        moved=", ".join(f"self.branch.{name}" for name in [*(n for n, _ in first), "relu1"]),
    )

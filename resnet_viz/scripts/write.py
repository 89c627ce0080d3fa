"""A run as a script of its own: PyTorch code that a person can take home, read and change.

No torch here: the page server writes these scripts.
"""

from __future__ import annotations

from dataclasses import replace

from resnet_viz import __version__
from resnet_viz.scripts.data_text import FOLDER_IMAGE_SIZE, data_text, resizes, source
from resnet_viz.scripts.net_text import net_constants, net_text
from resnet_viz.scripts.recipe_text import recipe_text
from resnet_viz.scripts.templates import fill, literal
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, SpecError, TrainSpec
from resnet_viz.sweeps import PRESETS, SweepSpec

_SCRIPT = '''
"""$net on $data, in one file.

$paper

    pip install $packages
    python $file [--steps N] [--device cpu]

Written by resnet_viz $version for the run $key. It starts from that run's
weights, bit for bit, and takes the same batches; in float32 on the CPU its errors are
the program's up to rounding.$start
"""

# The same run in resnet_viz:
#
$command

$imports

$constants


$net_source


$data_source


$recipe_source


if __name__ == "__main__":
    main()
'''

_HE_2015 = """He et al. 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385."""
_PAPERS = {
    "preact": "He et al. 2016, Identity Mappings in Deep Residual Networks, arXiv:1603.05027.",
    "highway": "Srivastava et al. 2015, Highway Networks, arXiv:1505.00387.",
    "densenet": "Huang et al. 2017, Densely Connected Convolutional Networks, arXiv:1608.06993.",
}
_GENERATOR = "\n\n\n# The generator of the drawn shapes.\n\n"
_STDLIB = ("argparse", "collections", "dataclasses", "itertools", "math", "pathlib", "random")
_IMPORTS = (
    "import argparse",
    "import itertools",
    "import math",
    "from collections import OrderedDict, deque",
    "import torch",
    "from torch import nn",
    "from torch.nn import functional as F",
)

# Of a run that starts from kept weights.
_START_IMPORT = "from safetensors.torch import load_file"
_START_NOTE = """

These weights are not random: put the file that START names beside this script. The part
"Take away" of the run offers it, and it lies in the folder "starts" of the data folder."""


def write_script(run: RunSpec) -> str:
    """A self-contained script that trains the net of `run` on its data by its recipe.

    It needs torch and what the data need (scikit-learn, torchvision, numpy or Pillow), but not
    this package. Texts of the spec enter it as escaped literals only.
    """
    run = RunSpec.from_json(run.to_json())  # plain values, whatever kinds of number came in
    data = source(run.data)
    return (
        fill(
            _SCRIPT,
            net=run.net.name,
            data=data.title,
            paper=_PAPERS.get(run.net.family, _HE_2015),
            packages=" ".join(("torch", *data.packages, *(["safetensors"] if run.start else []))),
            file=f"{run.net.name}.py",
            version=__version__,
            key=run.key,
            start=_START_NOTE if run.start is not None else "",
            command="\n".join(f"#     {line}".rstrip(" ") for line in _command(run)),
            imports=_imports((*data.imports, *([_START_IMPORT] if run.start else []))),
            constants=_constants(run),
            net_source=net_text(run.net),
            data_source=data_text(run.data),
            recipe_source=recipe_text(run) + (_GENERATOR + data.more if data.more else ""),
        )
        + "\n"
    )


def _imports(more: tuple[str, ...]) -> str:
    """Import lines in two groups, as import sorters leave them."""
    lines = sorted({*_IMPORTS, *more}, key=lambda line: (line.startswith("from"), line.lower()))
    own = [line for line in lines if line.split()[1] in _STDLIB]
    return "\n".join([*own, "", *(line for line in lines if line not in own)])


def _constants(run: RunSpec) -> str:
    net, data, train = run.net, run.data, run.train
    about = source(data)
    beside = net.depth - net.block_layers * sum(net.stage_blocks)
    depth = f"{net.block_layers} * {sum(net.stage_blocks)} + {beside} = {net.depth}"
    width = "channels of the first stage; each later one doubles them"
    if net.family == "densenet":
        width = "channels of the stem"
    lines = [
        "# The net",
        _constant("WIDTH", net.width, width),
        _constant("BLOCKS", net.stage_blocks, f"blocks of each stage: {depth} weighted layers"),
        _constant(
            "CHANNELS", about.channels, "grey" if about.channels == 1 else "red, green, blue"
        ),
    ]
    lines += [_constant("CLASSES", about.classes)] if about.classes else []
    lines += [_constant(*constant) for constant in net_constants(net)]
    lines += ["", "# The data"]
    if data.folder is not None:
        lines.append(_constant("FOLDER", data.folder, "a path; another one by --folder"))
    if about.own_size is None or resizes(data):
        size = data.image_size or FOLDER_IMAGE_SIZE
        lines.append(_constant("IMAGE_SIZE", size, "side of the square images in pixels"))
    if data.val_images:
        lines.append(_constant("VAL_IMAGES", data.val_images, "held out of the training images"))
    if data.crop_padding:
        lines.append(_constant("CROP_PADDING", data.crop_padding, "pixels of black on each side"))
    if lines[-1] == "# The data":
        del lines[-2:]
    lines += ["", "# The recipe", _constant("STEPS", train.steps)]
    lines += [_constant("BATCH_SIZE", train.batch_size), _constant("LR", train.lr)]
    if train.optimizer == "sgd":
        lines.append(_constant("MOMENTUM", train.momentum))
    lines.append(_constant("WEIGHT_DECAY", train.weight_decay, "L2 penalty on all parameters"))
    if train.warmup_steps:
        lines.append(_constant("WARMUP_STEPS", train.warmup_steps, "lr rises from zero to LR"))
    if train.warmup_error is not None:
        note = "lr is LR / 10 until the running error is under this, judged every 100 steps"
        lines.append(_constant("WARMUP_ERROR", train.warmup_error, note))
    lines += [
        _constant("SEED", train.seed, "of initialisation, batches and augmentation"),
        *_start_constant(run),
        "",
        _constant("PRINT_EVERY", max(1, 10 ** (len(str(train.steps)) - 2)), "steps"),
        _constant("WEIGHTS", f"{net.name}-{run.key[:8]}.pt", "file that is written at the end"),
    ]
    return "\n".join(lines)


def _start_constant(run: RunSpec) -> list[str]:
    if run.start is None:
        return []
    return [_constant("START", f"{run.start}.safetensors", "weights to begin with; named by hash")]


def _constant(name: str, value: object, note: str = "") -> str:
    return f"{name} = {literal(value)}" + (f"  # {note}" if note else "")


def _command(run: RunSpec) -> list[str]:
    """How the program trains the run: a command where its options reach, else Python."""
    train = run.train
    recipe = {n: getattr(train, n) for n in ("steps", "batch_size", "lr", "seed")}
    for name, preset in PRESETS.items():
        if _cell(preset, run) != [run]:
            continue
        options = {"preset": name, "families": run.net.family, "depths": str(run.net.depth)}
        if run.net.width != preset.width:
            options["width"] = str(run.net.width)
        own = {n: str(v) for n, v in recipe.items() if v != getattr(preset.train, n)}
        options |= {n.replace("_", "-"): v for n, v in own.items()}
        words = " ".join(f"--{n} {v}" for n, v in options.items())
        return [f"python -m resnet_viz sweep {words}"]
    return [
        "from resnet_viz import DataSpec, NetSpec, RunSpec, TrainSpec, train",
        "",
        *_call("net", run.net),
        *_call("data", run.data),
        *_call("recipe", run.train),
        f"for record in train(RunSpec(net, data, recipe{_start_argument(run)})):",
        "    print(record)",
    ]


def _start_argument(run: RunSpec) -> str:
    return "" if run.start is None else f", start={literal(run.start)}"


def _cell(preset: SweepSpec, run: RunSpec) -> list[RunSpec]:
    """The runs of a preset for the net and the recipe of `run`, as options can change them."""
    train = run.train
    recipe = replace(
        preset.train,
        steps=train.steps,
        batch_size=train.batch_size,
        lr=train.lr,
        seed=train.seed,
    )
    families, depths = (run.net.family,), (run.net.depth,)
    try:
        return replace(
            preset, families=families, depths=depths, width=run.net.width, train=recipe
        ).runs()
    except SpecError:  # the preset's blocks do not make this depth
        return []


def _call(name: str, spec: NetSpec | DataSpec | TrainSpec) -> list[str]:
    """Source lines that assign a spec, without its defaults, to a name."""
    values = spec.to_dict()
    arguments = [
        f"{n}={literal(tuple(v) if isinstance(v, list) else v)}" for n, v in values.items()
    ]
    line = f"{name} = {type(spec).__name__}({', '.join(arguments)})"
    if len(line) <= 90:
        return [line]
    return [f"{name} = {type(spec).__name__}(", *(f"    {a}," for a in arguments), ")"]

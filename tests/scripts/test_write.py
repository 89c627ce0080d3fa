"""A written script is the run: the same net, weights, data and errors, without the package."""

import ast
import importlib.util
import itertools
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from resnet_viz import cli
from resnet_viz.datasets import catalogue, published
from resnet_viz.datasets.batches import augment, batch_indices
from resnet_viz.datasets.load import load
from resnet_viz.nets.build import build_net
from resnet_viz.nets.costs import Machine, count_costs
from resnet_viz.scripts.write import write_script
from resnet_viz.specs import (
    BLOCKS,
    DATASETS,
    FAMILIES,
    INITS,
    NORMS,
    OPTIMIZERS,
    ORDERS,
    RESIDUAL_FAMILIES,
    SCHEDULES,
    SHORTCUTS,
    DataSpec,
    NetSpec,
    RunSpec,
    SpecError,
    TrainSpec,
    layers_per_block,
    other_layers,
)
from resnet_viz.sweeps import PRESETS
from resnet_viz.training.schedule import learning_rate
from resnet_viz.training.training import Training

ROOT = Path(__file__).parents[2]
FLOAT32 = Machine("cpu", "float32", False, 0, 0, 0, 0)
DIGITS = DataSpec("digits", image_size=16)
RECIPE = TrainSpec(steps=40, batch_size=32, lr=0.05, warmup_steps=2)
HOSTILE = 'a\'b"c\n"""\nraise SystemExit("injected")\r\u2028$x {y} %s \\'


def valid_nets():
    """Every family, block, shortcut, norm and initialisation that go together, and odd stages.

    Xavier and N(0, σ²) change one line of a script, whatever the blocks and shortcuts.
    """
    blocks = {"basic": (1, 2), "bottleneck": (1, 2)}
    for family, block, shortcut, norm, init in itertools.product(
        FAMILIES, BLOCKS, SHORTCUTS, NORMS, INITS
    ):
        if init in ("xavier", "normal") and (block, shortcut) != ("basic", "A"):
            continue
        for stages in (blocks[block], (3,)):
            try:
                std = 0.3 if init == "normal" else 0.01
                depth = layers_per_block(family, block) * sum(stages)
                depth += other_layers(family, len(stages))
                yield NetSpec(family, depth, block, shortcut, 3, stages, norm, init, std)
            except SpecError:
                continue
    yield NetSpec("plain", 8, width=3, norm="none", stem="imagenet")
    yield NetSpec("resnet", 14, "bottleneck", "B", 3, blocks=(1, 1, 1, 1), stem="imagenet")
    for norm in NORMS:
        yield NetSpec("highway", 8, width=3, norm=norm, gate_bias=-1)
        yield NetSpec("densenet", 10, width=3, norm=norm, growth_rate=3)
        yield NetSpec("plain", 14, width=3, norm=norm, aux_heads=2)
    yield NetSpec("densenet", 16, "bottleneck", width=3, growth_rate=3, compression=0.5)
    yield NetSpec("densenet", 5, width=3, blocks=(3,), growth_rate=3)
    yield NetSpec("densenet", 10, width=3, growth_rate=3, compression=0.5, stem="imagenet")
    for order, shortcut, block in itertools.product(ORDERS["resnet"][1:], "AC", BLOCKS):
        yield NetSpec("resnet", 8 if block == "basic" else 11, block, shortcut, 3, order=order)
    for shortcut in "ABC":
        yield NetSpec("preact", 8, "basic", shortcut, 3, order="relu_only")
    yield NetSpec("resnet", 8, shortcut="scaled", width=3, branch_scale=0.5)
    for family in RESIDUAL_FAMILIES:
        yield NetSpec(family, 8, width=3, survival=0.5)
    yield NetSpec("resnet", 20, width=4)


NETS = list(valid_nets())
assert {net.init for net in NETS} == set(INITS)


def data_specs():
    """Each data set with and without scaling, validation images, crops and mirrored images."""
    for name in DATASETS:
        folder = "pictures" if name == "folder" else None
        yield DataSpec(name, folder=folder)
        flip = name != "digits"
        yield DataSpec(name, folder, image_size=12, crop_padding=2, flip=flip, val_images=7)
    yield DataSpec("cifar10", flip=True)


RUNS = [
    *(RunSpec(net, DIGITS, RECIPE) for net in NETS),
    *(RunSpec(NETS[-1], data, RECIPE) for data in data_specs()),
    *(
        RunSpec(NETS[-1], DIGITS, replace(RECIPE, optimizer=o, schedule=s, **warmup))
        for o in OPTIMIZERS
        for s in SCHEDULES
        for warmup in ({}, {"warmup_steps": 0}, {"warmup_error": 0.8})
    ),
    *(run for preset in PRESETS.values() for run in preset.runs()[-2:]),
]


def script_module(run, folder):
    """The script of a run as a module, without its main program."""
    path = folder / f"script_{run.key}.py"
    path.write_text(write_script(run), "utf-8")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module  # where dataclasses look for their module
    try:
        specification.loader.exec_module(module)
    finally:
        del sys.modules[path.stem]
    return module


def test_scripts_are_clean_and_formatted(tmp_path):
    for run in RUNS:
        (tmp_path / f"{run.key}.py").write_text(write_script(run), "utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--config", ROOT / "pyproject.toml", "--no-cache", tmp_path]
    for command in (["check"], ["format", "--check"]):
        ended = subprocess.run([*ruff, *command, *options], capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout[-3000:]


def test_scripts_import_only_what_their_header_installs():
    allowed = {
        "digits": {"torch", "numpy", "sklearn"},
        "shapes": {"torch", "numpy"},
        "folder": {"torch", "numpy", "PIL"},
    }
    for run in RUNS:
        imported = set()
        for node in ast.walk(ast.parse(write_script(run))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
        others = imported - set(sys.stdlib_module_names)
        assert others == allowed.get(run.data.name, {"torch", "torchvision"})


@pytest.mark.parametrize(("name", "lines"), [("quick", 250), ("longer", 450), ("paper", 250)])
def test_scripts_stay_short(name, lines):
    assert write_script(PRESETS[name].runs()[0]).count("\n") < lines


@pytest.mark.parametrize("net", NETS, ids=lambda n: "-".join(map(str, vars(n).values())))
def test_the_net_is_the_program_s_bit_for_bit(net, tmp_path):
    script = script_module(RunSpec(net, DIGITS, RECIPE), tmp_path)
    torch.manual_seed(5)
    ours = build_net(net, 10, 1)
    torch.manual_seed(5)
    theirs = script.Net(10)
    assert sum(p.numel() for p in theirs.parameters()) == (
        count_costs(net, in_channels=1, image_size=16).parameters
    )
    assert_same_weights(ours, theirs)
    randomise(ours)
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(4, 1, 32, 32)
    for outputs in (lambda made: made(images), lambda made: made.eval()(images)):
        torch.manual_seed(0)
        found = outputs(ours)
        torch.manual_seed(0)
        torch.testing.assert_close(outputs(theirs), found)
    if net.aux_heads:
        torch.testing.assert_close(theirs.outputs(images), ours.outputs(images))


def assert_same_weights(ours, theirs):
    ours, theirs = ours.state_dict(), theirs.state_dict()
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]), name


@torch.no_grad()
def randomise(net):
    """Weights at which no branch is zero and no norm an identity."""
    for parameter in net.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.3)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()


def test_a_script_has_no_branch_that_its_net_does_not_take():
    plain = write_script(RunSpec(NetSpec("plain", 8), DIGITS, TrainSpec()))
    for word in ("shortcut(", "ZeroPadding", "fork", "bottleneck", "WARMUP", "augment(", "VAL_"):
        assert word not in plain
    without = write_script(RunSpec(NetSpec("resnet", 8, norm="none"), DIGITS, TrainSpec()))
    for word in ("BatchNorm", "Bias", "Scale", "before_", "INIT_STD", "Fixup"):
        assert word not in without


@pytest.fixture
def pictures(tmp_path):
    """A folder of images of many sizes in three classes, some of them to be passed over."""
    generator = np.random.default_rng(0)
    root = tmp_path / "pictures"
    for name, count in (("b", 7), ("a", 12), ("c", 5)):
        (root / name).mkdir(parents=True)
        for i in range(count):
            size = (*generator.integers(9, 90, 2), 3)
            pixels = generator.integers(0, 256, size, dtype=np.uint8)
            mode = "L" if i % 3 == 0 else "RGB"
            Image.fromarray(pixels).convert(mode).save(root / name / f"{i}.{('png', 'JPG')[i % 2]}")
        (root / name / "notes.txt").write_text("not an image")
        (root / name / ".hidden.png").write_text("not an image either")
    (root / ".cache").mkdir()
    return root


def check_data(run, script, data, classes):
    """The script's images, labels, statistics and batches against those of the program."""
    ours = load(run.data)
    assert classes == len(ours.classes)
    assert len(data) == (3 if run.data.val_images else 2)
    for part, (images, labels) in data.items():
        assert torch.equal(images, getattr(ours, f"{part}_images"))
        assert torch.equal(labels, getattr(ours, f"{part}_labels"))
    mean, std = script.channel_statistics(data["train"][0])
    torch.testing.assert_close(mean.flatten(), ours.mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(std.flatten(), ours.std, rtol=1e-4, atol=1e-5)
    n, train = len(ours.train_labels), run.train
    for step, batch in enumerate(itertools.islice(script.batches(n), 2 * n // train.batch_size)):
        assert torch.equal(batch, batch_indices(n, train.batch_size, step, train.seed))
    if run.data.crop_padding or run.data.flip:
        images = ours.train_images[batch]
        expected = augment(images, run.data, train.seed, step)
        assert torch.equal(script.augment(images, step), expected)


@pytest.mark.parametrize("scaled", [False, True])
def test_digits_are_the_program_s(scaled, tmp_path):
    data = DataSpec("digits", None, 16, 2, val_images=100) if scaled else DataSpec("digits")
    run = RunSpec(NETS[-1], data, replace(RECIPE, seed=3))
    script = script_module(run, tmp_path)
    check_data(run, script, script.load_data(), script.CLASSES)


def test_shapes_are_the_program_s(tmp_path):
    data = DataSpec("shapes", None, 8, crop_padding=1, flip=True, val_images=100)
    run = RunSpec(NETS[-1], data, replace(RECIPE, batch_size=1024))
    script = script_module(run, tmp_path)
    check_data(run, script, script.load_data(), script.CLASSES)


@pytest.mark.parametrize("layout", ["classes", "train", "train and test"])
def test_a_folder_s_images_are_the_program_s(layout, pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_HOME", str(tmp_path / "home"))
    root = pictures if layout == "classes" else tmp_path / "parted"
    if layout != "classes":
        root.mkdir()
        pictures.rename(root / "train")
    if layout == "train and test":
        (root / "test" / "c").mkdir(parents=True)
        (root / "train" / "c" / "0.png").rename(root / "test" / "c" / "0.png")
    data = DataSpec("folder", str(root), 16, crop_padding=1, flip=True, val_images=2)
    run = RunSpec(NETS[-1], data, replace(RECIPE, batch_size=8))
    script = script_module(run, tmp_path)
    classes, parts = script.load_data(Path(script.FOLDER))
    check_data(run, script, parts, len(classes))


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "fashion_mnist"])
def test_published_data_are_read_as_the_program_reads_them(name, tmp_path, monkeypatch):
    """The archives are not here: torchvision's classes are given images of their own kind."""
    about, generator = catalogue.info(name), torch.Generator().manual_seed(0)
    side, colour = about.image_size, about.channels == 3

    class Part:
        classes = about.classes

        def __init__(self, root, train=True, download=False):
            size = (600 if train else 40, side, side, 3) if colour else (600, side, side)
            data = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
            targets = torch.arange(len(data)) % len(about.classes)
            self.data = data.numpy() if colour else data
            self.targets = targets.tolist() if colour else targets

    monkeypatch.setattr(published, "_torchvision_class", lambda name: Part)
    monkeypatch.setattr(published, "archives", lambda name: [])
    monkeypatch.setenv("RESNET_VIZ_HOME", str(tmp_path))
    (tmp_path / "datasets" / name).mkdir(parents=True)
    run = RunSpec(NETS[-1], DataSpec(name, image_size=16, val_images=50), RECIPE)
    ours = load(run.data)
    script = script_module(run, tmp_path)
    kind = {"cifar10": "CIFAR10", "cifar100": "CIFAR100", "fashion_mnist": "FashionMNIST"}[name]
    monkeypatch.setattr(script.datasets, kind, Part)
    generator.manual_seed(0)
    check_data(run, script, script.load_data(), script.CLASSES)
    assert ours.train_images.shape[1] == script.CHANNELS


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("warmup", [0, 5])
def test_the_learning_rate_is_the_program_s(schedule, warmup, tmp_path):
    recipe = replace(RECIPE, schedule=schedule, warmup_steps=warmup)
    script = script_module(RunSpec(NETS[-1], DIGITS, recipe), tmp_path)
    for step in range(recipe.steps):
        assert script.learning_rate(step) == pytest.approx(learning_rate(recipe, step), rel=1e-12)


def run_script(run, folder, *options):
    """What the script prints, run where the package cannot be imported."""
    folder.mkdir(exist_ok=True)
    (folder / "script.py").write_text(write_script(run), "utf-8")
    away = "import sys, runpy; sys.modules['resnet_viz'] = None; sys.argv.pop(0); "
    away += "import torch; torch.set_num_threads(1); "
    away += "runpy.run_path('script.py', run_name='__main__')"
    command = [sys.executable, "-I", "-c", away, "script.py", *options, "--device", "cpu"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


RECIPE_OF_FOUR = TrainSpec(steps=4, batch_size=32, lr=0.05)
END_TO_END = {
    "digits": RunSpec(
        NetSpec("resnet", 8, width=4),
        DataSpec("digits", image_size=16, crop_padding=2, val_images=100),
        TrainSpec(steps=3, batch_size=32, warmup_steps=2, warmup_error=0.8),
    ),
    "shapes": RunSpec(
        NetSpec("preact", 11, block="bottleneck", width=2, shortcut="B", init="zero_gamma"),
        DataSpec("shapes", image_size=8, flip=True),
        TrainSpec(steps=3, batch_size=32, lr=0.01, optimizer="adam"),
    ),
    "fixup": RunSpec(
        NetSpec("resnet", 8, width=4, norm="none", init="fixup"),
        DIGITS,
        RECIPE_OF_FOUR,
    ),
    "survival": RunSpec(NetSpec("resnet", 8, width=4, survival=0.5), DIGITS, RECIPE_OF_FOUR),
    "auxiliary": RunSpec(NetSpec("plain", 8, width=4, aux_heads=2), DIGITS, RECIPE_OF_FOUR),
}


@pytest.mark.parametrize("name", END_TO_END)
def test_a_script_alone_trains_as_the_program_does(name, tmp_path):
    run = END_TO_END[name]
    ours = Training(run, device="cpu", threads=1, machine=FLOAT32)
    script = script_module(run, tmp_path)
    torch.manual_seed(script.SEED)
    assert_same_weights(ours.net, script.Net(script.CLASSES))
    values = {}
    while not ours.finished:
        for record in ours.advance():
            values.update(record.values)
    printed = run_script(run, tmp_path / "alone")
    loss, error = re.findall(r"running loss ([\d.]+)  running error ([\d.]+)%", printed)[-1]
    assert float(loss) == pytest.approx(values["running_loss"], abs=2e-4)
    assert float(error) / 100 == pytest.approx(values["running_error"], abs=1e-4)
    assert f"{count_costs(run.net, in_channels=script.CHANNELS).parameters:,} parameters" in printed
    for part, expected in re.findall(r"(\w+) error ([\d.]+)%\n", printed.split("step")[-1]):
        if part != "running":
            assert float(expected) / 100 == pytest.approx(values[f"{part}_error"], abs=5e-3)
    weights = torch.load(tmp_path / "alone" / script.WEIGHTS, weights_only=True)
    for key, value in ours.net.state_dict().items():
        torch.testing.assert_close(weights[key], value, rtol=1e-3, atol=1e-4)


def test_fewer_steps_are_the_first_of_the_whole_run(tmp_path, monkeypatch, capsys):
    run = replace(END_TO_END["digits"], train=replace(RECIPE, steps=1000))
    ours = Training(run, device="cpu", threads=1, machine=FLOAT32)
    record = [r for _ in range(3) for r in ours.advance() if r.kind == "training"][-1]
    run_here(run, tmp_path, monkeypatch, "--steps", "3")
    printed = capsys.readouterr().out
    assert f"step      3  lr {record.values['lr']:.5f}" in printed
    loss = float(re.search(r"running loss ([\d.]+)", printed)[1])
    assert loss == pytest.approx(record.values["running_loss"], abs=2e-4)


def test_a_loss_that_is_not_finite_ends_the_script(tmp_path, monkeypatch):
    net = NetSpec("resnet", 8, width=4, norm="none")
    run = RunSpec(net, DIGITS, TrainSpec(steps=30, batch_size=16, lr=1e6))
    with pytest.raises(SystemExit, match=r"the loss became (nan|inf) at step \d"):
        run_here(run, tmp_path, monkeypatch)


def run_here(run, folder, monkeypatch, *options):
    """The main program of the script, in this process."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["script.py", "--device", "cpu", *options])
    script_module(run, folder).main()


def test_a_folder_s_name_cannot_become_code(tmp_path):
    run = RunSpec(NETS[-1], DataSpec("folder", HOSTILE), RECIPE)
    text = write_script(run)
    assert [line for line in text.splitlines() if line.startswith("raise")] == []
    script = script_module(run, tmp_path)
    assert script.FOLDER == HOSTILE
    harmless = write_script(replace(run, data=DataSpec("folder", "pictures")))
    assert shape(text) == shape(harmless)


def shape(text):
    """The syntax tree of a text without its string constants, which hold the spec's values."""
    return re.sub(r"Constant\(value=(['\"]).*?\1\)", "", ast.dump(without_strings(text)))


def without_strings(text):
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return tree


def header_code(text):
    """The lines of the header that say how to train the run in the program."""
    lines = itertools.takewhile(
        lambda line: line.startswith("#"),
        text.split("# The same run in resnet_viz:\n")[1].split("\n"),
    )
    return "\n".join(line[6:] for line in lines).strip()


@pytest.mark.parametrize("preset", ["quick", "longer", "paper"])
def test_the_header_s_command_makes_the_run(preset):
    for run in PRESETS[preset].runs():
        changed = replace(
            run, net=replace(run.net, width=5), train=replace(run.train, steps=7, seed=2)
        )
        for each in (run, changed):
            words = header_code(write_script(each)).split()
            assert words[:3] == ["python", "-m", "resnet_viz"]
            assert cli.sweep_of(cli.make_parser().parse_args(words[3:])).runs() == [each]


def test_the_header_s_code_makes_a_run_that_no_option_reaches():
    runs = [run for run in RUNS if run.train.optimizer == "adam" or run.data.name == "folder"]
    runs.append(RunSpec(NETS[-1], DataSpec("folder", HOSTILE), RECIPE))
    for run in runs:
        setup, loop = header_code(write_script(run)).split("for record in ")
        names = {}
        exec(setup, names)
        assert loop.startswith("train(RunSpec(net, data, recipe))")
        assert RunSpec(names["net"], names["data"], names["recipe"]) == run

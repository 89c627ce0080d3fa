"""Graphs of nets, against the nets themselves, torchvision's figures and autograd."""

import pytest
import torch
import torchvision
from torch import nn

from resnet_viz.architectures import NAMED, architecture, cifar
from resnet_viz.graphs import shortcut_kind
from resnet_viz.nets.architectures import build_architecture, graph_of
from resnet_viz.specs import FAMILIES, NetSpec, SpecError

TORCHVISION = [name for name in NAMED if hasattr(torchvision.models, name)]
SMALL = [
    *(cifar(NetSpec(family, 8)) for family in ("plain", "resnet", "preact")),
    cifar(NetSpec("resnet", 8, shortcut="B")),
    cifar(NetSpec("resnet", 11, block="bottleneck", shortcut="C", width=4)),
    cifar(NetSpec("resnet", 8, norm="none", init="fixup")),
    cifar(NetSpec("highway", 8)),
    cifar(NetSpec("resnet", 8, shortcut="scaled")),
    NAMED["lenet5"],
]

RUN = [*SMALL, NAMED["googlenet"], NAMED["densenet121"]]


def names(nets):
    return [f"{net.title}-{net.spec.shortcut if net.spec else ''}" for net in nets]


@pytest.fixture(scope="module")
def graphs():
    return {name: graph_of(net) for name, net in NAMED.items()}


@pytest.mark.parametrize("name", TORCHVISION)
def test_parameters_and_multiply_adds_are_torchvisions_published_ones(graphs, name):
    about = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta
    total = graphs[name].total
    assert total.parameters == about["num_params"]
    assert total.multiply_adds / 1e9 == pytest.approx(about["_ops"], rel=0.002)


def test_resnet_counts_equal_the_papers_depths(graphs):
    for name in ("resnet18", "resnet50", "resnet152", "plain34", "densenet201", "vgg19"):
        graph = graphs[name]
        projections = sum(block.shortcut == "projection" for p in graph.parts for block in p.blocks)
        assert graph.total.weighted - projections == graph.depth


@pytest.mark.parametrize("net", RUN, ids=names(RUN))
def test_shapes_are_those_of_the_net_that_really_runs(net):
    built, seen = build_architecture(net).eval(), {}
    for path, module in built.named_modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda _m, _i, out, path=path: seen.update({path: tuple(out.shape[1:])})
            )
    with torch.no_grad():
        out = built(torch.randn(1, *net.image_shape))
    graph = graph_of(net)
    leaves = [op for op in graph.operations if op.module in seen]
    assert {op.module for op in leaves} >= {
        path
        for path, module in built.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d)
    }
    for op in leaves:
        assert op.shape == seen[op.module], op.id
    assert graph.output_shape == tuple(out.shape[1:])


def kept_bytes(net):
    """Bytes of distinct memory that autograd keeps for one more image, without weights."""
    built = build_architecture(net).train()
    weights = {p.untyped_storage().data_ptr() for p in built.parameters()}

    def kept(images):
        found = {}

        def keep(tensor):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                found[storage.data_ptr()] = storage.nbytes()
            return tensor  # which keeps it alive, so that no address comes twice

        batch = torch.randn(images, *net.image_shape)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
            built(batch).sum()  # the graph must live while addresses are compared
        return sum(found.values())

    return kept(3) - kept(2)


@pytest.mark.parametrize("net", SMALL, ids=names(SMALL))
def test_kept_memory_is_what_autograd_keeps(net):
    assert graph_of(net).total.kept_bytes == pytest.approx(kept_bytes(net), rel=0.02)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "alexnet"])
def test_kept_memory_of_large_nets_is_what_autograd_keeps(graphs, name):
    assert graphs[name].total.kept_bytes == pytest.approx(kept_bytes(NAMED[name]), rel=0.02)


@pytest.mark.parametrize("net", SMALL[:4], ids=names(SMALL[:4]))
def test_the_receptive_field_is_the_extent_of_the_gradient(net):
    """With positive weights nothing cancels, so that every pixel in reach has a gradient."""
    built = build_architecture(net).double().eval()
    for parameter in built.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)
    outputs = {}
    for path, module in built.named_modules():
        module.register_forward_hook(lambda _m, _i, out, path=path: outputs.update({path: out}))
    side = 161  # larger than any of their fields
    image = torch.rand(1, 3, side, side, dtype=torch.double, requires_grad=True)
    built(image)
    checked = 0
    for op in graph_of(net).operations:
        if op.kind != "conv":
            continue
        out = outputs[op.module]
        middle = out.shape[-1] // 2
        (gradient,) = torch.autograd.grad(out[0, 0, middle, middle], image, retain_graph=True)
        seen = gradient[0].abs().sum((0, 1)).nonzero()
        assert op.receptive_field == int(seen.max() - seen.min()) + 1, op.id
        checked += 1
    assert checked >= net.depth - 1


@pytest.mark.parametrize("name", ["densenet121", "densenet169", "densenet201"])
def test_dense_stages_have_all_connections_of_a_brute_force_count(graphs, name):
    built = getattr(torchvision.models, name)()
    for number, stage in enumerate(graphs[name].stages, 1):
        block = getattr(built.features, f"denseblock{number}")
        layers, inputs = len(block), []
        for layer in block.values():
            layer.register_forward_hook(lambda _m, given, _out, i=inputs: i.append(len(given[0])))
        channels = block.denselayer1.norm1.num_features
        block.eval()(torch.zeros(1, channels, 2, 2))
        pairs = [(a, b) for b in range(1, layers + 1) for a in range(b)]
        assert stage.connections == len(pairs) == sum(inputs) == layers * (layers + 1) // 2
        assert stage.dense


@pytest.mark.parametrize(
    ("spec", "kinds"),
    [
        (NetSpec("plain", 8), ["", "", ""]),
        (NetSpec("resnet", 8), ["identity", "zero-padding", "zero-padding"]),
        (NetSpec("preact", 8), ["identity", "zero-padding", "zero-padding"]),
        (NetSpec("resnet", 8, shortcut="B"), ["identity", "projection", "projection"]),
        (NetSpec("preact", 8, shortcut="C"), ["projection"] * 3),
        (NetSpec("highway", 8), ["gated"] * 3),
        (NetSpec("resnet", 8, shortcut="exclusive_gate"), ["gated"] * 3),
        (NetSpec("resnet", 8, shortcut="shortcut_gate"), ["gated"] * 3),
        (NetSpec("resnet", 8, shortcut="scaled"), ["scaled"] * 3),
        (NetSpec("resnet", 8, shortcut="dropout"), ["dropout"] * 3),
    ],
)
def test_shortcuts_are_called_what_they_are(spec, kinds):
    blocks = [stage.blocks[0] for stage in graph_of(cifar(spec)).stages]
    assert [block.shortcut for block in blocks] == kinds
    assert [block.changes for block in blocks] == [False, True, True]


@pytest.mark.parametrize("family", ["highway", "resnet"])
def test_gates_and_factors_are_operations_with_a_name(family):
    shortcut = "A" if family == "highway" else "scaled"
    graph = graph_of(cifar(NetSpec(family, 8, shortcut=shortcut)))
    labels = {op.label for op in graph.stages[0].operations}
    assert not [op.label for op in graph.operations if op.kind == "other"]
    assert labels >= ({"×", "sigmoid", "1 − x"} if family == "highway" else {"× 0.5"})


@pytest.mark.parametrize(
    ("spec", "transitions"),
    [
        (NetSpec("densenet", 40), [160, 304]),
        (
            NetSpec("densenet", 100, block="bottleneck", compression=0.5, width=24),
            [108, 150],  # half of 24 + 16·12 and of 108 + 16·12
        ),
    ],
    ids=["L40", "BC-100"],
)
def test_a_dense_layer_adds_its_growth_rate_and_transitions_stand_apart(spec, transitions):
    graph = graph_of(cifar(spec))
    keys = ["stem", "stage1", "transition1", "stage2", "transition2", "stage3", "head"]
    assert [part.key for part in graph.parts] == keys
    made = [graph.part(f"transition{n}").shape[0] for n in (1, 2)]
    assert made == transitions
    taken = spec.width
    for number, stage in enumerate(graph.stages):
        layers, side = len(stage.blocks), 32 // 2**number
        assert stage.dense
        assert stage.connections == layers * (layers + 1) // 2
        assert stage.shape == (taken + 12 * layers, side, side)
        for place, block in enumerate(stage.blocks):
            assert block.shape == (12, side, side)
            assert block.shape_in == (taken + 12 * place, side, side)
        taken = transitions[number] if number < 2 else 0


def test_inception_modules_are_blocks_and_not_densely_connected(graphs):
    stages = graphs["googlenet"].stages
    assert [len(stage.blocks) for stage in stages] == [2, 5, 2]
    assert not any(stage.dense for stage in stages)
    assert shortcut_kind(stages[0].blocks[0].operations) == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_graph_whose_counts_are_the_modules(family):
    spec = None
    for depth in range(8, 60):
        try:
            spec = NetSpec(family, depth)
            break
        except SpecError:
            continue
    graph, built = graph_of(cifar(spec)), build_architecture(cifar(spec))
    assert graph.total.parameters == sum(p.numel() for p in built.parameters())
    assert graph.parts[0].key == "stem"
    assert graph.parts[-1].key == "head"
    assert len({op.id for op in graph.operations}) == len(graph.operations)


def test_a_place_is_found_again_in_another_net_as_far_as_it_goes(graphs):
    graph = graphs["resnet50"]
    assert graph.nearest("stage3.block30.branch.conv1") == "stage3"
    assert graph.nearest("stage3.block6.branch.conv1") == "stage3.block6.branch.conv1"
    assert graph.nearest("nothing") == ""
    part, block, operation = graph.find("stage4.block1.shortcut.conv")
    assert (part.key, block.number, operation.label) == ("stage4", 1, "1×1 conv, 2048, /2")


def test_a_net_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(SpecError, match="resnet15"):
        architecture({"name": "resnet151"})

"""The code that a person takes home builds exactly the net that was drawn."""

import pytest
import torch

from resnet_viz.architectures import NAMED, cifar
from resnet_viz.nets.architectures import build_architecture
from resnet_viz.scripts.architecture_text import architecture_text
from resnet_viz.specs import NetSpec

NETS = [
    (NAMED["lenet5"], "LeNet5()"),
    (NAMED["resnet18"], "Net(CLASSES)"),
    (NAMED["plain18"], "Net(CLASSES)"),
    (cifar(NetSpec("preact", 11, block="bottleneck", shortcut="C", width=8)), "Net(CLASSES)"),
    (cifar(NetSpec("resnet", 8, init="normal", init_std=0.02)), "Net(CLASSES)"),
    (NAMED["alexnet"], "models.alexnet()"),
    (NAMED["googlenet"], "models.googlenet(aux_logits=False, init_weights=True)"),
]


@pytest.mark.parametrize(("net", "make"), NETS, ids=[net.title for net, _make in NETS])
def test_its_weights_are_the_nets_own_bit_for_bit(net, make):
    text = architecture_text(net)
    names = {"__name__": "taken_home"}
    exec(compile(text, "net.py", "exec"), names)
    torch.manual_seed(5)
    theirs = eval(make, names).state_dict()
    torch.manual_seed(5)
    ours = build_architecture(net).state_dict()
    assert list(theirs) == list(ours)
    assert all(torch.equal(theirs[name], ours[name]) for name in ours)


def test_it_runs_as_a_program(capsys):
    exec(compile(architecture_text(NAMED["lenet5"]), "net.py", "exec"), {"__name__": "__main__"})
    assert "61706 parameters" in capsys.readouterr().out

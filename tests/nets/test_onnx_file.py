"""ONNX files, run by onnx's own reference evaluator."""

import numpy as np
import pytest
import torch

from resnet_viz.architectures import NAMED, cifar
from resnet_viz.nets import onnx_file
from resnet_viz.nets.architectures import build_architecture
from resnet_viz.nets.onnx_file import OnnxError, write_onnx
from resnet_viz.specs import NetSpec

onnx = pytest.importorskip("onnx")


@pytest.mark.parametrize(
    "net",
    [
        cifar(NetSpec("resnet", 8, width=4)),
        cifar(NetSpec("preact", 8, width=4, shortcut="B")),
        NAMED["lenet5"],
    ],
    ids=lambda net: net.title,
)
def test_the_file_computes_what_the_net_does_for_any_batch(net, home):
    from onnx.reference import ReferenceEvaluator

    path = write_onnx(net, seed=3)
    assert path.parent == home / "exports"
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    torch.manual_seed(3)
    built = build_architecture(net).eval()
    for count in (1, 3):
        images = torch.randn(count, *net.image_shape)
        (logits,) = ReferenceEvaluator(model).run(None, {"images": images.numpy()})
        np.testing.assert_allclose(logits, built(images).detach().numpy(), rtol=1e-3, atol=1e-4)
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # nothing half-written


def test_another_net_of_the_same_name_has_another_file(home):
    narrow, wide = (cifar(NetSpec("plain", 8, width=width)) for width in (2, 4))
    assert write_onnx(narrow) != write_onnx(wide)


def test_a_missing_package_is_named_with_what_to_do(home, monkeypatch):
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None)
    with pytest.raises(OnnxError, match="pip install onnx"):
        write_onnx(NAMED["lenet5"])
    assert not (home / "exports").exists()

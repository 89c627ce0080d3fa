"""The command lesions: its numbers are those of the page's questions, its refusals say why."""

import json

from resnet_viz.analysis.lesion_jobs import lesion_question, singles_question
from resnet_viz.analysis.opened import measure_card
from resnet_viz.analysis.question import answer_here
from resnet_viz.cli import main
from resnet_viz.lesions import Lesion
from resnet_viz.sources import Source
from resnet_viz.specs import DataSpec, NetSpec
from tests.analysis.sources import trained_source


def test_every_block_and_an_own_lesion_as_files(tmp_path, capsys):
    _source, training = trained_source(
        tmp_path, NetSpec("plain", 14, width=4), DataSpec("digits", image_size=8), steps=20
    )
    file = next(tmp_path.glob("*.safetensors"))
    source = Source("file", file.name, str(file))
    card = measure_card(source.to_dict())
    out = tmp_path / "out.csv"
    assert main(["lesions", str(file), "--images", "90", "--draws", "2", "--csv", str(out)]) == 0
    printed = capsys.readouterr().out
    bars = answer_here(singles_question(source, card, 90))
    assert f"1.2   {100 * bars.without[1]:5.1f} %" in printed
    assert "2.1   cannot go" in printed
    assert out.read_text().count("\n") > 8
    report = tmp_path / "out.json"
    own = ["lesions", str(file), "--images", "90", "--remove", "1.1, 3.2", "--json", str(report)]
    assert main(own) == 0
    expected = answer_here(lesion_question(source, card, Lesion(("1.1", "3.2")), 90)).errors[1]
    assert json.loads(report.read_text())["rows"][0]["test_error"] == expected
    assert main(["lesions", str(file), "--remove", "2.1"]) == 2
    assert "no shortcut that would do it" in capsys.readouterr().err
    assert training

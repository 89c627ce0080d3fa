import csv
import io
import json
import math

from resnet_viz.analysis.tables import (
    gain_rows,
    rows_csv,
    shattering_rows,
    signal_rows,
    split_rows,
)
from resnet_viz.signals import Shattering
from resnet_viz.specs import NetSpec
from tests.figures.making_signals import decomposition, signal, split


def test_a_row_a_layer_with_its_place_and_values():
    measured = signal("resnet", gradient=range(1, 9), response=range(11, 19), seed=3)
    rows = signal_rows([measured, signal()])
    assert len(rows) == 16
    row = rows[3]
    assert (row["net"], row["family"], row["depth"], row["init"]) == ("resnet-8", "resnet", 8, "he")
    assert (row["seed"], row["layer"], row["stage"]) == (3, 4, 2)
    assert row["name"] == "stages.1.0.branch.conv1"
    assert (row["gradient_norm"], row["response_std"]) == (4, 14)


def test_what_is_not_finite_is_none_in_json_and_empty_in_csv():
    rows = signal_rows([signal(gradient=[math.inf, math.nan, *[1.0] * 6])])
    assert [row["gradient_norm"] for row in rows[:3]] == [None, None, 1.0]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    first = next(csv.DictReader(io.StringIO(rows_csv(rows))))
    assert (first["gradient_norm"], first["response_std"]) == ("", "1.0")


def test_csv_reads_back_as_the_rows():
    rows = signal_rows([signal(seed=s) for s in (0, 1)])
    read = list(csv.DictReader(io.StringIO(rows_csv(rows))))
    assert [list(r.values()) for r in read] == [[str(v) for v in r.values()] for r in rows]
    assert rows_csv([]) == ""


def test_a_row_a_block_with_norms_and_gain():
    rows = gain_rows([signal(boundary=[6.0, 2.0, 1.0, 0.0])])
    assert [r["input_gradient_norm"] for r in rows] == [6, 2, 1]
    assert [r["output_gradient_norm"] for r in rows] == [2, 1, 0]
    assert [r["gain"] for r in rows] == [3, 2, None]
    assert [r["name"] for r in rows] == ["stages.0.0", "stages.1.0", "stages.2.0"]
    assert [(r["block"], r["block_number"]) for r in rows] == [("basic", n) for n in (1, 2, 3)]


def test_a_row_a_block_with_every_value_of_its_split():
    splits = [split(cosine=math.nan), split(arrived=0.5), split(shortcut="projection")]
    rows = split_rows(decomposition(splits=splits, step=300))
    assert [(r["block"], r["block_number"]) for r in rows] == [("basic", n) for n in (1, 2, 3)]
    assert (rows[0]["cosine"], rows[1]["arrived"], rows[2]["shortcut"]) == (None, 0.5, "A")
    assert [r["shortcut_kind"] for r in rows] == ["identity", "identity", "projection"]


def test_rows_of_nets_and_of_noise_fit_into_one_table():
    position = (0.0, 0.5, 1.0)
    net = Shattering(NetSpec("plain", 8), "", position, position, (1.0, 0.5), (0.0, 0.1), 2)
    white = Shattering(None, "white", position, position, (1.0, 0.0), (), 1)
    rows = shattering_rows([net, white])
    assert [(r["net"], r["lag"], r["autocorrelation"]) for r in rows] == [
        ("plain-8", 0.0, 1.0),
        ("plain-8", 0.5, 0.5),
        ("white noise", 0.0, 1.0),
        ("white noise", 0.5, 0.0),
    ]
    assert rows[3]["family"] is None
    assert rows_csv(rows).count("\n") == 5

"""Networks for other tools: the forms are read back by what reads them."""

import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest

from cistron.errors import InputError
from cistron.formats.edges import Edges
from cistron.networks.exports import export_edges


def _edges(**columns):
    table = pd.DataFrame({"source": ["A", "A<&"], "target": ["B", "C"], "weight": [2.5, -1.0]})
    return Edges(table.assign(**columns), "mine")


def test_graphml_holds_nodes_edges_and_columns(tmp_path):
    export_edges(_edges(sign=[1, -1], probability=[0.9, 0.2]), tmp_path / "a.graphml", "graphml")
    root = ElementTree.parse(tmp_path / "a.graphml").getroot()
    space = "{http://graphml.graphdrawing.org/xmlns}"
    assert [node.get("id") for node in root.iter(f"{space}node")] == ["A", "B", "A<&", "C"]
    first, second = root.iter(f"{space}edge")
    assert (first.get("source"), first.get("target"), second.get("source")) == ("A", "B", "A<&")
    assert {data.get("key"): data.text for data in first} == {
        "weight": "2.5",
        "sign": "1",
        "probability": "0.9",
    }
    assert root.find(f"{space}graph").get("edgedefault") == "directed"


def test_decoupler_has_signed_weights_and_pyscenic_positive_importance(tmp_path):
    signed = _edges(sign=[1, -1], probability=[0.9, 0.2])
    export_edges(signed, tmp_path / "d.csv", "decoupler")
    table = pd.read_csv(tmp_path / "d.csv")
    assert table.columns.tolist() == ["source", "target", "weight"]
    assert table["weight"].tolist() == [0.9, -0.2]
    export_edges(_edges(), tmp_path / "p.csv", "pyscenic")
    table = pd.read_csv(tmp_path / "p.csv")
    assert table.columns.tolist() == ["TF", "target", "importance"]
    assert (table["importance"] > 0).all()
    assert table["importance"].is_monotonic_decreasing


def test_a_form_that_is_not_known_is_said(tmp_path):
    with pytest.raises(InputError, match=r"exported as graphml, decoupler, pyscenic. Given: gml"):
        export_edges(_edges(), tmp_path / "a.gml", "gml")
    with pytest.raises(InputError, match=r"graphml is written as .graphml. Given: a.csv"):
        export_edges(_edges(), tmp_path / "a.csv", "graphml")

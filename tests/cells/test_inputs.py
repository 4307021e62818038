import warnings

import anndata
import numpy as np
import pytest
from scipy import sparse

from cistron.cells.inputs import keep_rich_cells, pseudobulk, read_cells
from cistron.cells.rows import DiskRows
from cistron.errors import IdentifierError, InputError


def whole(cells, size=7):
    return np.vstack([block.toarray() for _, block in cells.blocks(size=size)])


def test_memory_h5ad_and_zarr_give_the_same_blocks(world, files, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anndata and zarr announce what they will write one day
        world.cells.write_zarr(tmp_path / "cells.zarr")
    expected = world.cells.X.toarray()
    backed = anndata.read_h5ad(files["cells"], backed="r")
    for source in (world.cells, files["cells"], tmp_path / "cells.zarr", backed, backed[:, :]):
        cells = read_cells(source)
        assert isinstance(cells.rows, DiskRows) == (
            source is backed or not isinstance(source, anndata.AnnData)
        )
        assert cells.scale == "counts"
        np.testing.assert_array_equal(whole(cells, 64), expected)


def test_dense_files_and_layers(world, tmp_path):
    data = anndata.AnnData(np.log1p(world.cells.X.toarray()), obs=world.cells.obs, var=world.cells.var)
    data.layers["counts"] = world.cells.X.toarray()
    data.write_h5ad(tmp_path / "dense.h5ad")
    np.testing.assert_array_equal(whole(read_cells(tmp_path / "dense.h5ad"), 50), world.cells.X.toarray())


def test_columns_are_selected_by_name_in_the_order_asked(world):
    cells = read_cells(world.cells)
    genes = [cells.genes[5], cells.genes[2], cells.genes[250]]
    expected = world.cells[:, genes].X.toarray()
    np.testing.assert_array_equal(whole(cells.only(genes)), expected)
    rows = np.array([0, 3, 4, 399])
    got = [(numbers, block.toarray()) for numbers, block in cells.only(genes).blocks(rows, size=4)]
    np.testing.assert_array_equal(np.concatenate([numbers for numbers, _ in got]), rows)
    np.testing.assert_array_equal(np.vstack([block for _, block in got]), expected[rows])


def test_pseudobulks_are_sums_and_poor_cells_are_left_out(world):
    cells = read_cells(world.cells)
    summed = pseudobulk(cells, "cell_type")
    for row, name in enumerate(summed.observations.index):
        part = world.cells[(world.cells.obs["cell_type"] == name).to_numpy()]
        np.testing.assert_allclose(whole(summed)[row], np.asarray(part.X.sum(axis=0)).ravel())
    totals = np.asarray(world.cells.X.sum(axis=1)).ravel()
    limit = float(np.median(totals))
    rich, remark = keep_rich_cells(cells, cells.genes, limit)
    assert rich.shape[0] == int((totals >= limit).sum())
    assert "left out" in remark
    np.testing.assert_array_equal(whole(rich, 3), world.cells.X.toarray()[totals >= limit])


def test_genes_are_mapped_with_a_report(world, tmp_path):
    table = tmp_path / "map.tsv"
    names = [f"CIS{number}" for number in range(300)]
    kept = 290
    rows = "".join(f"{gene}\t{name}\n" for gene, name in list(zip(world.cells.var_names, names))[:kept])
    table.write_text("ensembl\tsymbol\n" + rows)
    symbols = world.cells.copy()
    symbols.var_names = names
    cells = read_cells(symbols, gene_map=table, namespace="ensembl")
    assert cells.genes == tuple(world.cells.var_names[:kept])
    assert "10 lost" in cells.remarks[0]
    table.write_text("ensembl\tsymbol\n" + "".join(rows.splitlines(keepends=True)[:200]))
    with pytest.raises(IdentifierError, match="allow-loss"):
        read_cells(symbols, gene_map=table, namespace="ensembl")
    assert len(read_cells(symbols, gene_map=table, namespace="ensembl", allow_loss=True).genes) == 200


def spoiled(world, change):
    data = world.cells.copy()
    data.X = data.X.astype(np.float32)
    change(data)
    return data


def doubled(data):
    data.var_names = [*data.var_names[:-1], data.var_names[0]]


def versions_that_meet(data):
    data.var_names = [*data.var_names[:-1], f"{data.var_names[0]}.7"]


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.X.data.__iadd__(0.5), "expected raw counts"),
        (lambda data: data.X.data.__imul__(-1), "negative"),
        (lambda data: data.X.data.__setitem__(0, np.nan), "NaN"),
        (doubled, "occur more than once"),
        (versions_that_meet, "occur more than once"),
    ],
)
def test_bad_values_are_named(world, change, says):
    with pytest.raises(InputError, match=says):
        read_cells(spoiled(world, change))


def test_stored_by_gene_absent_layer_and_truncated_files(world, tmp_path):
    data = world.cells.copy()
    data.X = sparse.csc_matrix(data.X)
    data.write_h5ad(tmp_path / "by_gene.h5ad")
    np.testing.assert_array_equal(whole(read_cells(tmp_path / "by_gene.h5ad"), 64), world.cells.X.toarray())
    with pytest.raises(InputError, match="no layer 'raw'"):
        read_cells(world.cells, layer="raw")
    (tmp_path / "short.h5ad").write_bytes((tmp_path / "by_gene.h5ad").read_bytes()[:5000])
    with pytest.raises(InputError, match="truncated"):
        read_cells(tmp_path / "short.h5ad")


def test_scale_can_be_declared(world):
    data = spoiled(world, lambda data: np.log1p(data.X.data, out=data.X.data))
    assert read_cells(data, scale="log-normalised").scale == "log-normalised"
    with pytest.raises(InputError, match="counts were expected"):
        read_cells(data, scale="counts")


def test_gene_ids_of_a_column_and_values_of_raw(world, tmp_path):
    data = world.cells.copy()
    data.var["id"] = data.var_names
    data.var_names = [f"NAME{n}" for n in range(data.n_vars)]
    data.var.iloc[3, data.var.columns.get_loc("id")] = None
    data.raw = data
    data = data[:, 10:].copy()
    data.X = data.X.astype(np.float32) * 0.1
    data.write_h5ad(tmp_path / "m.h5ad")
    expected = np.delete(world.cells.X.toarray(), 3, axis=1)
    for source in (data, tmp_path / "m.h5ad", anndata.read_h5ad(tmp_path / "m.h5ad", backed="r")):
        cells = read_cells(source, layer="raw", gene_column="id")
        assert cells.genes == tuple(np.delete(world.cells.var_names, 3))
        np.testing.assert_array_equal(whole(cells, 50), expected)
        assert cells.remarks == (
            "1 of 300 genes have no id in column 'id' and are left out, for example NAME3",
        )
        with pytest.raises(InputError, match="expected raw counts"):
            read_cells(source)

"""Broken and hostile files: an error with a reason, no crash, no large demand of memory or time."""

from __future__ import annotations

import os
import random
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper, numpy_helper

from n2d2py.errors import GraphError
from n2d2py.onnx_import import import_model, limits
from tests.onnx_import.models import model, saved, values

RELU = helper.make_node("Relu", ["x"], ["y"], "relu")
CONV = helper.make_node("Conv", ["x", "w"], ["y"], "conv")


def refused(path: Path) -> GraphError:
    """The error of a file; reading it may not take more than a few hundred megabytes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(GraphError) as caught:
        import_model(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "kilobytes"
    assert (
        caught.value.place is not None
        or "there is no ONNX model" in caught.value.what
        or path.name in str(caught.value)
    )
    return caught.value


def written(folder: Path, data: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return path


def with_weights(weights: TensorProto) -> ModelProto:
    made = model([CONV])
    made.graph.initializer.append(weights)
    return made


def tensor(
    dims: tuple[int, ...] = (5, 4, 3, 3), data: bytes | None = None, kind: int = TensorProto.FLOAT
) -> TensorProto:
    made = TensorProto(name="w", data_type=kind, dims=dims)
    if data is not None:
        made.raw_data = data
    return made


# --------------------------------------------------------------------------------------- not an ONNX model at all


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html><body>404", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "a Git LFS pointer"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b'{"graph": 1}', "a JSON text"),
        (b"\x00" * 100, "it is no ONNX model"),
        (b"\x08\x08\x12\x04test", "it has no graph"),
        (b"\xff" * 50, "is text in UTF-16" if False else "unreadable"),
    ],
    ids=["empty", "html", "lfs", "zip", "json", "zeros", "no graph", "ones"],
)
def test_other_files_are_named(data: bytes, reason: str, tmp_path: Path) -> None:
    assert reason in str(refused(written(tmp_path, data)))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="No such file"):
        import_model(tmp_path / "nothing.onnx")
    with pytest.raises(GraphError, match="is not a file"):
        import_model(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(GraphError, match="is not a file"):
        import_model(tmp_path / "pipe.onnx")


def test_a_file_beyond_what_protobuf_holds(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(limits.LARGEST_FILE + 1)  # sparse: it takes no space
    error = refused(path)
    assert "external data" in str(error)


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    data = model([CONV], {"w": values(5, 4, 3, 3)}).SerializeToString()
    for length in range(0, len(data) - 1, 13):
        with pytest.raises(GraphError):
            import_model(written(tmp_path, data[:length]))


def test_random_bytes_and_random_damage(tmp_path: Path) -> None:
    generator = random.Random(0)
    for _ in range(100):
        with pytest.raises(GraphError):
            import_model(written(tmp_path, generator.randbytes(generator.randrange(1, 400))))
    whole = model([CONV], {"w": values(5, 4, 3, 3)}).SerializeToString()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(generator.randrange(1, 6)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        try:
            import_model(written(tmp_path, bytes(data)))
        except GraphError as error:
            assert error.what


# ----------------------------------------------------------------------------------------------- wrong graphs


def test_cycle(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Add", ["x", "b"], ["a"], "first"),
        helper.make_node("Relu", ["a"], ["b"], "second"),
        helper.make_node("Relu", ["b"], ["y"], "third"),
    ]
    error = refused(saved(model(nodes), tmp_path))
    assert "in a circle" in error.what
    assert "first" in error.what
    assert "second" in error.what


def test_nodes_in_any_order_are_sorted(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["a"], ["y"]), helper.make_node("Tanh", ["x"], ["a"])]
    imported = import_model(saved(model(nodes), tmp_path)).imported
    assert [cell.name for cell in imported.cells] == ["a", "y"]


def test_a_weight_that_nothing_gives(tmp_path: Path) -> None:
    assert "conv takes 'w', which nothing" in refused(saved(model([CONV]), tmp_path)).what


def test_one_name_twice(tmp_path: Path) -> None:
    twice = model([RELU, helper.make_node("Tanh", ["x"], ["y"])])
    assert "are called 'y'" in refused(saved(twice, tmp_path)).what
    weights = numpy_helper.from_array(values(5, 4, 3, 3), "w")
    doubled = with_weights(weights)
    doubled.graph.initializer.append(weights)
    assert "are called 'w'" in refused(saved(doubled, tmp_path)).what


@pytest.mark.parametrize("opset", [1, 6, limits.LARGEST_DIMENSION, -3])
def test_opset_that_is_not_known(opset: int, tmp_path: Path) -> None:
    made = model([RELU])
    made.opset_import[0].version = opset
    error = refused(saved(made, tmp_path))
    assert error.what == f"the ONNX model has opset {opset}"
    assert error.expected is not None
    assert error.expected.startswith("opset 7 to ")


def test_no_opset_and_no_nodes(tmp_path: Path) -> None:
    made = model([RELU])
    del made.opset_import[:]
    assert "does not name its opset" in refused(saved(made, tmp_path)).what
    empty = model([RELU])
    del empty.graph.node[:]
    assert "has no nodes" in refused(saved(empty, tmp_path)).what


def test_several_inputs_are_told_with_their_names(tmp_path: Path) -> None:
    made = model([helper.make_node("Add", ["x", "z"], ["y"])])
    made.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, (2, 4, 8, 6)))
    assert refused(saved(made, tmp_path)).what == "the ONNX model has 2 inputs: x, z"


# -------------------------------------------------------------------------------------------------- wrong tensors


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (tensor((2**40, 4, 3, 3)), "is too large: 1099511627776x4x3x3"),
        (tensor((2**31, 2**31, 2**31, 4)), "is too large"),
        (tensor((5, -4, 3, 3), b"\0" * 720), "has a dimension below 0: 5x-4x3x3"),
        (tensor((-1, 4, 3, 3), b"\0" * 720), "has a dimension below 0"),
        (tensor(data=b"\0" * 716), "it has 716 bytes"),
        (tensor(data=b"\0" * 724), "it has 724 bytes"),
        (tensor(), "it has no values"),
        (tensor(data=b"\0" * 180, kind=TensorProto.STRING), "its values have type STRING"),
        (tensor(data=b"\0" * 180, kind=77), "its values have type 77"),
        (tensor(data=b"\0" * 180, kind=TensorProto.COMPLEX64), "its values have type COMPLEX64"),
        (TensorProto(name="w", data_type=1, dims=(5, 4, 3, 3), float_data=[1.0] * 100), "100 values in float_data"),
        (TensorProto(name="w", data_type=1, dims=(5, 4, 3, 3), int32_data=[1] * 180), "0 values in float_data"),
    ],
)
def test_tensors_that_are_not_what_they_say(weights: TensorProto, reason: str, tmp_path: Path) -> None:
    error = refused(saved(with_weights(weights), tmp_path))
    assert reason in error.what
    assert error.remedy or error.expected


@pytest.mark.parametrize("shape", [(1, 4, 2**40, 2**40), (1, 4, -8, 6), (1, 2**33)])
def test_inputs_of_impossible_size(shape: tuple[int, ...], tmp_path: Path) -> None:
    error = refused(saved(model([RELU], shape=shape), tmp_path))
    assert "'x'" in error.what


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    wrong = saved(model([CONV], {"w": values(5, 3, 3, 3)}), tmp_path)
    assert "weights of 3 channels do not fit an input of 4 channels" in refused(wrong).what
    large = saved(model([CONV], {"w": values(5, 4, 9, 9)}), tmp_path)
    assert "conv" in refused(large).what


def test_attributes_of_other_types(tmp_path: Path) -> None:
    node = helper.make_node("MaxPool", ["x"], ["y"], "pool", kernel_shape=[2, 2])
    node.attribute[0].CopyFrom(AttributeProto(name="kernel_shape", type=AttributeProto.FLOAT, f=2.0))
    assert "pool" in refused(saved(model([node]), tmp_path)).what
    huge = helper.make_node("MaxPool", ["x"], ["y"], "pool", kernel_shape=[2**40, 2**40], pads=[2**40] * 4)
    assert "pool" in str(refused(saved(model([huge]), tmp_path)))
    zero = helper.make_node("Conv", ["x", "w"], ["y"], "conv", strides=[0, 0])
    assert "conv" in refused(saved(model([zero], {"w": values(5, 4, 3, 3)}), tmp_path)).what


# -------------------------------------------------------------------------------------------------- external data


def external(location: str, **more: str) -> ModelProto:
    weights = TensorProto(name="w", data_type=1, dims=(5, 4, 3, 3), data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **more}.items():
        weights.external_data.add(key=key, value=value)
    return with_weights(weights)


def test_external_data_beside_the_model(tmp_path: Path) -> None:
    wanted = values(5, 4, 3, 3)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "w.bin").write_bytes(b"\0" * 16 + wanted.tobytes())
    made = external("data/w.bin", offset="16", length=str(wanted.nbytes))
    given = import_model(saved(made, tmp_path)).imported.initial["y"]["weights"]
    assert (given == wanted).all()


@pytest.mark.parametrize(
    ("location", "more", "reason"),
    [
        ("../secret", {}, "leads out of the model's folder"),
        ("data/../../secret", {}, "leads out of the model's folder"),
        ("..\\secret", {}, "leads out of the model's folder"),
        ("/etc/passwd", {}, "an absolute path"),
        ("C:\\secret", {}, "an absolute path"),
        ("", {}, "there is no location"),
        ("a\0b", {}, "there is no location"),
        ("missing", {}, "cannot be opened"),
        ("link", {}, "cannot be opened"),
        ("hard", {}, "a link or no regular file"),
        ("linked/secret", {}, "cannot be opened"),
        ("pipe", {}, "no regular file"),
        ("short", {}, "the file has 719"),
        ("whole", {"offset": "1"}, "bytes 1 to 721 are needed"),
        ("whole", {"offset": "-1"}, "720 bytes are needed"),
        ("whole", {"length": "9" * 30}, "720 bytes are needed"),
        ("whole", {"length": "4"}, "720 bytes are needed"),
    ],
)
def test_external_data_that_is_not_read(location: str, more: dict[str, str], reason: str, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    (tmp_path / "secret").write_bytes(b"\0" * 720)
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    os.link(tmp_path / "secret", folder / "hard")
    os.mkfifo(folder / "pipe")
    (folder / "short").write_bytes(b"\0" * 719)
    (folder / "whole").write_bytes(b"\0" * 720)
    error = refused(written(folder, external(location, **more).SerializeToString()))
    assert reason in error.what
    assert "tensor 'w'" in error.what


def test_one_file_is_not_read_a_thousand_times(tmp_path: Path) -> None:
    names = [f"w{index}" for index in range(20)]
    nodes = [helper.make_node("Conv", ["x", name], [f"y{name}"]) for name in names]
    made = model(nodes, outputs=["yw0"])
    (tmp_path / "whole").write_bytes(b"\0" * 720)
    for name in names:
        weights = TensorProto(name=name, data_type=1, dims=(5, 4, 3, 3), data_location=TensorProto.EXTERNAL)
        weights.external_data.add(key="location", value="whole")
        made.graph.initializer.append(weights)
    assert "the same bytes are used for too many tensors" in refused(saved(made, tmp_path)).what


# ------------------------------------------------------------------------------------------------------------ bombs


def nested(depth: int) -> GraphProto:
    """A graph of an If within an If."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["out"])], "leaf", [], [onnx.ValueInfoProto(name="out")]
    )
    for _ in range(depth):
        node = helper.make_node("If", ["c"], ["out"], "nested", then_branch=graph, else_branch=GraphProto())
        graph = helper.make_graph([node], "branch", [], [onnx.ValueInfoProto(name="out")])
    return graph


@pytest.mark.parametrize("depth", [1, 15, 25])
def test_nested_graphs(depth: int, tmp_path: Path) -> None:
    node = helper.make_node("If", ["c"], ["y"], "outer", then_branch=nested(depth), else_branch=nested(0))
    data = model([node], {"c": np.array(True)}).SerializeToString()
    error = refused(written(tmp_path, data))
    assert "outer" in error.what or "unreadable" in error.what


def test_graphs_nested_thousands_deep(tmp_path: Path) -> None:
    def field(number: int, data: bytes) -> bytes:
        size, length = len(data), b""
        while size > 0x7F:
            length += bytes([size & 0x7F | 0x80])
            size >>= 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + data

    data = b""
    for _ in range(3000):
        data = field(1, field(5, field(6, data)))  # a node with an attribute that is a graph
    error = refused(written(tmp_path, b"\x08\x08" + field(7, data)))
    assert "nested more than 60 messages deep" in error.what


def filled(shape: list[int]) -> ModelProto:
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["w"], "fill"), CONV]
    return model(nodes, {"s": np.array(shape, np.int64)})


@pytest.mark.parametrize("shape", [[2**35], [2**18, 2**17, 1, 1], [-1, 4, 3, 3], [2**62, 4, 3, 3]])
def test_a_constant_of_128_gigabytes(shape: list[int], tmp_path: Path) -> None:
    assert "'w'" in refused(saved(filled(shape), tmp_path)).what


def test_many_large_constants(tmp_path: Path) -> None:
    nodes = [helper.make_node("ConstantOfShape", ["s"], [f"w{index}"]) for index in range(10)]
    made = model([*nodes, RELU], {"s": np.array([2**28], np.int64)})
    assert "constants of the ONNX model are too large" in refused(saved(made, tmp_path)).what


@pytest.mark.parametrize(
    "grow",
    [
        lambda: (helper.make_node("Tile", ["a", "n"], ["b"]), {"a": values(1000), "n": np.array([10**6])}),
        lambda: (helper.make_node("Expand", ["a", "n"], ["b"]), {"a": values(1), "n": np.array([2**28])}),
        lambda: (helper.make_node("Add", ["a", "n"], ["b"]), {"a": values(20000, 1), "n": values(1, 20000)}),
        lambda: (
            helper.make_node("Gather", ["a", "n"], ["b"]),
            {"a": values(2, 2**15), "n": np.zeros(10**4, np.int64)},
        ),
    ],
    ids=["Tile", "Expand", "Add", "Gather"],
)
def test_folding_that_grows(grow: Callable[[], tuple[onnx.NodeProto, dict[str, np.ndarray]]], tmp_path: Path) -> None:
    node, constants = grow()
    made = model([node, RELU], constants)
    assert "'b'" in refused(saved(made, tmp_path)).what


def test_a_range_without_end(tmp_path: Path) -> None:
    node = helper.make_node("Range", ["a", "b", "c"], ["r"], "range")
    given = {"a": np.array(0.0), "b": np.array(1e12), "c": np.array(1.0)}
    made = model([node, RELU], {key: value.astype(np.float32) for key, value in given.items()})
    refused(saved(made, tmp_path))


def test_millions_of_empty_messages(tmp_path: Path) -> None:
    made = model([RELU]).SerializeToString()
    bomb = made + b"\x42\x00" * 2_000_000  # opset_import, empty
    error = refused(written(tmp_path, bomb))
    assert "more than 400000 nodes, attributes and tensors" in error.what


def test_functions_that_double(tmp_path: Path) -> None:
    made = model([helper.make_node("f40", ["x"], ["y"], domain="bomb")])
    made.opset_import.append(helper.make_opsetid("bomb", 1))
    opsets = list(made.opset_import)
    made.functions.append(
        helper.make_function("bomb", "f0", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], opsets)
    )
    for index in range(1, 41):
        below = f"f{index - 1}"
        body = [
            helper.make_node(below, ["a"], ["m"], domain="bomb"),
            helper.make_node(below, ["m"], ["b"], domain="bomb"),
        ]
        made.functions.append(helper.make_function("bomb", f"f{index}", ["a"], ["b"], body, opsets))
    assert "expand to more than 20000 nodes" in refused(saved(made, tmp_path)).what


def test_functions_in_a_circle_and_functions_that_end(tmp_path: Path) -> None:
    made = model([helper.make_node("f", ["x"], ["y"], domain="own")])
    made.opset_import.append(helper.make_opsetid("own", 1))
    opsets = list(made.opset_import)
    inner = helper.make_node("Relu", ["a"], ["b"])
    made.functions.append(helper.make_function("own", "f", ["a"], ["b"], [inner], opsets))
    imported = import_model(saved(made, tmp_path)).imported
    assert [cell.type_name for cell in imported.cells] == ["Activation"]
    made.functions[0].node[0].CopyFrom(helper.make_node("f", ["a"], ["b"], domain="own"))
    assert "in a circle" in refused(saved(made, tmp_path)).what

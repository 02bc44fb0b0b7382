"""Constant folding and shapes: what of a graph is fixed once the size of a stimulus is.

Exporters compute shapes, permute weights and fill constants with nodes. A node all of whose inputs are known is
computed by onnx's reference evaluator, and onnx's shape inference says beforehand how large the result is.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import onnx
from onnx import TensorProto, TypeProto, numpy_helper

from n2d2py import registry
from n2d2py.errors import GraphError
from n2d2py.onnx_import.constants import Constant, Grid, check_shape, constant_of
from n2d2py.onnx_import.limits import FOLDED_PER_BYTE, MOST_DATA, MOST_VALUES, SPARE_BYTES
from n2d2py.onnx_import.node import OnnxNode
from n2d2py.onnx_import.reader import Model

Shape = tuple[int, ...]
_DRAWS = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial")


class Folding:
    """Walks the nodes in order; knows of every tensor its constant value or, if stimuli change it, its shape."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.constants: dict[str, Constant] = dict(model.constants)
        self.shapes: dict[str, Shape] = {}
        self.elements: dict[str, int] = {}
        self._bytes_left = SPARE_BYTES + FOLDED_PER_BYTE * model.size
        self._values_left = MOST_VALUES
        self._context = onnx.checker.C.CheckerContext()
        self._context.ir_version = onnx.IR_VERSION
        self._context.opset_imports = dict(model.opsets)
        self.opset_ids = [onnx.helper.make_opsetid(domain, version) for domain, version in model.opsets.items()]

    def fold(self, node: OnnxNode) -> bool:
        """Make the outputs of ``node`` constants if they are; else learn their shapes. Whether they are constants."""
        given = [name for name in node.inputs if name]
        if node.operator == "Shape" and given and given[0] in self.shapes:
            return self._shape_of(node, self.shapes[given[0]])
        if node.operator == "Size" and given and given[0] in self.shapes:
            self._keep(node, np.array(math.prod(self.shapes[given[0]]), dtype=np.int64))
            return True
        own = node.proto.domain in ("", "ai.onnx")
        if own and registry.known("operator", node.operator):
            self._check(node)
        if own and node.operator not in _DRAWS and all(name in self.constants for name in given):
            inner = any(attribute.HasField("g") or attribute.graphs for attribute in node.proto.attribute)
            if not inner and onnx.defs.has(node.operator):
                self._compute(node)
                return True
        if own:
            self._infer(node)
        return False

    # ----------------------------------------------------------------------------------------------- constants

    def _compute(self, node: OnnxNode) -> None:
        quick = _QUICK.get(node.operator)
        if quick is not None:
            result = quick(self, node)
            if result is not None:
                self.constants[node.outputs[0]] = result
                return
        inferred = self._inferred(node)
        size = 0
        for name in filter(None, node.outputs):
            shape = _shape_in(inferred.get(name))
            if shape is None:
                # What the length of a list of few values is, no inference need say.
                if any(self.constants[item].size > MOST_DATA for item in node.inputs if item):
                    raise self._unfoldable(node, "its size depends on values")
                shape = (MOST_DATA * MOST_DATA,)
            check_shape(shape, name, node.place)
            size += 8 * math.prod(shape)
        self.spend(node, size)
        self._evaluate(node)

    def _evaluate(self, node: OnnxNode) -> None:
        from onnx.reference import ReferenceEvaluator

        feeds = {name: self.constants[name].array for name in node.inputs if name}
        graph = onnx.helper.make_graph(
            [node.proto],
            "constants",
            [onnx.ValueInfoProto(name=name) for name in feeds],
            [onnx.ValueInfoProto(name=name) for name in node.outputs if name],
        )
        model = onnx.helper.make_model(graph, opset_imports=self.opset_ids)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                results = ReferenceEvaluator(model).run(None, feeds)
        except Exception as error:  # whatever the evaluator of a foreign file says, the user can only mend the file
            raise self._unfoldable(node, _first_line(error)) from None
        for name, result in zip(filter(None, node.outputs), results, strict=True):
            if not isinstance(result, np.ndarray | np.generic):
                raise self._unfoldable(node, "it gives no tensor")
            array = np.asarray(result)
            check_shape(array.shape, name, node.place)
            self.constants[name] = Constant.of(array)

    def _shape_of(self, node: OnnxNode, shape: Shape) -> bool:
        start, end = node.get("start", 0), node.get("end", None)
        self._keep(node, np.array(shape[start:end], dtype=np.int64))
        return True

    def _keep(self, node: OnnxNode, array: np.ndarray) -> None:
        self.constants[node.outputs[0]] = Constant.of(array)

    def spend(self, node: OnnxNode, size: int) -> None:
        """Account for ``size`` bytes that a node makes; raises :class:`GraphError` if the file allows no more."""
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise self._unfoldable(node, f"the constants of a file of {self.model.size} bytes grow too large")

    def _unfoldable(self, node: OnnxNode, reason: str) -> GraphError:
        return GraphError(
            f"constant {node.name!r} of the ONNX model cannot be computed: {reason}",
            place=node.place,
            remedy="simplify the model (onnxsim, or constant folding of the exporter), or export it again",
        )

    def filled(self, node: OnnxNode) -> Constant:
        """ConstantOfShape: one value seen at all places, so that it takes no memory."""
        array = self.constants[node.inputs[0]].array
        shape = tuple(int(length) for length in np.ravel(array)[:MOST_DATA])
        check_shape(shape, node.name, node.place)
        self._values_left -= math.prod(shape)
        if self._values_left < 0:
            raise GraphError(
                f"the constants of the ONNX model are too large, {node.name!r} among them",
                place=node.place,
                expected=f"at most {MOST_VALUES} values together",
            )
        value = node.get("value", None)
        if not isinstance(value, TensorProto | None):
            raise self._unfoldable(node, "its value is no tensor")
        number = np.zeros(1, np.float32) if value is None else self.tensor(node, value).array
        if number.size != 1:
            raise self._unfoldable(node, f"its value is {number.size} numbers")
        return Constant.of(np.broadcast_to(np.ravel(number)[0], shape))

    def tensor(self, node: OnnxNode, tensor: TensorProto) -> Constant:
        """The constant of a tensor that is an attribute."""
        return constant_of(tensor, self.model.external, node.place)

    # -------------------------------------------------------------------------------------------------- shapes

    def _infer(self, node: OnnxNode) -> None:
        if any(name and name not in self.shapes and name not in self.constants for name in node.inputs):
            return
        for name, found in self._inferred(node).items():
            shape = _shape_in(found)
            if shape is not None:
                check_shape(shape, name, node.place)
                self.shapes[name] = shape
                self.elements[name] = found.tensor_type.elem_type

    def _inferred(self, node: OnnxNode) -> Mapping[str, TypeProto]:
        """The types of the outputs as onnx's shape inference gives them; {} if the operator is not known."""
        proto = node.proto
        if any(attribute.HasField("g") or attribute.graphs for attribute in proto.attribute):
            return {}
        try:
            schema = onnx.defs.get_schema(node.operator, node.opset, "")
        except onnx.defs.SchemaError:
            return {}
        types: dict[str, TypeProto] = {}
        data: dict[str, TensorProto] = {}
        for name in filter(None, node.inputs):
            constant = self.constants.get(name)
            if constant is None:
                types[name] = onnx.helper.make_tensor_type_proto(self.elements[name], self.shapes[name])
                continue
            types[name] = onnx.helper.make_tensor_type_proto(constant.element, constant.shape)
            by_floats = constant.element == TensorProto.FLOAT and node.operator in _BY_FLOATS
            if constant.size <= MOST_DATA and (by_floats or constant.element in _INDICES):
                data[name] = numpy_helper.from_array(np.ascontiguousarray(constant.array), name)
        try:
            result: Mapping[str, TypeProto] = onnx.shape_inference.infer_node_outputs(
                schema, proto, types, data, opset_imports=self.opset_ids, ir_version=onnx.IR_VERSION
            )
        except _ONNX_ERRORS as error:
            raise self._unfitting(node, _first_line(error)) from None
        for item in result.values():
            shape = _shape_in(item) or ()
            if min(shape, default=0) < 0:
                raise self._unfitting(node, f"its output would be {'x'.join(map(str, shape))}")
        return result

    def _check(self, node: OnnxNode) -> None:
        """Raise :class:`GraphError` unless the node has the inputs and attributes of its operator."""
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.proto.attribute):
            return
        try:
            onnx.checker.check_node(node.proto, self._context)
        except _ONNX_ERRORS as error:
            raise GraphError(
                f"ONNX node {node.label} ({node.operator}) is not what its operator says: {_first_line(error)}",
                place=node.place,
                remedy="export the model again",
            ) from None

    def _unfitting(self, node: OnnxNode, reason: str) -> GraphError:
        return GraphError(
            f"ONNX node {node.label} ({node.operator}) does not fit its inputs: {reason}",
            place=node.place,
            expected="; ".join(f"{name}: {self._told(name)}" for name in node.inputs if name) or None,
            remedy="export the model again; where the size of the stimuli differs, make [sp] as the model says",
        )

    def _told(self, name: str) -> str:
        shape = self.constants[name].shape if name in self.constants else self.shapes.get(name, ())
        return "x".join(map(str, shape)) or "a number"


_ONNX_ERRORS = (
    onnx.shape_inference.InferenceError,
    onnx.checker.ValidationError,
    ValueError,
    RuntimeError,
    TypeError,
)
_INDICES = (TensorProto.INT64, TensorProto.INT32)
_BY_FLOATS = ("Resize", "Upsample", "Range")


def _first_line(error: Exception) -> str:
    text = str(error).strip().removeprefix("[ShapeInferenceError] ")
    return text.splitlines()[0] if text else type(error).__name__


def _shape_in(found: TypeProto | None) -> Shape | None:
    if found is None or not found.HasField("tensor_type") or not found.tensor_type.HasField("shape"):
        return None
    dims = found.tensor_type.shape.dim
    return tuple(dim.dim_value for dim in dims) if all(dim.HasField("dim_value") for dim in dims) else None


def _constant(folding: Folding, node: OnnxNode) -> Constant | None:
    value = node.get("value", None)
    return folding.tensor(node, value) if isinstance(value, TensorProto) else None


def _same(folding: Folding, node: OnnxNode) -> Constant:
    return folding.constants[node.inputs[0]]


def _transposed(folding: Folding, node: OnnxNode) -> Constant | None:
    array = folding.constants[node.inputs[0]].array
    perm = node.get("perm", tuple(reversed(range(array.ndim))))
    return Constant.of(array.transpose(perm)) if sorted(perm) == list(range(array.ndim)) else None


def _dequantized(folding: Folding, node: OnnxNode) -> Constant | None:
    """Remembers the grid beside the values, which the evaluator computes."""
    codes = folding.constants[node.inputs[0]]
    scale = folding.constants[node.inputs[1]].array
    zero = folding.constants[node.input(2)].array if node.input(2) else np.zeros(1, np.int64)
    if node.get("block_size", 0):
        return None
    folding.spend(node, 4 * codes.size)
    axis = node.get("axis", 1)
    if scale.ndim == 1 and scale.size > 1:
        if not -len(codes.shape) <= axis < len(codes.shape) or codes.shape[axis] != scale.size:
            return None
        form = [1] * len(codes.shape)
        form[axis] = scale.size
        scale = scale.reshape(form)
        zero = zero.reshape(form) if zero.size == scale.size else zero
    elif scale.size != 1:
        return None
    values = (codes.array.astype(np.float32) - zero.astype(np.float32)) * scale.astype(np.float32)
    return Constant(
        values.shape, TensorProto.FLOAT, lambda: values, Grid(scale.astype(np.float32), zero, codes.element)
    )


_QUICK: Mapping[str, Callable[[Folding, OnnxNode], Constant | None]] = {
    "Constant": _constant,
    "ConstantOfShape": Folding.filled,
    "Identity": _same,
    "Transpose": _transposed,
    "DequantizeLinear": _dequantized,
}
"""What is done without the evaluator, because it needs no memory or keeps more than values."""

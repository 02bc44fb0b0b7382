"""ONNX export: standard operators that ONNX Runtime computes with its integer kernels, equal code for code."""

from n2d2py.export.qlinear import exporter, operations  # noqa: F401 - they register themselves

"""QONNX export: Quant and MultiThreshold nodes, which qonnx, FINN and hls4ml read."""

from n2d2py.export.qonnx import exporter, operations  # noqa: F401 - they register themselves

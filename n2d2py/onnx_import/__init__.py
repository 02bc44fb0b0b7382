"""ONNX models as networks of cells: the same records that an INI file gives.

``reader`` (a file to a checked graph) -> ``folding`` (constants and shapes) -> ``walk`` (node by node, by the rules in
``operators``, which work with an ``importer``; what the INI file overrides in ``overrides``) -> :class:`Imported`.
"""

from n2d2py.onnx_import import operators
from n2d2py.onnx_import.section import OnnxModel, Signature, Standalone, import_model, import_section, signature_of
from n2d2py.onnx_import.walk import Imported

__all__ = [
    "Imported",
    "OnnxModel",
    "Signature",
    "Standalone",
    "import_model",
    "import_section",
    "operators",
    "signature_of",
]

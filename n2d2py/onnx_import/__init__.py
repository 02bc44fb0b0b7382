"""ONNX models as networks of cells: the same records that an INI file gives.

``reader`` (a file to a checked graph) -> ``folding`` (constants and shapes) -> ``importer`` (node by node, the rules
in ``operators``, what the INI file overrides in ``overrides``) -> :class:`Imported`.
"""

from n2d2py.onnx_import import operators
from n2d2py.onnx_import.importer import Imported
from n2d2py.onnx_import.section import OnnxModel, Signature, Standalone, import_model, import_section, signature_of

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

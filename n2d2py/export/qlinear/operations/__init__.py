"""How each operation is written in ONNX, one module a family, registered as kind ``onnx operation``."""

from n2d2py.registry import import_rooms

import_rooms(__name__, __path__)

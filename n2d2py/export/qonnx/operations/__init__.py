"""How each operation is written in QONNX, one module a family, registered as kind ``qonnx operation``."""

from n2d2py.registry import import_rooms

import_rooms(__name__, __path__)

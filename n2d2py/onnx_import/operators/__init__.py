"""How each operator of ONNX becomes cells, one module a family; importing this registers all of them."""

from n2d2py.registry import import_rooms

import_rooms(__name__, __path__)

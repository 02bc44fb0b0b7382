"""Integer grids and the quantizers: forward, gradient, codes. They do not know which cell they sit on."""

from n2d2py.registry import import_rooms

import_rooms(__name__, __path__)

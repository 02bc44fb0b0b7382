"""How a cell learns: one torch module a cell type, and the torch network that a Network becomes."""

from n2d2py.registry import import_rooms

import_rooms(__name__, __path__)

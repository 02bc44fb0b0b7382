"""How a network learns and is tested: targets, losses, solvers, the loop, and the files of weights."""

from n2d2py.registry import import_rooms

import_rooms(__name__, __path__)

"""The integer form of each cell type, one module a type, registered as kind ``lowering``.

A lowering is a function of a :class:`~n2d2py.integer.site.Site` that gives the operations of its cell.
"""

from n2d2py.registry import import_rooms

import_rooms(__name__, __path__)

"""How each operation is written in C, one module a family, registered as kind ``c operation``.

An emitter gets a :class:`~n2d2py.export.c.writing.Site` and gives the statements of the function of its operation.
"""

from n2d2py.registry import import_rooms

import_rooms(__name__, __path__)

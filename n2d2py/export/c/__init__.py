"""C export: C99 without libraries or allocation, integers only, weights packed to their bits."""

from n2d2py.export.c import exporter, operations, rescaling  # noqa: F401 - they register themselves

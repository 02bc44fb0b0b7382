"""Exports of the integer network: C, ONNX and QONNX, and the executors that verify them.

An exporter is a function of an :class:`~n2d2py.export.base.Export` and a folder, registered as kind ``exporter``. An
executor gives the codes of the network in one more way than the reference interpreter, registered as ``executor``.
No exporter decides a scale: scales, ranges and rescalings are those of the integer network. What an export needs is
imported when it is asked for.
"""

from pathlib import Path

from n2d2py.registry import index_rooms

index_rooms(__name__, __path__)
for _room in ("c", "qlinear", "qonnx"):
    index_rooms(f"{__name__}.{_room}", [str(Path(__file__).parent / _room)])

"""The INI language of N2D2: sections with inheritance, references, variables and expressions.

::

    document = ini.load("LeNet.ini")
    document.value("conv1", "NbOutputs")        # Value(text="6", place=LeNet.ini:55, [conv1], NbOutputs)
    scope = document.scope("conv1", "common.config")
    parameters.read(Conv, scope, ...)
    scope.close(strict=True)                    # what nobody read is a mistake

The way of a text: ``source`` (bytes to text) -> ``lines`` (physical to logical lines) -> ``grammar`` (headers
and properties, kept raw in ``section``) -> ``document`` -> ``evaluate`` and ``expressions`` at each read.
A section ``[NAME@FILE]`` is an ``inclusion``: the file is parsed as a ``template``, ``rendering`` gives its text, and
``grammar`` reads that in its place.
"""

from n2d2py.ini.document import Document
from n2d2py.ini.grammar import load, loads
from n2d2py.ini.scope import Scope
from n2d2py.ini.section import Section

__all__ = ["Document", "Scope", "Section", "load", "loads"]

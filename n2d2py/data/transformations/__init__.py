"""Transformations, one module a type: its parameters, its rule of dimensions, and how it changes images.

Nothing here imports torch; OpenCV is imported by the transformation that needs it, when it is applied.
"""

from n2d2py.registry import index_rooms

index_rooms(__name__, __path__)

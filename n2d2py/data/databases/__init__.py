"""Databases, one module a type: its parameters, and how its images and labels are loaded and partitioned.

Nothing here imports torch.
"""

from n2d2py.registry import index_rooms

index_rooms(__name__, __path__)

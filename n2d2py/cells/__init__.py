"""What a cell is, one module a type: its parameters, the rule of its dimensions, its cost, its picture label.

Nothing here says how a cell is computed, and nothing here imports torch.
"""

from n2d2py.registry import index_rooms

index_rooms(__name__, __path__)

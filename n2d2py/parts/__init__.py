"""What is attached to a cell: activations, fillers, quantizers, solvers, targets, and the stimuli's provider.

Each is a frozen record of its parameters, never how it is computed; nothing here imports torch.
"""

from n2d2py.registry import index_rooms

index_rooms(__name__, __path__)

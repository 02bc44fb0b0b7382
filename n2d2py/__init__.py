"""n2d2py: a network written as text, learned, quantized, and turned into integers that are proved equal to it."""

__version__ = "0.1.0"

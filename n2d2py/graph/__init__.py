"""The network as plain data: cells in order, their dimensions, their cost, their picture."""

"""Post-training quantization: a float network that has learned gets steps, and so becomes a quantized one.

The steps come from the weights and from what the cells give on some stimuli; nothing is learned. The result is a
network with LSQ quantizers like one that learned quantized, and goes the same way from there.
"""

"""The integer network: what a learned quantized network becomes, and the proof that it is the same one."""

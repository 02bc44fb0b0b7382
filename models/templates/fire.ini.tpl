; A fire module: 1x1 convolutions squeeze the channels, 1x1 and 3x3 ones expand them, side by side
; (Iandola et al. 2016, "SqueezeNet", figure 2); NAME.out is both.
; INPUT: the cell before. SQUEEZE: channels between. EXPAND: channels of each of the two expansions.

[{{SECTION_NAME}}.squeeze] ConvBias_def
Input={{INPUT}}
KernelSize=1
NbOutputs={{SQUEEZE}}

[{{SECTION_NAME}}.expand1] ConvBias_def
Input={{SECTION_NAME}}.squeeze
KernelSize=1
NbOutputs={{EXPAND}}

[{{SECTION_NAME}}.expand3] ConvBias_def
Input={{SECTION_NAME}}.squeeze
KernelSize=3
Padding=1
NbOutputs={{EXPAND}}

[{{SECTION_NAME}}.out] Concat_def
Input={{SECTION_NAME}}.expand1,{{SECTION_NAME}}.expand3
NbOutputs=$(2 * {{EXPAND}})

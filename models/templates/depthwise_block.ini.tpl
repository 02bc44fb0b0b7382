; A depthwise 3x3 and a pointwise 1x1 convolution (Howard et al. 2017, "MobileNets", figure 3).
; INPUT: the cell before. NB_INPUTS, NB_OUTPUTS: channels before and behind. STRIDE: of the depthwise convolution.

[{{SECTION_NAME}}.dw] Conv_def
Input={{INPUT}}
KernelSize=3
Stride={{STRIDE}}
Padding=1
NbOutputs={{NB_INPUTS}}
Mapping.ChannelsPerGroup=1

[{{SECTION_NAME}}.dw_bn] BnRectifier_def
Input={{SECTION_NAME}}.dw
NbOutputs={{NB_INPUTS}}

[{{SECTION_NAME}}.pw] Conv_def
Input={{SECTION_NAME}}.dw_bn
KernelSize=1
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.bn] BnRectifier_def
Input={{SECTION_NAME}}.pw
NbOutputs={{NB_OUTPUTS}}

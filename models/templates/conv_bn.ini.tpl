; A convolution (NAME.conv), its BatchNorm and a rectifier (NAME.bn).
; INPUT: the cell before. NB_OUTPUTS: channels. KERNEL: size, an odd number; the padding keeps the size.

[{{SECTION_NAME}}.conv] Conv_def
Input={{INPUT}}
KernelSize={{KERNEL}}
Padding=$({{KERNEL}} // 2)
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.bn] BnRectifier_def
Input={{SECTION_NAME}}.conv
NbOutputs={{NB_OUTPUTS}}

; A linear bottleneck: expansion by a 1x1, depthwise 3x3, projection by a 1x1 convolution without rectifier
; (Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks", figure 4d).
; INPUT: the cell before. NB_EXPANDED: channels inside. NB_OUTPUTS: channels behind. STRIDE: of the depthwise convolution.
; EXPAND: 0 leaves out the expansion (the first block). ADD: 1 adds the input.

{% if EXPAND == 1 %}
[{{SECTION_NAME}}.expand] Conv_def
Input={{INPUT}}
KernelSize=1
NbOutputs={{NB_EXPANDED}}

[{{SECTION_NAME}}.expand_bn] BnRectifier_def
Input={{SECTION_NAME}}.expand
NbOutputs={{NB_EXPANDED}}
{% endif %}

[{{SECTION_NAME}}.dw] Conv_def
{% if EXPAND == 1 %}
Input={{SECTION_NAME}}.expand_bn
{% else %}
Input={{INPUT}}
{% endif %}
KernelSize=3
Stride={{STRIDE}}
Padding=1
NbOutputs={{NB_EXPANDED}}
Mapping.ChannelsPerGroup=1

[{{SECTION_NAME}}.dw_bn] BnRectifier_def
Input={{SECTION_NAME}}.dw
NbOutputs={{NB_EXPANDED}}

[{{SECTION_NAME}}.project] Conv_def
Input={{SECTION_NAME}}.dw_bn
KernelSize=1
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.bn] BnLinear_def
Input={{SECTION_NAME}}.project
NbOutputs={{NB_OUTPUTS}}

{% if ADD == 1 %}
[{{SECTION_NAME}}.sum] Sum_def
Input={{SECTION_NAME}}.bn,{{INPUT}}
NbOutputs={{NB_OUTPUTS}}
{% endif %}

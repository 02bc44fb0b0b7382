; A residual of three convolutions, 1x1, 3x3 and 1x1 (He et al. 2015, figure 5, right), the stride in the 3x3 one.
; INPUT: the cell before. NB_OUTPUTS: channels inside, a quarter of those that leave. STRIDE: of the 3x3 convolution.
; PROJECT (optional): a 1x1 convolution makes the shortcut fit where size or channels change.

[{{SECTION_NAME}}.conv1] Conv_def
Input={{INPUT}}
KernelSize=1
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.bn1] BnRectifier_def
Input={{SECTION_NAME}}.conv1
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.conv2] Conv_def
Input={{SECTION_NAME}}.bn1
KernelSize=3
Stride={{STRIDE}}
Padding=1
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.bn2] BnRectifier_def
Input={{SECTION_NAME}}.conv2
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.conv3] Conv_def
Input={{SECTION_NAME}}.bn2
KernelSize=1
NbOutputs=$(4 * {{NB_OUTPUTS}})

[{{SECTION_NAME}}.bn3] BnLinear_def
Input={{SECTION_NAME}}.conv3
NbOutputs=$(4 * {{NB_OUTPUTS}})

{% if PROJECT exists %}
[{{SECTION_NAME}}.project] Project_def
Input={{INPUT}}
KernelSize=1
Stride={{STRIDE}}
NbOutputs=$(4 * {{NB_OUTPUTS}})

[{{SECTION_NAME}}.project_bn] BnLinear_def
Input={{SECTION_NAME}}.project
NbOutputs=$(4 * {{NB_OUTPUTS}})
{% endif %}

[{{SECTION_NAME}}.sum] SumRectifier_def
{% if PROJECT exists %}
Input={{SECTION_NAME}}.bn3,{{SECTION_NAME}}.project_bn
{% else %}
Input={{SECTION_NAME}}.bn3,{{INPUT}}
{% endif %}
NbOutputs=$(4 * {{NB_OUTPUTS}})

; An inception module: 1x1, 3x3 and 5x5 convolutions and a maximum, side by side (Szegedy et al. 2014, "Going deeper
; with convolutions", figure 2b); NAME.out is all four. With BatchNorm (Ioffe and Szegedy 2015).
; INPUT: the cell before. C1: channels of the 1x1. R3, C3: reduction before the 3x3, and its channels. R5, C5: the same
; of the 5x5. CP: channels of the 1x1 behind the maximum.

[{{SECTION_NAME}}.b1@templates/conv_bn.ini.tpl]
INPUT={{INPUT}}
KERNEL=1
NB_OUTPUTS={{C1}}

[{{SECTION_NAME}}.r3@templates/conv_bn.ini.tpl]
INPUT={{INPUT}}
KERNEL=1
NB_OUTPUTS={{R3}}

[{{SECTION_NAME}}.b3@templates/conv_bn.ini.tpl]
INPUT={{SECTION_NAME}}.r3.bn
KERNEL=3
NB_OUTPUTS={{C3}}

[{{SECTION_NAME}}.r5@templates/conv_bn.ini.tpl]
INPUT={{INPUT}}
KERNEL=1
NB_OUTPUTS={{R5}}

[{{SECTION_NAME}}.b5@templates/conv_bn.ini.tpl]
INPUT={{SECTION_NAME}}.r5.bn
KERNEL=5
NB_OUTPUTS={{C5}}

[{{SECTION_NAME}}.max]
Input={{INPUT}}
Type=Pool
Pooling=Max
PoolSize=3
Stride=1
Padding=1
NbOutputs=[{{INPUT}}]_NbOutputs
Mapping.Size=1

[{{SECTION_NAME}}.bp@templates/conv_bn.ini.tpl]
INPUT={{SECTION_NAME}}.max
KERNEL=1
NB_OUTPUTS={{CP}}

[{{SECTION_NAME}}.out] Concat_def
Input={{SECTION_NAME}}.b1.bn,{{SECTION_NAME}}.b3.bn,{{SECTION_NAME}}.b5.bn,{{SECTION_NAME}}.bp.bn
NbOutputs=$({{C1}} + {{C3}} + {{C5}} + {{CP}})

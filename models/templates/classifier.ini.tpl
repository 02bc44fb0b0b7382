; The end of a classifier: mean over all pixels, one fully connected layer, softmax.
; INPUT: the cell before. CLASSES: number of classes. TOP_N: besides top-1, top-N is logged.
; DROPOUT (optional): probability to drop, before the fully connected layer.

[pool]
Input={{INPUT}}
Type=Pool
Pooling=Average
PoolWidth=[{{INPUT}}]_OutputsWidth
PoolHeight=[{{INPUT}}]_OutputsHeight
NbOutputs=[{{INPUT}}]_NbOutputs
Mapping.Size=1

{% if DROPOUT exists %}
[drop]
Input=pool
Type=Dropout
Dropout={{DROPOUT}}
NbOutputs=[pool]NbOutputs

[fc] Last_def
Input=drop
NbOutputs={{CLASSES}}
{% else %}
[fc] Last_def
Input=pool
NbOutputs={{CLASSES}}
{% endif %}

[softmax]
Input=fc
Type=Softmax
NbOutputs={{CLASSES}}
WithLoss=1

[softmax.Target]
TopN={{TOP_N}}

; CIFAR-10: images padded by four pixels, cropped at random and flipped to learn, as they are to validate and to test.
; BATCH_SIZE: stimuli in a batch. VALIDATION: share of the learning images that validate.

[database]
Type=CIFAR10_Database
Validation={{VALIDATION}}

[sp]
SizeX=32
SizeY=32
NbChannels=3
BatchSize={{BATCH_SIZE}}

[sp.Transformation-1]
Type=RangeAffineTransformation
FirstOperator=Minus
FirstValue=113.87 122.95 125.31
SecondOperator=Divides
SecondValue=66.70 62.09 62.99

[sp.Transformation-2]
Type=PadCropTransformation
Width=40
Height=40
BorderType=ConstantBorder
ApplyTo=LearnOnly

[sp.OnTheFlyTransformation-3]
Type=SliceExtractionTransformation
Width=32
Height=32
RandomOffsetX=1
RandomOffsetY=1
ApplyTo=LearnOnly

[sp.OnTheFlyTransformation-4]
Type=FlipTransformation
RandomHorizontalFlip=1
ApplyTo=LearnOnly

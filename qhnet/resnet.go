package qhnet

// ResNet18 returns the layers of the 18-layer residual network for 32×32 colour
// images: [ResNet] with stages of 64, 128, 256 and 512 channels and two blocks
// each, 11.2 million parameters.
func ResNet18(classes int) []Layer {
	return ResNet(Input(3, 32, 32), []int{64, 128, 256, 512}, 2, classes)
}

// ResNet returns the layers of a residual network for small images, after K. He,
// X. Zhang, S. Ren and J. Sun (arXiv:1512.03385): a 3×3 convolution to the
// channels of the first stage; stages of blocks of two 3×3 convolutions, every
// stage after the first at half the resolution of the one before; the mean of
// each channel; a dense layer. Every convolution is without bias and followed by
// a batch normalization with scale and shift; where a block changes the shape,
// its skip is a 1×1 convolution with one.
func ResNet(input Layer, stages []int, blocks, classes int) []Layer {
	layers := []Layer{input, Conv(stages[0], 3, Padding(1), NoBias()), BatchNorm(Affine()), ReLU()}
	from := stages[0]
	for i, channels := range stages {
		for b := range blocks {
			stride := 1
			if i > 0 && b == 0 {
				stride = 2
			}
			layers = append(layers, basicBlock(from, channels, stride), ReLU())
			from = channels
		}
	}
	return append(layers, GlobalAveragePool(), Dense(classes))
}

// basicBlock is a residual block of two convolutions.
func basicBlock(from, channels, stride int) Layer {
	body := []Layer{
		Conv(channels, 3, Stride(stride), Padding(1), NoBias()), BatchNorm(Affine()), ReLU(),
		Conv(channels, 3, Padding(1), NoBias()), BatchNorm(Affine()),
	}
	if stride != 1 || from != channels {
		body = append(body, Projection(Conv(channels, 1, Stride(stride), NoBias()), BatchNorm(Affine())))
	}
	return Residual(body...)
}

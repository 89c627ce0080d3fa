"""Which pixels of an image decided, by the methods of `resnet_viz.methods`; computed by captum."""

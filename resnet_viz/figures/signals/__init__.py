"""What the analysis process measured of signal and gradient, as figures and captions."""

"""`python -m resnet_viz`."""

import sys

from resnet_viz.cli import main

if __name__ == "__main__":
    sys.exit(main())

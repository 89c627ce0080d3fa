"""The jobs of the pages without a browser: `python -m resnet_viz --help`.

Each module of commands adds its own to the parser.
"""

from resnet_viz.cli.parser import main, make_parser
from resnet_viz.cli.sweeps import sweep_of
from resnet_viz.cli.watching import table

__all__ = ["main", "make_parser", "sweep_of", "table"]

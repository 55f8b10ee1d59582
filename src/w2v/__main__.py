"""`python -m w2v`: the command line without an installed script."""

import sys

from w2v.cli.program import main

if __name__ == "__main__":
    sys.exit(main())

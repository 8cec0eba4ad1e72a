"""`python -m seatd.workers NAME`: a worker. Only a supervisor starts it; the name is there for `ps`."""

import sys

from seatd.workers.worker import main

if __name__ == "__main__":
    sys.exit(main())

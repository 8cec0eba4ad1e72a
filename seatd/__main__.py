"""`python -m seatd`: the same as the command `seatd`."""

from seatd.cli.main import main

if __name__ == "__main__":
    main()

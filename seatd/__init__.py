"""seatd: the real-time concurrent-seat session server."""

__version__ = "0.1.0"

"""What seatd bears, measured on real servers: `./dev bench`."""

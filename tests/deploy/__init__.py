"""What lies in `deploy/`, tried with the programs that it is for."""

"""Virtual clients: thousands of them in one process, each a small object and no task of its own."""

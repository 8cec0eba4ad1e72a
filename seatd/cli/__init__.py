"""The command line. One file per group of verbs; what they share is in the rest:

* `main`: the `seatd` command with all its verbs.
* `keys`, `license`, `license_registry`, `logout`, `session`, `status`, `token`, `config`, `serve`, `demo`: the verbs.
* `failures`: what can go wrong, each with its exit code.
* `access`, `local`, `rest`, `answers`: finding the server, calling its REST API, the shapes of its answers.
* `parsing`, `output`: what is typed and what is printed.

Vendor verbs work without a server and load nothing of it: whatever is heavy is imported within the verb.
"""

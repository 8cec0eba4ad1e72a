"""A small deployment in virtual time: a store with a lagging replica, nodes, clients, all following the protocol's rules.

Each rule can be switched off (`bugs.Bug`): the checker must then find what goes wrong, and must find nothing when all hold.
That is how the checker itself is checked, and a place to try a rule before it is built: hours pass in a second.
"""

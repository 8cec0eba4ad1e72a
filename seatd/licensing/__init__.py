"""Licensing: what is sold and the signed keys that say who bought it. Pure values; the time is passed in.

* `catalog`: the products, what they count, what they imply, the sections they open.
* `names`: which customer, domain, user and license names are allowed.
* `keys`: license keys; sign and verify.
* `trust`: the vendor's keys; which public keys are trusted, and which are too weak to be.
"""

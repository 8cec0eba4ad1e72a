"""The cases of `protocol/vectors/*.json`, written by hand.

Only the bytes of whole messages are made by the codec. `python -m tests.protocol.vectors.make` writes the
files; the tests hold the files against these cases, and the package against the files.
"""

Map = dict[str, object]

"""What keeps a run from beginning, or from making sense.

Unusable        what was asked for cannot be done; the text is a sentence for whoever asked
├── BadTokens   tokens cannot be had
├── BadPlace    this is no address of a node
├── BadReport   the report could not be written
└── BadSources  these are no addresses to connect from, or there is no room for so many connections
"""


class Unusable(ValueError):
    """What was asked for cannot be done."""


class BadTokens(Unusable):
    """Tokens cannot be had."""


class BadPlace(Unusable):
    """This is no address of a node."""


class BadReport(Unusable):
    """The report could not be written."""


class BadSources(Unusable):
    """These are no addresses to connect from, or there is no room for so many connections."""

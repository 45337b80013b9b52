"""What other libraries and the file system complain about, as one short line."""


def in_one_line(error: Exception, longest: int = 240) -> str:
    r"""The error's own words; its type's name where it has none.

    >>> in_one_line(ValueError("no such  \n thing")), in_one_line(KeyError())
    ('no such thing', 'KeyError')
    """
    told = getattr(error, "strerror", None) or error
    return " ".join(str(told).split())[:longest] or type(error).__name__

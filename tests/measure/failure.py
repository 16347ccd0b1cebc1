"""The reason of a failed measurement."""


class Failure(Exception):
    pass

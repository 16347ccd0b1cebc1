"""What could not be measured, and why."""


class Failure(Exception):
    pass

"""Bugs planted in a model: whether anyone notices."""

from scheduler.types import InvariantViolation


def is_caught(problem, solve, check, truth):
    """Whether the checker, or the plan's own books before it, refuses what a faulty model makes of a problem;
    what passes must be the best plan all the same.
    """
    try:
        found = solve(problem)
    except InvariantViolation:
        return True
    if check(problem, found):
        return True
    assert found.value_nano_cny == truth(problem)
    return False

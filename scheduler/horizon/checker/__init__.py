"""An independent check of plans over many slots: every rule, figure and bound by no code of the models."""

from scheduler.horizon.checker.bound import certified_bound
from scheduler.horizon.checker.plan_check import check_placements, check_plan, value_of

__all__ = ["certified_bound", "check_placements", "check_plan", "value_of"]

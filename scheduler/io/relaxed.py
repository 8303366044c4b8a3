"""What would place a workload that is left out, in words."""

from datetime import timedelta

from scheduler.horizon.plan import Relaxation, Relaxed
from scheduler.horizon.types import HorizonProblem, HorizonWorkload

NOT_LOOKED_FOR = "not looked for in the time there was"


def relaxed_text(problem: HorizonProblem, w: HorizonWorkload, relaxed: Relaxed | None) -> str:
    """The ways in a sentence; "" where no single change and no two together would do."""
    if relaxed is None:
        return NOT_LOOKED_FOR
    return ", or ".join(" and ".join(_change(problem, w, step) for step in way) for way in relaxed)


def _change(problem: HorizonProblem, w: HorizonWorkload, step: Relaxation) -> str:
    field, value = step
    if field in ("latest_end", "earliest"):
        moment = problem.horizon.start + timedelta(hours=int(value) * problem.horizon.slot_hours)
        return f"{'ending by' if field == 'latest_end' else 'beginning from'} {moment:%d %b %H:%M}"
    if field == "latency_ms_max":
        return f"latency {float(value):.4g} ms instead of {w.latency_ms_max:g} ms"
    if field == "residency":
        return f"residency {value} instead of {w.residency}"
    if field == "budget_micro_cny":
        return f"a budget of {int(value) / 1e6:,.2f} CNY"
    if field == "slots":
        hours = problem.horizon.slot_hours
        return f"{int(value) * hours} h instead of {w.alternatives[0].slots * hours}"
    words = {
        "mode": "pausing",
        "priority": f"priority {value} instead of {w.priority}",
        "together": f"not together with {w.together}",
        "apart": f"not apart from {w.apart}",
        "data_gb": f"{value} GB of data instead of {w.data_gb}",
        "cards": f"{value} of its cards",
    }
    return words[field]

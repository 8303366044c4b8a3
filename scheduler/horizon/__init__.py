"""Planning over many slots: when and where each workload runs, with a proof of how good the plan is."""

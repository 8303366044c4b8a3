"""Published results of market simulation, reproduced on this exchange's own matching engine."""

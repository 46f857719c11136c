"""Past generations built again, in their order: which there are to build, what that will cost, and doing it."""

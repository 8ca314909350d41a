"""The leaderboard: one row a recipe, ranked by the last rung, with the ranges that its ranks are sure of."""

"""Training: recipes, mazes on the fly, gradients through an iteration, and runs that lose nothing when they stop."""

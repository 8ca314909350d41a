"""Pictures: of mazes and answers, of accuracy against difficulty, and of what iterates did."""
